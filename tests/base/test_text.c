#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/stamp.h"

static void test_base64__reports_the_offset_that_go_prints(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bad_at;
    } cases[] = {{"foobar", 4}, {"YQ", 0},   {"YQ=", 3}, {"YQ==x", 4}, {"YWJj=", 4},
                 {"%%", 0},     {"aaa$", 3}, {"=", 0},   {"a===", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64__reports_the_offset_that_go_prints),
        cmocka_unit_test(test_base64__round_trips_every_length),
        cmocka_unit_test(test_stamp__round_trips_and_drops_zeros_as_go_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
