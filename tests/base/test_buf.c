#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"

/* Blocks that are given back, and how many of them still hold what must not stay behind. */
static size_t freed_blocks;
static size_t freed_dirty;

void __real_free(void *ptr);
void __wrap_free(void *ptr);

void __wrap_free(void *ptr)
{
    if (ptr != NULL) {
        freed_blocks++;
        freed_dirty += memmem(ptr, malloc_usable_size(ptr), "s3cret", 6) != NULL;
    }
    __real_free(ptr);
}

static void test_buf__leaves_nothing_behind_when_it_grows_or_ends(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10000);
    freed_blocks = freed_dirty = 0;
    for (int i = 0; i < 100; i++)
        buf_add_text(&b, "s3cret ");
    assert_true(freed_blocks >= 2); /* grown from 128 bytes to 1024 */
    size_t grown = freed_blocks;
    buf_reset(&b); /* what is behind the end goes, too */
    buf_add_text(&b, "a s3cret");
    buf_done(&b);
    assert_int_equal(freed_blocks, grown + 1);
    assert_int_equal(freed_dirty, 0);
}

static void test_buf__holds_exactly_its_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max < 300; max++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            buf_add_char(&b, 'x');
        assert_int_equal(buf_status(&b, NULL), ERRC_OK);
        assert_int_equal(b.len, max);
        assert_int_equal(strlen(buf_text(&b)), max);
        buf_add_char(&b, 'y');
        struct errc_why why;
        assert_int_equal(buf_status(&b, &why), ERRC_TOO_BIG);
        assert_int_equal(b.len, max);
        assert_null(strchr(buf_text(&b), 'y'));
    }
}

static void test_buf__a_failed_append_changes_nothing_and_sticks(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 5);
    buf_add_text(&b, "abc");
    buf_addf(&b, "%d", 123);
    assert_string_equal(buf_text(&b), "abc");
    buf_add_char(&b, 'd');
    assert_string_equal(buf_text(&b), "abc");
    assert_null(buf_reserve(&b, 1));
    struct errc_why why;
    assert_int_equal(buf_status(&b, &why), ERRC_TOO_BIG);
    assert_string_equal(why.text, "more than 5 bytes, or out of memory");
    assert_null(buf_take(&b, NULL));
}

static void test_buf__a_huge_length_does_not_wrap(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 100);
    buf_add_text(&b, "a");
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_null(buf_reserve(&b, SIZE_MAX - 1));
    assert_string_equal(buf_text(&b), "a");
}

static void test_buf__reset_keeps_memory_and_forgets_the_failure(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4);
    buf_add_text(&b, "12345");
    assert_true(b.failed);
    buf_add_text(&b, "1");
    buf_reset(&b);
    assert_false(b.failed);
    buf_add_text(&b, "1234");
    const char *before = b.ptr;
    buf_reset(&b);
    assert_string_equal(buf_text(&b), "");
    assert_ptr_equal(b.ptr, before);
}

static void test_buf__take_hands_the_bytes_over(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 100);
    buf_add(&b, "a\0b", 3);
    size_t len = 0;
    char *taken = buf_take(&b, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(taken, "a\0b", 4);
    free(taken);
    assert_int_equal(b.len, 0);
    buf_add_text(&b, "again");
    assert_string_equal(buf_text(&b), "again");
}

static void test_buf__taking_an_empty_buf_gives_an_empty_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    size_t len = 9;
    char *taken = buf_take(&b, &len);
    assert_string_equal(taken, "");
    assert_int_equal(len, 0);
    free(taken);
}

static void test_buf__formats_text_of_any_length(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 5000);
    for (int width = 1; width < 90; width++)
        buf_addf(&b, "%*d", width, width % 10);
    assert_int_equal(b.len, 89 * 90 / 2);
    assert_int_equal(buf_status(&b, NULL), ERRC_OK);
}

static void test_buf__reads_as_empty_before_the_first_byte(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 10);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_slice(&b).len, 0);
    buf_add(&b, NULL, 0);
    assert_int_equal(buf_status(&b, NULL), ERRC_OK);
    buf_done(NULL);
}

static void test_buf__add_int_writes_every_width(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {9, "9"},
        {10, "10"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 64);
        buf_add_int(&b, cases[i].value);
        assert_string_equal(buf_text(&b), cases[i].text);
    }
}

static void test_buf__addf_fits_exactly_or_leaves_nothing(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 200);
    for (int i = 0; i < 40; i++) /* over the first growth, at 128 */
        buf_addf(&b, "%05d", i);
    assert_int_equal(buf_status(&b, NULL), ERRC_OK);
    assert_int_equal(b.len, 200);
    assert_memory_equal(buf_text(&b) + 125, "0002500026", 10);
    buf_addf(&b, "%d", 7);
    assert_int_equal(buf_status(&b, NULL), ERRC_TOO_BIG);
    assert_int_equal(strlen(buf_text(&b)), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf__leaves_nothing_behind_when_it_grows_or_ends),
        cmocka_unit_test(test_buf__add_int_writes_every_width),
        cmocka_unit_test(test_buf__addf_fits_exactly_or_leaves_nothing),
        cmocka_unit_test(test_buf__holds_exactly_its_maximum),
        cmocka_unit_test(test_buf__a_failed_append_changes_nothing_and_sticks),
        cmocka_unit_test(test_buf__a_huge_length_does_not_wrap),
        cmocka_unit_test(test_buf__reset_keeps_memory_and_forgets_the_failure),
        cmocka_unit_test(test_buf__take_hands_the_bytes_over),
        cmocka_unit_test(test_buf__taking_an_empty_buf_gives_an_empty_text),
        cmocka_unit_test(test_buf__formats_text_of_any_length),
        cmocka_unit_test(test_buf__reads_as_empty_before_the_first_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
