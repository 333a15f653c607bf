#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "signer/core/bundle/canonical.h"

static const struct {
    const char *in;
    const char *out;
} cases[] = {
    {"{\"b\": 1, \"a\": [\"x\\u0001\"]}", "{\"a\":[\"x\\u0001\"],\"b\":1}"},
    {"{\"aa\":1,\"a\":2,\"B\":3,\"\":4}", "{\"\":4,\"B\":3,\"a\":2,\"aa\":1}"},
    {"{\"\\u00e9\":1,\"z\":2,\"\\uff5e\":3,\"\\ud83d\\udd12\":4}",
     "{\"z\":2,\"\xc3\xa9\":1,\"\xef\xbd\x9e\":3,\"\xf0\x9f\x94\x92\":4}"},
    {"\"\\b\\f\\n\\r\\t\\u000b\\u001f\\u007f\\\"\\\\\\/\"",
     "\"\\b\\f\\n\\r\\t\\u000b\\u001f\x7f\\\"\\\\/\""},
    {"[true,false,null,0,-1,9223372036854775807]", "[true,false,null,0,-1,9223372036854775807]"},
    {"{ }", "{}"},
    {"[ ]", "[]"},
    {"\"<&>\\u2028\"", "\"<&>\xe2\x80\xa8\""},
};

static void test_canonical__writes_one_text_for_a_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *value CLEANUP(jsonread_done) = NULL;
        struct buf out CLEANUP(buf_done);
        buf_init(&out, 1000);
        assert_int_equal(jsonread_parse(slice_of(cases[i].in), &value, NULL), ERRC_OK);
        assert_int_equal(canonical_format(value, &out, NULL), ERRC_OK);
        assert_string_equal(buf_text(&out), cases[i].out);
    }
}

static void test_canonical__refuses_fractions_and_names_the_place(void **state)
{
    (void)state;
    json_t *value CLEANUP(jsonread_done) = NULL;
    struct errc_why why = {0};
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1000);
    assert_int_equal(jsonread_parse(SLICE_LITERAL("{\"a\":[1,{\"b\":1.0}]}"), &value, NULL),
                     ERRC_OK);
    assert_int_equal(canonical_format(value, &out, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "\"a\": [1]: \"b\": a number with a fraction or exponent cannot "
                                  "be signed: write it as a string");
}

static void test_canonical__stops_at_the_limit_of_its_buffer(void **state)
{
    (void)state;
    json_t *value CLEANUP(jsonread_done) = json_string("0123456789");
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 11);
    assert_int_equal(canonical_format(value, &out, NULL), ERRC_TOO_BIG);
}

static void test_canonical__pae_counts_bytes(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1000);
    /* The example of the DSSE protocol's text. */
    canonical_pae(SLICE_LITERAL("http://example.com/HelloWorld"), SLICE_LITERAL("hello world"),
                  &out);
    assert_string_equal(buf_text(&out), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    buf_reset(&out);
    canonical_pae(SLICE_LITERAL(""), SLICE_LITERAL("\xc3\xa9"), &out);
    assert_string_equal(buf_text(&out), "DSSEv1 0  2 \xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical__writes_one_text_for_a_value),
        cmocka_unit_test(test_canonical__refuses_fractions_and_names_the_place),
        cmocka_unit_test(test_canonical__stops_at_the_limit_of_its_buffer),
        cmocka_unit_test(test_canonical__pae_counts_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
