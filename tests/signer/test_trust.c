#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "tests/signer/fake.h"

static void test_trust__a_new_pin_retires_the_old_one(void **state)
{
    (void)state;
    struct trust trust CLEANUP(trust_done);
    struct keyport_public one = fake_key(KEYPORT_ECDSA_P256, 1),
                          two = fake_key(KEYPORT_ECDSA_P256, 2),
                          local = fake_key(KEYPORT_ED25519, 3);
    bool changed = false;
    trust_init(&trust);
    assert_null(trust_pin(&trust));
    assert_int_equal(trust_pin_key(&trust, "k", 1, &one, 5, &changed, NULL), ERRC_OK);
    assert_true(changed);
    assert_int_equal(trust_pin_key(&trust, "k", 1, &one, 6, &changed, NULL), ERRC_OK);
    assert_false(changed);
    assert_int_equal(trust_pin_key(&trust, "k", 2, &two, 7, &changed, NULL), ERRC_OK);
    assert_true(changed);
    assert_int_equal(trust_add_fallback(&trust, &local, 8, &changed, NULL), ERRC_OK);
    assert_true(changed);
    assert_int_equal(trust_add_fallback(&trust, &local, 9, &changed, NULL), ERRC_OK);
    assert_false(changed);
    assert_int_equal(trust.count, 3);
    assert_string_equal(trust_pin(&trust)->key.fingerprint, two.fingerprint);
    assert_int_equal(trust_find(&trust, one.fingerprint)->role, TRUST_RETIRED);
    assert_int_equal(trust_find(&trust, local.fingerprint)->role, TRUST_FALLBACK);
    assert_null(trust_find(&trust, "sha256:00"));
}

static void fill(struct trust *trust)
{
    bool changed = false;
    struct keyport_public one = fake_key(KEYPORT_ECDSA_P256, 1),
                          two = fake_key(KEYPORT_ECDSA_P256, 2),
                          local = fake_key(KEYPORT_ED25519, 3);
    trust_init(trust);
    assert_int_equal(trust_pin_key(trust, "k", 1, &one, 5000000, &changed, NULL), ERRC_OK);
    assert_int_equal(trust_pin_key(trust, "k", 4, &two, 7000000, &changed, NULL), ERRC_OK);
    assert_int_equal(trust_add_fallback(trust, &local, 8000000, &changed, NULL), ERRC_OK);
}

static void test_trust__the_file_round_trips(void **state)
{
    (void)state;
    const struct keyport port = fake_keyport();
    struct trust trust CLEANUP(trust_done), back CLEANUP(trust_done) = {0};
    struct buf text CLEANUP(buf_done), again CLEANUP(buf_done);
    buf_init(&text, LIMIT_TRUST_FILE_BYTES);
    buf_init(&again, LIMIT_TRUST_FILE_BYTES);
    fill(&trust);
    assert_int_equal(trust_format(&trust, &text, NULL), ERRC_OK);
    assert_int_equal(trust_parse(buf_slice(&text), &port, &back, NULL), ERRC_OK);
    assert_int_equal(back.count, 3);
    assert_int_equal(trust_pin(&back)->version, 4);
    assert_int_equal(trust_pin(&back)->accepted_wall_ns, 7000000);
    assert_int_equal(trust_format(&back, &again, NULL), ERRC_OK);
    assert_string_equal(buf_text(&again), buf_text(&text));
}

static void test_trust__a_changed_file_is_refused(void **state)
{
    (void)state;
    const struct keyport port = fake_keyport();
    static const struct {
        const char *from;
        const char *to;
        enum errc code;
    } changes[] = {
        {"\"version\":1", "\"version\":2", ERRC_RANGE},
        {"sha256:", "sha256:0", ERRC_CRYPTO},
        {"-----BEGIN", "----BEGIN", ERRC_SYNTAX},
        {"\"keyVersion\":4", "\"keyVersion\":0", ERRC_RANGE},
        {"\"keyVersion\":4,", "", ERRC_SCHEMA},
        {"\"retired\"", "\"retried\"", ERRC_SCHEMA},
        {"\"acceptedAt\":\"1970", "\"acceptedAt\":\"197O", ERRC_SCHEMA},
        {"}", "", ERRC_SYNTAX},
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct trust trust CLEANUP(trust_done), back CLEANUP(trust_done) = {0};
        struct buf text CLEANUP(buf_done), changed CLEANUP(buf_done);
        struct errc_why why = {0};
        buf_init(&text, LIMIT_TRUST_FILE_BYTES);
        buf_init(&changed, LIMIT_TRUST_FILE_BYTES);
        fill(&trust);
        assert_int_equal(trust_format(&trust, &text, NULL), ERRC_OK);
        const char *at = strstr(buf_text(&text), changes[i].from);
        assert_non_null(at);
        buf_add(&changed, text.ptr, (size_t)(at - text.ptr));
        buf_add_text(&changed, changes[i].to);
        buf_add_text(&changed, at + strlen(changes[i].from));
        enum errc code = trust_parse(buf_slice(&changed), &port, &back, &why);
        if (code != changes[i].code)
            fail_msg("%s: %d (%s)", changes[i].to, (int)code, why.text);
        assert_int_equal(back.count, 0);
    }
}

static void test_trust__the_number_of_keys_is_limited(void **state)
{
    (void)state;
    struct trust trust CLEANUP(trust_done);
    bool changed = false;
    trust_init(&trust);
    enum errc code = ERRC_OK;
    struct keyport_public key = fake_key(KEYPORT_ED25519, 1);
    for (unsigned i = 0; i <= LIMIT_TRUST_KEYS && code == ERRC_OK; i++) {
        (void)snprintf(key.fingerprint, sizeof key.fingerprint, "sha256:%u", i);
        code = trust_add_fallback(&trust, &key, 1, &changed, NULL);
    }
    assert_int_equal(code, ERRC_TOO_BIG);
    assert_int_equal(trust.count, LIMIT_TRUST_KEYS);
    assert_false(changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trust__a_new_pin_retires_the_old_one),
        cmocka_unit_test(test_trust__the_file_round_trips),
        cmocka_unit_test(test_trust__a_changed_file_is_refused),
        cmocka_unit_test(test_trust__the_number_of_keys_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
