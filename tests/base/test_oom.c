#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "tests/support/oom.h"

static enum errc read_tree(void *context)
{
    json_t *tree CLEANUP(jsonread_done) = NULL;
    struct errc_why why;
    return jsonread_parse(slice_of(context), &tree, &why);
}

static enum errc write_tree(void *context)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1 << 20);
    struct jsonwrite w;
    jsonwrite_init(&w, &out, JSONWRITE_GO_HTML);
    jsonwrite_value(&w, NULL, context);
    return buf_status(&out, NULL);
}

static void test_oom__reading_json_survives_every_failed_allocation(void **state)
{
    (void)state;
    char text[] = "{\"a\":[1,2,{\"b\":\"text\",\"c\":null}],\"d\":true,\"e\":1.5}";
    assert_true(oom_each(read_tree, text) > 10);
}

/* jansson loses a character when its buffer cannot grow, and says nothing. */
static enum errc read_long_string(void *context)
{
    (void)context;
    static const char text[] = "[\"0f6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b10-and-more-of-it\"]";
    json_t *tree CLEANUP(jsonread_done) = NULL;
    TRY(jsonread_parse(slice_of(text), &tree, NULL));
    assert_int_equal(json_string_length(json_array_get(tree, 0)), sizeof text - 5);
    return ERRC_OK;
}

static void test_oom__no_character_of_a_string_is_lost(void **state)
{
    (void)state;
    assert_true(oom_each(read_long_string, NULL) > 3);
}

static void test_oom__writing_json_survives_every_failed_allocation(void **state)
{
    (void)state;
    json_t *tree CLEANUP(jsonread_done) = NULL;
    assert_int_equal(
        jsonread_parse(SLICE_LITERAL("{\"b\":[1,{\"y\":1,\"x\":2}],\"a\":\"<&>\"}"), &tree, NULL),
        ERRC_OK);
    assert_true(oom_each(write_tree, tree) > 1);
}

static void test_oom__only_the_armed_allocation_fails(void **state)
{
    (void)state;
    oom_arm(2);
    char *a = slice_dup(SLICE_LITERAL("a")), *b = slice_dup(SLICE_LITERAL("b")),
         *c = slice_dup(SLICE_LITERAL("c"));
    assert_true(oom_disarm());
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    free(a);
    free(c);
    oom_arm(1);
    assert_false(oom_disarm());
}

static void test_oom__memory_left_behind_is_counted(void **state)
{
    (void)state;
    size_t before = oom_outstanding();
    char *kept = slice_dup(SLICE_LITERAL("kept"));
    assert_int_equal(oom_outstanding(), before + 1);
    free(kept);
    assert_int_equal(oom_outstanding(), before);
}

static void test_oom__a_buf_stays_usable_after_a_failed_allocation(void **state)
{
    (void)state;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1000);
    buf_add_text(&b, "kept");
    oom_arm(1);
    char many[500] = {0};
    buf_add(&b, many, sizeof many);
    assert_true(oom_disarm());
    assert_int_equal(buf_status(&b, NULL), ERRC_TOO_BIG);
    assert_string_equal(buf_text(&b), "kept");
    buf_add_text(&b, "ignored");
    assert_string_equal(buf_text(&b), "kept");
    buf_reset(&b);
    buf_add_text(&b, "new");
    assert_string_equal(buf_text(&b), "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oom__reading_json_survives_every_failed_allocation),
        cmocka_unit_test(test_oom__no_character_of_a_string_is_lost),
        cmocka_unit_test(test_oom__writing_json_survives_every_failed_allocation),
        cmocka_unit_test(test_oom__only_the_armed_allocation_fails),
        cmocka_unit_test(test_oom__memory_left_behind_is_counted),
        cmocka_unit_test(test_oom__a_buf_stays_usable_after_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
