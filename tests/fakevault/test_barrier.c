#include "tests/fakevault/cmocka_first.h"

#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "fakevault/core/seal/barrier.h"
#include "fakevault/core/store/store_memory.h"
#include "fakevault/shell/ports/crypto_openssl.h"

struct stand {
    struct prng dice;
    struct store store;
    struct secret_arena *arena;
    struct barrier barrier;
};

#define UNSEAL_KEY SLICE_LITERAL("0123456789abcdef0123456789abcdef")
#define OTHER_KEY SLICE_LITERAL("0123456789abcdef0123456789abcdeF")

static void fill(void *context, void *out, size_t len)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)prng_next(context);
}

static int set_up(void **state)
{
    static struct stand s;
    struct barrier_batch batch;
    prng_init(&s.dice, 7);
    assert_int_equal(store_memory_new(&s.store, NULL), ERRC_OK);
    assert_int_equal(secret_arena_new(1 << 20, &s.arena, NULL, NULL), ERRC_OK);
    barrier_init(&s.barrier, crypto_openssl(), &s.store, (struct entropy){fill, &s.dice}, s.arena);
    barrier_batch_init(&batch);
    assert_int_equal(barrier_create(&s.barrier, UNSEAL_KEY, 5, &batch, NULL), ERRC_OK);
    assert_int_equal(barrier_commit(&s.barrier, &batch, NULL), ERRC_OK);
    barrier_batch_done(&batch);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *s = *state;
    barrier_close(&s->barrier);
    assert_int_equal(secret_arena_used(s->arena), 0);
    store_close(&s->store);
    secret_arena_free(s->arena);
    return 0;
}

static void put(struct stand *s, const char *name, const char *value)
{
    assert_int_equal(barrier_put(&s->barrier, name, slice_of(value), NULL), ERRC_OK);
}

static enum errc get(struct stand *s, const char *name, const char *want)
{
    struct secret value CLEANUP(secret_done) = {0};
    enum errc code = barrier_get(&s->barrier, name, &value, NULL);
    if (code == ERRC_OK)
        assert_true(slice_equal_text(secret_slice(&value), want));
    return code;
}

/* Changes one byte of a stored record, or puts a record under another name. */
static void tamper(struct stand *s, const char *from, const char *to, size_t flip)
{
    struct buf record CLEANUP(buf_done);
    buf_init(&record, 10000);
    assert_int_equal(store_get(&s->store, slice_of(from), &record, NULL), ERRC_OK);
    if (flip < record.len)
        record.ptr[flip] ^= 1;
    assert_int_equal(store_put(&s->store, slice_of(to), buf_slice(&record), NULL), ERRC_OK);
}

static void test_barrier__gives_back_what_was_put(void **state)
{
    struct stand *s = *state;
    put(s, "a", "value");
    assert_int_equal(get(s, "a", "value"), ERRC_OK);
    assert_int_equal(get(s, "b", ""), ERRC_NOT_FOUND);
    put(s, "empty", "");
    assert_int_equal(get(s, "empty", ""), ERRC_OK);
}

static void test_barrier__opens_with_its_key_only(void **state)
{
    struct stand *s = *state;
    struct errc_why why = {{0}};
    put(s, "a", "value");
    barrier_close(&s->barrier);
    assert_int_equal(secret_arena_used(s->arena), 0);
    assert_int_equal(barrier_open(&s->barrier, OTHER_KEY, &why), ERRC_CRYPTO);
    assert_non_null(strstr(why.text, "authentication failed"));
    assert_int_equal(barrier_open(&s->barrier, SLICE_LITERAL("short"), &why), ERRC_CRYPTO);
    assert_false(barrier_is_open(&s->barrier));
    assert_int_equal(secret_arena_used(s->arena), 0);
    assert_int_equal(barrier_open(&s->barrier, UNSEAL_KEY, &why), ERRC_OK);
    assert_int_equal(get(s, "a", "value"), ERRC_OK);
}

static void test_barrier__notices_every_changed_byte(void **state)
{
    struct stand *s = *state;
    struct buf record CLEANUP(buf_done);
    buf_init(&record, 10000);
    put(s, "a", "value");
    assert_int_equal(store_get(&s->store, SLICE_LITERAL("a"), &record, NULL), ERRC_OK);
    for (size_t i = 0; i < record.len; i++) {
        tamper(s, "a", "a", i);
        assert_int_not_equal(get(s, "a", "value"), ERRC_OK);
        tamper(s, "a", "a", i);
    }
    assert_int_equal(get(s, "a", "value"), ERRC_OK);
    assert_int_equal(store_put(&s->store, SLICE_LITERAL("a"), SLICE_LITERAL("cut"), NULL), ERRC_OK);
    assert_int_equal(get(s, "a", "value"), ERRC_SCHEMA);
}

static void test_barrier__a_record_is_bound_to_its_name(void **state)
{
    struct stand *s = *state;
    put(s, "a", "value");
    tamper(s, "a", "b", SIZE_MAX);
    assert_int_equal(get(s, "b", "value"), ERRC_CRYPTO);
}

static void test_barrier__rotating_keeps_old_records_readable(void **state)
{
    struct stand *s = *state;
    put(s, "old", "1");
    assert_int_equal(barrier_rotate(&s->barrier, 6, NULL), ERRC_OK);
    assert_int_equal(s->barrier.term_count, 2);
    assert_int_equal(s->barrier.encryptions, 0);
    put(s, "new", "2");
    barrier_close(&s->barrier);
    assert_int_equal(barrier_open(&s->barrier, UNSEAL_KEY, NULL), ERRC_OK);
    assert_int_equal(s->barrier.term_count, 2);
    assert_int_equal(s->barrier.terms[1].installed_ns, 6);
    assert_int_equal(get(s, "old", "1"), ERRC_OK);
    assert_int_equal(get(s, "new", "2"), ERRC_OK);
}

static void test_barrier__refuses_a_damaged_keyring(void **state)
{
    struct stand *s = *state;
    struct errc_why why = {{0}};
    barrier_close(&s->barrier);
    tamper(s, BARRIER_KEYRING_NAME, BARRIER_KEYRING_NAME, 30);
    assert_int_equal(barrier_open(&s->barrier, UNSEAL_KEY, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "the stored keyring does not belong to the root key");
    assert_int_equal(secret_arena_used(s->arena), 0);
}

static void test_barrier__refuses_what_would_not_fit_the_arena(void **state)
{
    struct stand *s = *state;
    static char large[BARRIER_PLAIN_MAX + 1];
    struct errc_why why = {{0}};
    assert_int_equal(barrier_put(&s->barrier, "a", slice_bytes(large, sizeof large), &why),
                     ERRC_TOO_BIG);
    assert_string_equal(why.text, "put failed due to value being too large");
    assert_int_equal(get(s, "a", ""), ERRC_NOT_FOUND);
}

static void test_barrier__erases_everything_below_a_prefix(void **state)
{
    struct stand *s = *state;
    char name[32];
    for (int i = 0; i < 150; i++) {
        (void)snprintf(name, sizeof name, "x/%d", i);
        put(s, name, "v");
    }
    put(s, "xy", "stays");
    assert_int_equal(barrier_erase_all(&s->barrier, "x/", NULL), ERRC_OK);
    for (int i = 0; i < 150; i++) {
        (void)snprintf(name, sizeof name, "x/%d", i);
        assert_int_equal(get(s, name, "v"), ERRC_NOT_FOUND);
    }
    assert_int_equal(get(s, "xy", "stays"), ERRC_OK);
}

static void test_barrier__never_uses_a_nonce_twice(void **state)
{
    struct stand *s = *state;
    struct buf first CLEANUP(buf_done), second CLEANUP(buf_done);
    buf_init(&first, 1000);
    buf_init(&second, 1000);
    put(s, "a", "value");
    assert_int_equal(store_get(&s->store, SLICE_LITERAL("a"), &first, NULL), ERRC_OK);
    put(s, "a", "value");
    assert_int_equal(store_get(&s->store, SLICE_LITERAL("a"), &second, NULL), ERRC_OK);
    assert_memory_not_equal(first.ptr + 5, second.ptr + 5, CRYPTO_AEAD_NONCE_BYTES);
}

#define STANDING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STANDING(test_barrier__gives_back_what_was_put),
        STANDING(test_barrier__opens_with_its_key_only),
        STANDING(test_barrier__notices_every_changed_byte),
        STANDING(test_barrier__a_record_is_bound_to_its_name),
        STANDING(test_barrier__rotating_keeps_old_records_readable),
        STANDING(test_barrier__refuses_a_damaged_keyring),
        STANDING(test_barrier__refuses_what_would_not_fit_the_arena),
        STANDING(test_barrier__erases_everything_below_a_prefix),
        STANDING(test_barrier__never_uses_a_nonce_twice),
    };
    return cmocka_run_group_tests_name("barrier", tests, NULL, NULL);
}
