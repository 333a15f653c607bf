#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/dispatch.h"

static const struct {
    const char *name;
    int number;
} rows[] = {
    {"status", 1},          {"seal", 2}, {"faults list", 3}, {"faults add", 4},
    {"kv metadata get", 5}, {"kv", 6},
};

static const struct dispatch table = DISPATCH("verb", "x -help", rows);

static void test_dispatch__finds_the_longest_name(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        size_t count, used;
        int number;
    } cases[] = {
        {{"seal"}, 1, 1, 2},
        {{"seal", "now"}, 2, 1, 2},
        {{"faults", "add", "file"}, 3, 2, 4},
        {{"kv", "metadata", "get", "x"}, 4, 3, 5},
        {{"kv", "metadata"}, 2, 1, 6},
        {{"kv", "metadata", "get", "x"}, 2, 1, 6}, /* words behind the count are not there */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct errc_why why = {{0}};
        size_t row = 99, used = 99;
        assert_int_equal(dispatch_find(&table, cases[i].words, cases[i].count, &row, &used, &why),
                         ERRC_OK);
        assert_int_equal(rows[row].number, cases[i].number);
        assert_int_equal(used, cases[i].used);
    }
}

static void test_dispatch__says_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *words[2];
        size_t count;
        const char *why;
    } cases[] = {
        {{"seel"}, 1, "verb \"seel\" is unknown, did you mean \"seal\"?"},
        {{"fault", "add"}, 2, "verb \"fault\" is unknown, did you mean \"faults\"?"},
        {{"xyzzy"}, 1, "verb \"xyzzy\" is unknown, see x -help"},
        {{""}, 1, "verb \"\" is unknown, see x -help"},
        {{"faults list"}, 1, "verb \"faults list\" is unknown, see x -help"}, /* one word */
        {{"faults"}, 1, "faults wants one of: list, add"},
        {{"faults", "ad"}, 2, "faults wants one of: list, add"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct errc_why why = {{0}};
        size_t row = 0, used = 0;
        assert_int_equal(dispatch_find(&table, cases[i].words, cases[i].count, &row, &used, &why),
                         ERRC_USAGE);
        assert_string_equal(why.text, cases[i].why);
    }
}

static void test_dispatch_matches__counts_words(void **state)
{
    (void)state;
    const char *const words[] = {"kv", "get", "a"};
    assert_int_equal(dispatch_matches("kv", words, 3), 1);
    assert_int_equal(dispatch_matches("kv get", words, 3), 2);
    assert_int_equal(dispatch_matches("kv get", words, 1), 0);
    assert_int_equal(dispatch_matches("kv put", words, 3), 0);
    assert_int_equal(dispatch_matches("k", words, 3), 0);
    assert_int_equal(dispatch_matches("kv", words, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dispatch__finds_the_longest_name),
        cmocka_unit_test(test_dispatch__says_what_was_meant),
        cmocka_unit_test(test_dispatch_matches__counts_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
