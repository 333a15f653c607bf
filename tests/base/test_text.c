#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/digest.h"
#include "base/entropy.h"
#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/text/base64.h"
#include "base/text/hex.h"
#include "base/text/logline.h"
#include "base/text/stamp.h"
#include "base/units.h"

static void test_base64__reports_the_offset_that_go_prints(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bad_at;
    } cases[] = {{"foobar", 4}, {"YQ", 0},   {"YQ=", 3}, {"YQ==x", 4}, {"YWJj=", 4},
                 {"%%", 0},     {"aaa$", 3}, {"=", 0},   {"a===", 1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out CLEANUP(buf_done);
        buf_init(&out, 100);
        size_t bad_at = 99;
        assert_int_equal(base64_parse(slice_of(cases[i].text), BASE64_STANDARD, &out, &bad_at),
                         ERRC_SYNTAX);
        if (bad_at != cases[i].bad_at)
            fail_msg("\"%s\": offset %zu, want %zu", cases[i].text, bad_at, cases[i].bad_at);
        assert_int_equal(out.len, 0);
    }
}

static void test_base64__round_trips_every_length(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 251);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (int alphabet = BASE64_STANDARD; alphabet <= BASE64_URL_RAW; alphabet++) {
            struct buf text CLEANUP(buf_done), back CLEANUP(buf_done);
            buf_init(&text, 200);
            buf_init(&back, 200);
            base64_format(slice_bytes(bytes, n), (enum base64_alphabet)alphabet, &text);
            assert_int_equal(
                base64_parse(buf_slice(&text), (enum base64_alphabet)alphabet, &back, NULL),
                ERRC_OK);
            assert_true(slice_equal(buf_slice(&back), slice_bytes(bytes, n)));
        }
    }
}

static void test_stamp__round_trips_and_drops_zeros_as_go_does(void **state)
{
    (void)state;
    char text[STAMP_BYTES];
    int64_t back = 0;
    stamp_format(INT64_C(1795458581881026880), STAMP_GO_NANO, text);
    assert_string_equal(text, "2026-11-23T18:29:41.88102688Z");
    assert_true(stamp_parse(slice_of(text), &back));
    assert_int_equal(back, INT64_C(1795458581881026880));
    stamp_format(INT64_C(1795458581000000000), STAMP_GO_NANO, text);
    assert_string_equal(text, "2026-11-23T18:29:41Z");
    assert_true(stamp_parse(SLICE_LITERAL("2026-11-23T19:29:41+01:00"), &back));
    assert_int_equal(back, INT64_C(1795458581000000000));
    assert_false(stamp_parse(SLICE_LITERAL("2026-11-23 19:29:41Z"), &back));
}

static void test_stamp__refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-11-23",
                                      "2026-11-23T18:29:41",
                                      "2026-11-23T18:29:41.Z",
                                      "2026-13-23T18:29:41Z",
                                      "2026-00-23T18:29:41Z",
                                      "2026-11-32T18:29:41Z",
                                      "2026-11-23T24:00:00Z",
                                      "2026-11-23T18:60:00Z",
                                      "2026-11-23T18:29:41Zx",
                                      "2026-11-23T18:29:41+0100",
                                      "2026-11-23T18:29:41+24:00",
                                      "1969-12-31T23:59:59Z",
                                      "2026-1-23T18:29:41Z"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ns = 0;
        if (stamp_parse(slice_of(bad[i]), &ns))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void test_stamp__knows_leap_days_and_the_ends(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {951782400, "2000-02-29T00:00:00.000Z"},
                 {1709164800, "2024-02-29T00:00:00.000Z"},
                 {1735689599, "2024-12-31T23:59:59.000Z"},
                 {4107542400, "2100-03-01T00:00:00.000Z"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[STAMP_BYTES];
        int64_t back = -1;
        stamp_format(cases[i].seconds * NS_PER_S, STAMP_MILLI, text);
        assert_string_equal(text, cases[i].text);
        assert_true(stamp_parse(slice_of(text), &back));
        assert_int_equal(back, cases[i].seconds * NS_PER_S);
    }
}

static void test_stamp__nine_digits_sort_as_text(void **state)
{
    (void)state;
    char text[STAMP_BYTES];
    stamp_format(INT64_C(1795458581000000001), STAMP_NANO, text);
    assert_string_equal(text, "2026-11-23T18:29:41.000000001Z");
}

static void test_hex__round_trips_and_refuses_the_rest(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done), back CLEANUP(buf_done);
    buf_init(&text, 100);
    buf_init(&back, 100);
    hex_format(slice_bytes("\x00\xff\x10", 3), &text);
    assert_string_equal(buf_text(&text), "00ff10");
    assert_int_equal(hex_parse(SLICE_LITERAL("00FF10"), &back), ERRC_OK);
    assert_true(slice_equal(buf_slice(&back), slice_bytes("\x00\xff\x10", 3)));
    static const char *const bad[] = {"0", "0g", "00 1", "g0", "0x"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(hex_parse(slice_of(bad[i]), &back), ERRC_SYNTAX);
        assert_int_equal(back.len, 3);
    }
    assert_int_equal(hex_parse(SLICE_LITERAL(""), &back), ERRC_OK);
}

static void test_digest__is_sha256(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_BYTES];
    digest_sha256_hex(SLICE_LITERAL("abc"), hex); /* FIPS 180-4's example */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_hex(slice_of(NULL), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void fill_with(void *context, void *out, size_t len)
{
    memset(out, *(unsigned char *)context, len);
}

static void test_entropy_uuid__has_version_and_variant(void **state)
{
    (void)state;
    char uuid[ENTROPY_UUID_BYTES];
    unsigned char byte = 0xff;
    struct entropy entropy = {.fill = fill_with, .context = &byte};
    entropy_uuid(&entropy, uuid);
    assert_string_equal(uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    byte = 0;
    entropy_uuid(&entropy, uuid);
    assert_string_equal(uuid, "00000000-0000-4000-8000-000000000000");
}

static void test_entropy_os__differs_each_time(void **state)
{
    (void)state;
    struct entropy entropy = entropy_os();
    char a[ENTROPY_UUID_BYTES], b[ENTROPY_UUID_BYTES];
    entropy_uuid(&entropy, a);
    entropy_uuid(&entropy, b);
    assert_string_not_equal(a, b);
}

static void test_clock_os__moves_forward(void **state)
{
    (void)state;
    struct clock clock = clock_os();
    struct instant a = clock.now(clock.context), b = clock.now(clock.context);
    assert_true(b.mono_ns >= a.mono_ns);
    assert_true(a.wall_ns > INT64_C(1700000000000000000));
}

static void test_logline__quotes_only_what_needs_it(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct logline l;
    buf_init(&out, 1000);
    logline_begin(&l, &out, INT64_C(1795458581081000000), "info", "api", "signed");
    logline_add(&l, "signing_mode", "vault");
    logline_add(&l, "why", "two words");
    logline_add(&l, "q", "a\"b=c\n");
    logline_add(&l, "none", NULL);
    logline_add(&l, "empty", "");
    logline_add(&l, "back", "a\\b");
    logline_add(&l, "name", "na\xc3\xafve");
    logline_add(&l, "turned", "a\xc2\x9b\xe2\x80\xae");
    logline_add_int(&l, "attempts", -3);
    logline_end(&l);
    assert_string_equal(
        buf_text(&out),
        "ts=2026-11-23T18:29:41.081Z level=info actor=api event=signed "
        "signing_mode=vault why=\"two words\" q=\"a\\\"b=c\\n\" empty=\"\" "
        "back=\"a\\\\b\" name=na\xc3\xafve turned=\"a\\u009b\\u202e\" attempts=-3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64__reports_the_offset_that_go_prints),
        cmocka_unit_test(test_base64__round_trips_every_length),
        cmocka_unit_test(test_stamp__round_trips_and_drops_zeros_as_go_does),
        cmocka_unit_test(test_stamp__refuses_what_is_no_time),
        cmocka_unit_test(test_stamp__knows_leap_days_and_the_ends),
        cmocka_unit_test(test_stamp__nine_digits_sort_as_text),
        cmocka_unit_test(test_hex__round_trips_and_refuses_the_rest),
        cmocka_unit_test(test_digest__is_sha256),
        cmocka_unit_test(test_entropy_uuid__has_version_and_variant),
        cmocka_unit_test(test_entropy_os__differs_each_time),
        cmocka_unit_test(test_clock_os__moves_forward),
        cmocka_unit_test(test_logline__quotes_only_what_needs_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
