/* What the recordings cannot show of transit's keys: time, capacity, encodings, the cache. */
#include "base/count.h"
#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include <stdio.h>
#include <string.h>

#include "base/text/hex.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/encoding/decimal.h"
#include "fakevault/core/transit/encoding/der.h"
#include "fakevault/core/transit/encoding/keyform.h"
#include "tests/fakevault/vault_world.h"

/* --- keys that rotate by themselves ----------------------------------------------------------- */

static int64_t latest(struct world *w, const char *key)
{
    char what[64];
    json_t *answer = NULL;
    (void)snprintf(what, sizeof what, "GET transit/keys/%s", key);
    assert_int_equal(world_ask(w, what, NULL, w->root, &answer), 200);
    int64_t version =
        json_integer_value(json_object_get(json_object_get(answer, "data"), "latest_version"));
    json_decref(answer);
    return version;
}

static void turn(struct world *w, double hours)
{
    w->now.wall_ns += (int64_t)(hours * (double)NS_PER_HOUR);
}

static void test_transit_keys__rotate_when_their_period_is_over(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST transit/keys/two",
                                  "{\"type\":\"ecdsa-p256\",\"auto_rotate_period\":\"2h\"}",
                                  w->root),
                     200);
    assert_int_equal(world_status(w, "POST transit/keys/never", NULL, w->root), 200);
    turn(w, 1.5);
    assert_int_equal(latest(w, "two"), 1);
    turn(w, 1);
    assert_int_equal(latest(w, "two"), 2);
    assert_int_equal(latest(w, "two"), 2);
    turn(w, 48); /* was due many times, and gets one */
    assert_int_equal(latest(w, "two"), 3);
    assert_int_equal(latest(w, "never"), 1);
}

static void test_transit_keys__are_looked_at_once_an_hour(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        world_status(w, "POST transit/keys/k", "{\"auto_rotate_period\":\"1h\"}", w->root), 200);
    turn(w, 0.999); /* the first look since the unsealing was at the first request */
    assert_int_equal(latest(w, "k"), 1);
    turn(w, 0.002);
    assert_int_equal(latest(w, "k"), 2);
    turn(w, 0.5);
    assert_int_equal(latest(w, "k"), 2);
}

static void test_transit_keys__rotate_in_a_seal_of_their_own_time(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        world_status(w, "POST transit/keys/k", "{\"auto_rotate_period\":\"1h\"}", w->root), 200);
    turn(w, 3);
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct vault_job *job = world_begin(w, "GET transit/keys/k", NULL, &path);
    vault_job_run(job); /* the new version is made */
    vault_seal(w->vault);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 503);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(latest(w, "k"), 2); /* by this request, once */
}

static void test_transit_keys__a_cancelled_request_rotates_nothing(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        world_status(w, "POST transit/keys/k", "{\"auto_rotate_period\":\"1h\"}", w->root), 200);
    turn(w, 3);
    struct buf path CLEANUP(buf_done);
    struct vault_job *job = world_begin(w, "GET transit/keys/k", NULL, &path);
    vault_cancel(w->vault, job);
    assert_int_equal(latest(w, "k"), 1); /* the look was spent */
    turn(w, 1.1);
    assert_int_equal(latest(w, "k"), 2);
}

/* --- capacity --------------------------------------------------------------------------------- */

#define MANY 3000

/* More keys than the arena holds: those that rest are in the store. */
static void test_transit_keys__thousands_work(void **state)
{
    struct world *w = *state;
    char what[64];
    json_t *answer = NULL;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(what, sizeof what, "POST transit/keys/k%d", i);
        assert_int_equal(world_status(w, what, "{\"type\":\"hmac\",\"key_size\":512}", w->root),
                         200);
    }
    assert_true(w->vault->keyrings.count < MANY);
    assert_true(secret_arena_used(w->arena) <= secret_arena_size(w->arena) / 2 + 4096);
    for (int i = 0; i < MANY; i += 500) {
        (void)snprintf(what, sizeof what, "GET transit/keys/k%d", i);
        assert_int_equal(world_ask(w, what, NULL, w->root, &answer), 200);
        json_decref(answer);
    }
}

static void test_transit_keys__too_many_versions_are_refused_with_a_reason(void **state)
{
    struct world *w = *state;
    int status = 200;
    const char *spec = "{\"type\":\"hmac\",\"key_size\":512}";
    assert_int_equal(world_status(w, "POST transit/keys/k", spec, w->root), 200);
    for (int i = 0; i < 2000 && status == 200; i++)
        status = world_status(w, "POST transit/keys/k/rotate", NULL, w->root);
    assert_int_equal(status, 500);
    int64_t reached = latest(w, "k");
    assert_true(reached > 400);
    assert_int_equal(world_status(w, "POST transit/keys/k/rotate", NULL, w->root), 500);
    assert_int_equal(latest(w, "k"), reached);
}

/* --- the cache -------------------------------------------------------------------------------- */

static void test_transit_keys__the_cache_finds_what_it_holds(void **state)
{
    (void)state;
    struct keyring_cache cache = {0};
    char name[16];
    const struct keyring_traits *traits = keyring_traits_named(SLICE_LITERAL("hmac"));
    for (int i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "k%d", i);
        struct keyring *k = keyring_new(i % 2 == 0 ? "even" : "odd", slice_of(name), traits);
        assert_non_null(k);
        assert_int_equal(keyring_cache_add(&cache, k), ERRC_OK);
    }
    assert_null(keyring_cache_get(&cache, "odd", SLICE_LITERAL("k0")));
    struct keyring *k0 = keyring_cache_get(&cache, "even", SLICE_LITERAL("k0"));
    assert_non_null(k0);
    assert_ptr_equal(cache.newest, k0);
    assert_string_equal(cache.oldest->name, "k1");
    keyring_cache_remove_mount(&cache, "odd");
    assert_int_equal(cache.count, 250);
    assert_null(keyring_cache_get(&cache, "odd", SLICE_LITERAL("k1")));
    assert_non_null(keyring_cache_get(&cache, "even", SLICE_LITERAL("k498")));
    keyring_cache_done(&cache);
}

/* --- encodings -------------------------------------------------------------------------------- */

static void test_transit_keys__decimal_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *text;
    } numbers[] = {
        {"", "0"},
        {"00", "0"},
        {"ff", "255"},
        {"3b9aca00", "1000000000"},
        {"0de0b6b3a7640000", "1000000000000000000"},
        {"ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455"},
    };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct buf bytes CLEANUP(buf_done), text CLEANUP(buf_done);
        uint8_t back[16] = {1};
        buf_init(&bytes, 64);
        buf_init(&text, 64);
        assert_int_equal(hex_parse(slice_of(numbers[i].hex), &bytes), ERRC_OK);
        decimal_format(buf_slice(&bytes), &text);
        assert_string_equal(buf_text(&text), numbers[i].text);
        assert_true(decimal_bytes(text.len) >= bytes.len || bytes.len <= 1);
        assert_int_equal(decimal_parse(buf_slice(&text), back, sizeof back), ERRC_OK);
        if (bytes.len > 0)
            assert_memory_equal(back + sizeof back - bytes.len, bytes.ptr, bytes.len);
    }
    uint8_t small[2];
    assert_int_equal(decimal_parse(SLICE_LITERAL("65535"), small, sizeof small), ERRC_OK);
    assert_int_equal(decimal_parse(SLICE_LITERAL("65536"), small, sizeof small), ERRC_TOO_BIG);
    assert_int_equal(decimal_parse(SLICE_LITERAL("12a"), small, sizeof small), ERRC_SYNTAX);
    assert_int_equal(decimal_parse(SLICE_LITERAL(""), small, sizeof small), ERRC_SYNTAX);
}

static void test_transit_keys__der_reads_only_what_is_there(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        bool good;
    } elements[] = {
        {SLICE_LITERAL("\x04\x02hi"), true},
        {SLICE_LITERAL("\x04\x02h"), false},      /* cut off */
        {SLICE_LITERAL("\x04"), false},           /* no length */
        {SLICE_LITERAL("\x02\x02hi"), false},     /* another tag */
        {SLICE_LITERAL("\x04\x81\x02hi"), false}, /* not the shortest length */
        {SLICE_LITERAL("\x04\x80hi"), false},     /* indefinite */
        {SLICE_LITERAL("\x04\x83\x00\x00\x02hi"), false},
        {SLICE_LITERAL(""), false},
    };
    for (size_t i = 0; i < COUNT(elements); i++) {
        struct der d = der_from(elements[i].bytes);
        struct slice content = der_read(&d, DER_OCTETS);
        assert_int_equal(der_complete(&d), elements[i].good);
        assert_int_equal(slice_equal_text(content, "hi"), elements[i].good);
    }
    struct der negative = der_from(SLICE_LITERAL("\x02\x01\xff"));
    (void)der_read_unsigned(&negative);
    assert_true(negative.failed);
}

static void test_transit_keys__der_writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t bytes[400];
    char long_text[300];
    memset(long_text, 'x', sizeof long_text);
    struct der_writer w = der_into(bytes, sizeof bytes);
    der_element(&w, DER_OCTETS, slice_bytes(long_text, sizeof long_text));
    der_integer(&w, SLICE_LITERAL("\x00\x80"));
    der_wrap(&w, DER_SEQUENCE, 0);
    struct der whole = der_from(der_slice(&w)), d = der_enter(&whole, DER_SEQUENCE);
    assert_true(slice_equal(der_read_unsigned(&d), SLICE_LITERAL("\x80")));
    assert_int_equal(der_read(&d, DER_OCTETS).len, sizeof long_text);
    assert_true(der_complete(&d) && der_complete(&whole));
    der_raw(&w, slice_bytes(long_text, sizeof long_text));
    assert_int_equal(der_slice(&w).len, 0);
}

static void test_transit_keys__pem_is_read_as_go_reads_it(void **state)
{
    (void)state;
    static const struct {
        const char *pem;
        enum errc code;
    } texts[] = {
        {"-----BEGIN X-----\nYWJj\n-----END X-----\n", ERRC_OK},
        {"words before\n-----BEGIN X-----\r\nYW\r\nJj\r\n-----END X-----", ERRC_OK},
        {"-----BEGIN X-----\nYWJj\n", ERRC_SYNTAX},
        {"YWJj", ERRC_SYNTAX},
        {"-----BEGIN X-----\n%%\n-----END X-----\n", ERRC_SYNTAX},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf der CLEANUP(buf_done);
        buf_init(&der, 100);
        assert_int_equal(keyform_read_pem(slice_of(texts[i].pem), &der), texts[i].code);
        if (texts[i].code == ERRC_OK)
            assert_string_equal(buf_text(&der), "abc");
    }
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_transit_keys__rotate_when_their_period_is_over),
        BOOTED(test_transit_keys__are_looked_at_once_an_hour),
        BOOTED(test_transit_keys__rotate_in_a_seal_of_their_own_time),
        BOOTED(test_transit_keys__a_cancelled_request_rotates_nothing),
        BOOTED(test_transit_keys__thousands_work),
        BOOTED(test_transit_keys__too_many_versions_are_refused_with_a_reason),
        cmocka_unit_test(test_transit_keys__the_cache_finds_what_it_holds),
        cmocka_unit_test(test_transit_keys__decimal_there_and_back),
        cmocka_unit_test(test_transit_keys__der_reads_only_what_is_there),
        cmocka_unit_test(test_transit_keys__der_writes_what_it_reads),
        cmocka_unit_test(test_transit_keys__pem_is_read_as_go_reads_it),
    };
    return cmocka_run_group_tests_name("transit_keys", tests, NULL, NULL);
}
