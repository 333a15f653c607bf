#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/slice.h"

static void test_slice_glob__follows_its_table(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "v1/transit/sign/k", true},
        {"**", "a", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"a", "A", false},
        {"*/sign/*", "v1/transit/sign/docugen", true},
        {"*/sign/*", "v1/transit/sign", false},
        {"*/sign/*", "/sign/", true},
        {"*/sign/*", "v1/transit/signature/k", false},
        {"v1/*/keys/?", "v1/transit/keys/k", true},
        {"v1/*/keys/?", "v1/transit/keys/", false},
        {"*a*b*c", "xxaxxbxxc", true},
        {"*a*b*c", "xxaxxbxxcd", false},
        {"*ab", "aab", true},
        {"a*a", "a", false},
        {"[ab]", "a", false},
        {"a.c", "abc", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (slice_glob(slice_of(cases[i].pattern), slice_of(cases[i].text)) != cases[i].matches)
            fail_msg("\"%s\" on \"%s\"", cases[i].pattern, cases[i].text);
}

static void test_slice_glob__takes_no_exponential_time(void **state)
{
    (void)state;
    char text[4001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(slice_glob(SLICE_LITERAL("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), slice_of(text)));
}

static void test_slice_to_u64__takes_all_that_fits_and_nothing_else(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_true(slice_to_u64(SLICE_LITERAL("18446744073709551615"), &n));
    assert_true(n == UINT64_MAX);
    assert_true(slice_to_u64(SLICE_LITERAL("000"), &n));
    assert_true(n == 0);
    static const char *const bad[] = {
        "",   "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "1a", "0x10",
        "1.0"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        n = 7;
        if (slice_to_u64(slice_of(bad[i]), &n) || n != 7)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void test_slice_cut__walks_over_the_parts(void **state)
{
    (void)state;
    struct slice rest = SLICE_LITERAL("a,,bc,");
    assert_true(slice_equal_text(slice_cut(&rest, ','), "a"));
    assert_true(slice_equal_text(slice_cut(&rest, ','), ""));
    assert_true(slice_equal_text(slice_cut(&rest, ','), "bc"));
    assert_int_equal(rest.len, 0);
    assert_true(slice_equal_text(slice_cut(&rest, ','), ""));
    rest = SLICE_LITERAL("whole");
    assert_true(slice_equal_text(slice_cut(&rest, ','), "whole"));
    assert_int_equal(rest.len, 0);
}

static void test_slice__trims_and_compares(void **state)
{
    (void)state;
    assert_true(slice_equal_text(slice_trim(SLICE_LITERAL(" \t a b\r\n")), "a b"));
    assert_true(slice_equal_text(slice_trim(SLICE_LITERAL(" \n")), ""));
    assert_true(slice_equal(slice_of(NULL), SLICE_LITERAL("")));
    assert_false(slice_equal(SLICE_LITERAL("a"), SLICE_LITERAL("b")));
    assert_false(slice_equal(SLICE_LITERAL("a"), SLICE_LITERAL("ab")));
    assert_true(slice_equal(slice_bytes("a\0b", 3), slice_bytes("a\0b", 3)));
    assert_false(slice_equal(slice_bytes("a\0b", 3), slice_bytes("a\0c", 3)));
}

static void test_slice__starts_and_ends(void **state)
{
    (void)state;
    struct slice s = SLICE_LITERAL("v1/transit");
    assert_true(slice_starts_with(s, "v1/"));
    assert_true(slice_starts_with(s, ""));
    assert_false(slice_starts_with(s, "v1/transit/"));
    assert_true(slice_ends_with(s, "transit"));
    assert_true(slice_ends_with(slice_of(NULL), ""));
    assert_false(slice_ends_with(slice_of(NULL), "t"));
    assert_false(slice_ends_with(s, "xv1/transit"));
}

static void test_slice__finds_and_cuts_off(void **state)
{
    (void)state;
    struct slice s = SLICE_LITERAL("abc");
    assert_int_equal(slice_find(s, 'c'), 2);
    assert_int_equal(slice_find(s, 'x'), 3);
    assert_int_equal(slice_find(slice_of(NULL), 'x'), 0);
    assert_true(slice_equal_text(slice_from(s, 1), "bc"));
    assert_int_equal(slice_from(s, 3).len, 0);
    assert_int_equal(slice_from(s, SIZE_MAX).len, 0);
}

static void test_slice_dup__copies_with_a_nul(void **state)
{
    (void)state;
    char *copy = slice_dup(slice_bytes("a\0b", 3));
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    copy = slice_dup(slice_of(NULL));
    assert_string_equal(copy, "");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice_glob__follows_its_table),
        cmocka_unit_test(test_slice_glob__takes_no_exponential_time),
        cmocka_unit_test(test_slice_to_u64__takes_all_that_fits_and_nothing_else),
        cmocka_unit_test(test_slice_cut__walks_over_the_parts),
        cmocka_unit_test(test_slice__trims_and_compares),
        cmocka_unit_test(test_slice__starts_and_ends),
        cmocka_unit_test(test_slice__finds_and_cuts_off),
        cmocka_unit_test(test_slice_dup__copies_with_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
