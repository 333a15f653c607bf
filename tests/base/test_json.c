#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"

static void expect_refused(const char *text, const char *sentence)
{
    json_t *value = NULL;
    struct errc_why why = {""};
    assert_int_equal(jsonread_parse(slice_of(text), &value, &why), ERRC_SYNTAX);
    assert_null(value);
    assert_string_equal(why.text, sentence);
}

static void test_jsonread__names_the_place_of_every_mistake(void **state)
{
    (void)state;
    expect_refused("", "line 1 column 0: unexpected token near end of file");
    expect_refused("{\"a\":1,\n \"a\":2}", "line 2 column 4: duplicate object key near '\"a\"'");
    expect_refused("{} x", "line 1 column 4: end of file expected near 'x'");
    expect_refused("{\"a\":\n\n}", "line 3 column 1: unexpected token near '}'");
    expect_refused("\"\\u0000\"", "line 1 column 8: \\u0000 is not allowed without "
                                  "JSON_ALLOW_NUL near '\"\\u0000\"'");
    expect_refused("99999999999999999999", "line 1 column 20: too big integer near "
                                           "'99999999999999999999'");
    expect_refused("\"\xff\"", "line 1 column 1: unable to decode byte 0xff near '\"'");
}

static void test_jsonread__takes_the_deepest_allowed_and_nothing_deeper(void **state)
{
    (void)state;
    char text[2 * LIMIT_JSON_DEPTH + 3] = "";
    for (size_t depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        json_t *value CLEANUP(jsonread_done) = NULL;
        struct errc_why why;
        bool fits = depth == LIMIT_JSON_DEPTH;
        assert_int_equal(jsonread_parse(slice_of(text), &value, &why),
                         fits ? ERRC_OK : ERRC_SYNTAX);
        if (!fits)
            assert_string_equal(why.text, "JSON nested deeper than 64");
    }
    json_t *brackets CLEANUP(jsonread_done) = NULL;
    char quoted[300] = "\"";
    memset(quoted + 1, '[', 250);
    quoted[251] = '"';
    assert_int_equal(jsonread_parse(slice_of(quoted), &brackets, NULL), ERRC_OK);
}

static const char document[] =
    "{\"s\":\"text\",\"i\":7,\"b\":true,\"o\":{},\"a\":[],\"n\":null,\"r\":1.5}";

static void test_jsonread__typed_access_gives_the_value(void **state)
{
    (void)state;
    json_t *value CLEANUP(jsonread_done) = NULL, *part = NULL;
    assert_int_equal(jsonread_parse(slice_of(document), &value, NULL), ERRC_OK);
    const char *s = NULL;
    int64_t i = 0;
    bool b = false;
    assert_int_equal(jsonread_string(value, "s", &s, NULL), ERRC_OK);
    assert_string_equal(s, "text");
    assert_int_equal(jsonread_int(value, "i", 7, 7, &i, NULL), ERRC_OK);
    assert_int_equal(i, 7);
    assert_int_equal(jsonread_bool(value, "b", &b, NULL), ERRC_OK);
    assert_true(b);
    assert_int_equal(jsonread_object(value, "o", &part, NULL), ERRC_OK);
    assert_int_equal(jsonread_array(value, "a", &part, NULL), ERRC_OK);
    assert_true(jsonread_has(value, "b"));
    assert_false(jsonread_has(value, "n"));
    assert_false(jsonread_has(value, "missing"));
    assert_string_equal(jsonread_string_or(value, "s", "x"), "text");
    assert_string_equal(jsonread_string_or(value, "i", "x"), "x");
}

static void test_jsonread__typed_access_says_what_is_wrong(void **state)
{
    (void)state;
    json_t *value CLEANUP(jsonread_done) = NULL, *part = NULL;
    assert_int_equal(jsonread_parse(slice_of(document), &value, NULL), ERRC_OK);
    struct errc_why why;
    const char *s = NULL;
    int64_t i = 0;
    bool b = false;
    assert_int_equal(jsonread_string(value, "i", &s, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"i\" is an integer, want a string");
    assert_int_equal(jsonread_string(value, "x", &s, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"x\" is missing, want a string");
    assert_int_equal(jsonread_int(value, "r", 0, 9, &i, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"r\" is a real number, want an integer");
    assert_int_equal(jsonread_int(value, "i", 8, 9, &i, &why), ERRC_RANGE);
    assert_string_equal(why.text, "field \"i\" is 7, want 8..9");
    assert_int_equal(jsonread_bool(value, "n", &b, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"n\" is null, want true or false");
    assert_int_equal(jsonread_object(value, "a", &part, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"a\" is an array, want an object");
    assert_int_equal(jsonread_array(value, "b", &part, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"b\" is true, want an array");
    assert_null(s);
    assert_null(part);
}

static void test_jsonread_only__lists_what_is_allowed(void **state)
{
    (void)state;
    static const char *const allowed[] = {"a", "b", NULL};
    json_t *value CLEANUP(jsonread_done) = NULL, *array CLEANUP(jsonread_done) = NULL;
    struct errc_why why;
    assert_int_equal(jsonread_parse(SLICE_LITERAL("{\"a\":1,\"c\":2}"), &value, NULL), ERRC_OK);
    assert_int_equal(jsonread_only(value, allowed, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "field \"c\" is unknown, want one of: a, b");
    assert_int_equal(json_object_del(value, "c"), 0);
    assert_int_equal(jsonread_only(value, allowed, &why), ERRC_OK);
    assert_int_equal(jsonread_parse(SLICE_LITERAL("[]"), &array, NULL), ERRC_OK);
    assert_int_equal(jsonread_only(array, allowed, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "got an array, want an object");
}

static void expect_written(const char *value, enum jsonwrite_style style, const char *json)
{
    struct buf out CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&out, 1000);
    jsonwrite_init(&w, &out, style);
    jsonwrite_string(&w, NULL, value);
    assert_string_equal(buf_text(&out), json);
}

static void test_jsonwrite__escapes_as_the_style_says(void **state)
{
    (void)state;
    expect_written("a\"b\\c/d", JSONWRITE_PLAIN, "\"a\\\"b\\\\c/d\"");
    expect_written("\b\f\n\r\t\x01\x1f\x7f", JSONWRITE_PLAIN,
                   "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    expect_written("\b\f\n\r\t\x01", JSONWRITE_GO_HTML, "\"\\u0008\\u000c\\n\\r\\t\\u0001\"");
    expect_written("<&>", JSONWRITE_PLAIN, "\"<&>\"");
    expect_written("<&>", JSONWRITE_GO_HTML, "\"\\u003c\\u0026\\u003e\"");
    expect_written("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", JSONWRITE_GO_HTML,
                   "\"\\u2028\\u2029\xe2\x80\xaa\"");
    expect_written("\xe2\x80\xa8", JSONWRITE_PLAIN, "\"\xe2\x80\xa8\"");
    expect_written("\xe2\x80", JSONWRITE_GO_HTML, "\"\xe2\x80\"");
    expect_written("", JSONWRITE_PLAIN, "\"\"");
    expect_written(NULL, JSONWRITE_PLAIN, "null");
}

static void test_jsonwrite__puts_commas_and_keys_in_place(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&out, 1000);
    jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_array(&w, "a");
    jsonwrite_int(&w, NULL, INT64_MIN);
    jsonwrite_bool(&w, NULL, false);
    jsonwrite_object(&w, NULL);
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    jsonwrite_raw(&w, "raw", SLICE_LITERAL("[1]"));
    jsonwrite_slice(&w, "a\"b", slice_bytes("x\0y", 3));
    jsonwrite_null(&w, "z");
    jsonwrite_end(&w);
    assert_string_equal(buf_text(&out), "{\"a\":[-9223372036854775808,false,{}],\"raw\":[1],"
                                        "\"a\\\"b\":\"x\\u0000y\",\"z\":null}");
}

static void test_jsonwrite_value__sorts_keys_bytewise(void **state)
{
    (void)state;
    json_t *value CLEANUP(jsonread_done) = NULL;
    assert_int_equal(jsonread_parse(SLICE_LITERAL("{\"b\":[1.5,true],\"a\":{\"\xc3\xa9\":1,\"z\":2,"
                                                  "\"B\":null},\"ab\":\"\"}"),
                                    &value, NULL),
                     ERRC_OK);
    struct buf out CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&out, 1000);
    jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
    jsonwrite_value(&w, NULL, value);
    assert_string_equal(buf_text(&out), "{\"a\":{\"B\":null,\"z\":2,\"\xc3\xa9\":1},"
                                        "\"ab\":\"\",\"b\":[1.5,true]}");
}

static void test_jsonwrite__a_full_buf_is_reported_once_at_the_end(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&out, 5);
    jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "key", "value");
    jsonwrite_end(&w);
    assert_int_equal(buf_status(&out, NULL), ERRC_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonread__names_the_place_of_every_mistake),
        cmocka_unit_test(test_jsonread__takes_the_deepest_allowed_and_nothing_deeper),
        cmocka_unit_test(test_jsonread__typed_access_gives_the_value),
        cmocka_unit_test(test_jsonread__typed_access_says_what_is_wrong),
        cmocka_unit_test(test_jsonread_only__lists_what_is_allowed),
        cmocka_unit_test(test_jsonwrite__escapes_as_the_style_says),
        cmocka_unit_test(test_jsonwrite__puts_commas_and_keys_in_place),
        cmocka_unit_test(test_jsonwrite_value__sorts_keys_bytewise),
        cmocka_unit_test(test_jsonwrite__a_full_buf_is_reported_once_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
