#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/os/file.h"
#include "chaos/core/judge/verdict.h"

static enum verdict worst_of(uint32_t flags)
{
    struct verdict_list list = {.flags = flags};
    return verdict_worst(&list);
}

static void test_verdict__the_worst_flag_wins(void **state)
{
    (void)state;
#define BIT(v) (1u << (v))
    assert_int_equal(worst_of(0), VERDICT_PASS);
    assert_int_equal(worst_of(BIT(VERDICT_NOT_EXERCISED)), VERDICT_NOT_EXERCISED);
    assert_int_equal(worst_of(BIT(VERDICT_NOT_EXERCISED) | BIT(VERDICT_UNKNOWN)), VERDICT_UNKNOWN);
    assert_int_equal(worst_of(BIT(VERDICT_UNKNOWN) | BIT(VERDICT_DIRTY)), VERDICT_DIRTY);
    assert_int_equal(worst_of(BIT(VERDICT_DIRTY) | BIT(VERDICT_FAIL)), VERDICT_FAIL);
    assert_int_equal(worst_of(BIT(VERDICT_FAIL) | BIT(VERDICT_INTERRUPTED)), VERDICT_INTERRUPTED);
    assert_int_equal(worst_of(BIT(VERDICT_INTERRUPTED) | BIT(VERDICT_INTERNAL)), VERDICT_INTERNAL);
    assert_int_equal(worst_of(UINT32_MAX >> (32 - VERDICT_COUNT)), VERDICT_INTERNAL);
#undef BIT
}

static void test_verdict__each_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        int code;
    } rows[] = {
        {VERDICT_PASS, 0},        {VERDICT_FAIL, 1},     {VERDICT_UNKNOWN, 2},
        {VERDICT_NOT_STARTED, 3}, {VERDICT_DIRTY, 4},    {VERDICT_NOT_EXERCISED, 5},
        {VERDICT_INTERNAL, 70},   {VERDICT_SKIPPED, 77}, {VERDICT_INTERRUPTED, 130},
    };
    assert_int_equal(COUNT(rows), VERDICT_COUNT);
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        assert_int_equal(verdict_exit_code(rows[i].verdict), rows[i].code);
}

/* design 5.3: over several files the first of 70, 130, 1, 4, 2, 3, 5, 0 that occurred */
static void test_verdict__several_files_give_the_first_of_the_order(void **state)
{
    (void)state;
    static const enum verdict order[] = {
        VERDICT_INTERNAL, VERDICT_INTERRUPTED, VERDICT_FAIL,          VERDICT_DIRTY,
        VERDICT_UNKNOWN,  VERDICT_NOT_STARTED, VERDICT_NOT_EXERCISED, VERDICT_PASS};
    static const int codes[] = {70, 130, 1, 4, 2, 3, 5, 0};
    for (size_t a = 0; a < 8; a++)
        for (size_t b = 0; b < 8; b++) {
            enum verdict both[] = {order[a], VERDICT_SKIPPED, order[b]};
            assert_int_equal(verdict_exit_of_all(both, 3), codes[a < b ? a : b]);
        }
    enum verdict skipped[] = {VERDICT_SKIPPED, VERDICT_SKIPPED};
    assert_int_equal(verdict_exit_of_all(skipped, 2), 77);
    assert_int_equal(verdict_exit_of_all(NULL, 0), 77);
}

static void test_verdict__findings_keep_every_flag_and_their_texts(void **state)
{
    (void)state;
    struct verdict_list list CLEANUP(verdict_done) = {0};
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, 1u << 20);
    for (int i = 0; i < 40; i++)
        verdict_add(&list, &pool, i % 2 == 0 ? VERDICT_FAIL : VERDICT_UNKNOWN, "rule", (size_t)i,
                    "number %d", i);
    assert_int_equal(list.count, 40);
    assert_string_equal(list.items[39].text, "number 39");
    assert_int_equal(list.items[39].step, 39);
    assert_int_equal(list.flags, 1u << VERDICT_FAIL | 1u << VERDICT_UNKNOWN);
    assert_int_equal(verdict_worst(&list), VERDICT_FAIL);
}

static void test_verdict__a_finding_that_is_lost_is_never_a_pass(void **state)
{
    (void)state;
    struct verdict_list list CLEANUP(verdict_done) = {0};
    struct pool tiny CLEANUP(pool_done);
    pool_init(&tiny, 8);
    verdict_add(&list, &tiny, VERDICT_NOT_EXERCISED, "fault", 1, "a text longer than the pool");
    assert_int_equal(list.count, 0);
    assert_int_equal(verdict_worst(&list), VERDICT_INTERNAL);
}

static void test_verdict__the_page_is_what_the_table_says(void **state)
{
    (void)state;
    struct buf made CLEANUP(buf_done), page CLEANUP(buf_done);
    buf_init(&made, 64u << 10);
    buf_init(&page, 64u << 10);
    verdict_format_exit_codes(&made);
    assert_int_equal(file_read(FIXTURES "/../docs/exit-codes.md", &page, NULL), ERRC_OK);
    if (!slice_equal(buf_slice(&made), buf_slice(&page)))
        fail_msg("docs/exit-codes.md is out of date: chaos_pages exit-codes > docs/exit-codes.md");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict__the_worst_flag_wins),
        cmocka_unit_test(test_verdict__each_has_its_exit_code),
        cmocka_unit_test(test_verdict__several_files_give_the_first_of_the_order),
        cmocka_unit_test(test_verdict__findings_keep_every_flag_and_their_texts),
        cmocka_unit_test(test_verdict__a_finding_that_is_lost_is_never_a_pass),
        cmocka_unit_test(test_verdict__the_page_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
