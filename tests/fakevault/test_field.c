/* Parameters as Vault's framework reads them; sentences as a real Vault 1.14.9 says them. */
#include "base/count.h"
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/http/field.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"

static const struct field_spec specs[] = {
    {.name = "text", .type = FIELD_STRING, .text = "none"},
    {.name = "lower", .type = FIELD_LOWER},
    {.name = "number", .type = FIELD_INT, .number = 7},
    {.name = "flag", .type = FIELD_BOOL},
    {.name = "period", .type = FIELD_SECONDS, .number = 5},
    {.name = "signed", .type = FIELD_SIGNED_SECONDS},
    {.name = "map", .type = FIELD_MAP},
    {.name = "pairs", .type = FIELD_PAIRS},
    {.name = "any", .type = FIELD_LIST},
    {.name = "slice", .type = FIELD_SLICE},
    {.name = "strings", .type = FIELD_STRINGS},
    {.name = "list", .type = FIELD_INTS},
    {0},
};

static enum errc read_fields(const char *json, struct field_set *set, json_t **data,
                             struct errc_why *why)
{
    assert_int_equal(gojson_parse(slice_of(json), data, NULL), ERRC_OK);
    return field_read(set, specs, *data, why);
}

static void test_field__coerces_weakly(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *text;
        int64_t number;
        bool flag;
        int64_t period;
    } rows[] = {
        {"{}", "none", 7, false, 5},
        {"{\"text\":12,\"number\":\"0x10\",\"flag\":\"T\",\"period\":\"1h30m\"}", "12", 16, true,
         5400},
        {"{\"text\":true,\"number\":true,\"flag\":1,\"period\":30}", "1", 1, true, 30},
        {"{\"text\":null,\"number\":null,\"flag\":null,\"period\":\"2d\"}", "", 0, false, 172800},
        {"{\"text\":\"\",\"number\":\"\",\"flag\":\"\",\"period\":\"\"}", "", 0, false, 0},
        {"{\"number\":\"-3\",\"period\":\"1.5m\"}", "none", -3, false, 90},
        {"{\"text\":1.50,\"number\":\"1_000\",\"period\":null}", "1.50", 1000, false, 5},
        {"{\"number\":\"017\",\"period\":\"1.5s500ms\"}", "none", 15, false, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct field_set set CLEANUP(field_done) = {0};
        json_t *data CLEANUP(jsonread_done) = NULL;
        assert_int_equal(read_fields(rows[i].json, &set, &data, NULL), ERRC_OK);
        assert_true(slice_equal_text(field_text(&set, "text"), rows[i].text));
        assert_int_equal(field_number(&set, "number"), rows[i].number);
        assert_int_equal(field_flag(&set, "flag"), rows[i].flag);
        assert_int_equal(field_number(&set, "period"), rows[i].period);
    }
}

/* The tree of a field, as JSON. */
static void expect_tree(const char *json, const char *field, const char *want)
{
    struct field_set set CLEANUP(field_done) = {0};
    json_t *data CLEANUP(jsonread_done) = NULL;
    struct errc_why why = {{0}};
    struct buf shown CLEANUP(buf_done);
    struct jsonwrite w;
    if (read_fields(json, &set, &data, &why) != ERRC_OK)
        fail_msg("%s: %s", json, why.text);
    buf_init(&shown, 1000);
    jsonwrite_init(&w, &shown, JSONWRITE_PLAIN);
    if (field_tree(&set, field) == NULL)
        buf_add_text(&shown, "none");
    else
        jsonwrite_value(&w, NULL, field_tree(&set, field));
    assert_string_equal(buf_text(&shown), want);
}

static void test_field__gives_lists_and_maps_their_shape(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *field;
        const char *want;
    } rows[] = {
        {"{}", "slice", "none"},
        {"{\"slice\":\"a,b\"}", "slice", "[\"a,b\"]"},
        {"{\"slice\":[\" a \",1,true,null]}", "slice", "[\"a\",\"1\",\"1\",\"\"]"},
        {"{\"slice\":\"\"}", "slice", "[]"},
        {"{\"slice\":{}}", "slice", "[]"},
        {"{\"strings\":\"a, b,,c\"}", "strings", "[\"a\",\"b\",\"\",\"c\"]"},
        {"{\"strings\":\"a,\"}", "strings", "[\"a\",\"\"]"},
        {"{\"strings\":[\"a,b\"]}", "strings", "[\"a,b\"]"},
        {"{\"strings\":7}", "strings", "[\"7\"]"},
        {"{\"strings\":\"\"}", "strings", "[]"},
        {"{\"list\":[1,\"2\"]}", "list", "[1,2]"},
        {"{\"list\":\"1,2\"}", "list", "[1,2]"},
        {"{\"list\":3}", "list", "[3]"},
        {"{\"list\":\"\"}", "list", "[]"},
        {"{\"any\":5}", "any", "[5]"},
        {"{\"any\":[{\"a\":1.0}]}", "any", "[{\"a\":1.0}]"},
        {"{\"map\":{\"a\":1e3}}", "map", "{\"a\":1e3}"},
        {"{\"map\":[{\"a\":1},null,{\"b\":2}]}", "map", "{\"a\":1,\"b\":2}"},
        {"{\"map\":[]}", "map", "{}"},
        {"{\"map\":null}", "map", "none"},
        {"{\"pairs\":{\"a\":1,\"b\":true,\"c\":null}}", "pairs",
         "{\"a\":\"1\",\"b\":\"1\",\"c\":\"\"}"},
        {"{\"pairs\":\"a=b=c\"}", "pairs", "{\"a\":\"b=c\"}"},
        {"{\"pairs\":[\"a=\",\"b=2\"]}", "pairs", "{\"a\":\"\",\"b\":\"2\"}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_tree(rows[i].json, rows[i].field, rows[i].want);
}

static void test_field__reads_lower_case_and_signed_periods(void **state)
{
    (void)state;
    struct field_set set CLEANUP(field_done) = {0};
    json_t *data CLEANUP(jsonread_done) = NULL;
    assert_int_equal(
        read_fields("{\"lower\":\"A-B\",\"signed\":\"-1h\",\"list\":[1,2]}", &set, &data, NULL),
        ERRC_OK);
    assert_true(slice_equal_text(field_text(&set, "lower"), "a-b"));
    assert_int_equal(field_number(&set, "signed"), -3600);
    assert_int_equal(field_get(&set, "list")->list_len, 2);
    assert_int_equal(field_get(&set, "list")->list[1], 2);
    assert_true(field_get(&set, "signed")->present);
    assert_false(field_get(&set, "period")->present);
}

static const struct {
    const char *field;
    const char *value;
    const char *shown;
    const char *error;
} complaints[] = {
    {"flag", "\"maybe\"", "maybe",
     "cannot parse '' as bool: strconv.ParseBool: parsing \"maybe\": invalid syntax"},
    {"flag", "5", "5", "cannot parse '' as bool: strconv.ParseBool: parsing \"5\": invalid syntax"},
    {"flag", "{\"b\":[1,null,true,1.0]}", "map[b:[1 <nil> true 1.0]]",
     "'' expected type 'bool', got unconvertible type 'map[string]interface {}', value: "
     "'map[b:[1 <nil> true 1.0]]'"},
    {"number", "\"abc\"", "abc",
     "cannot parse '' as int: strconv.ParseInt: parsing \"abc\": invalid syntax"},
    {"number", "1.5", "1.5",
     "cannot parse '' as int: strconv.ParseInt: parsing \"1.5\": invalid syntax"},
    {"number", "99999999999999999999", "99999999999999999999",
     "cannot parse '' as int: strconv.ParseInt: parsing \"99999999999999999999\": value out of "
     "range"},
    {"number", "\"1__0\"", "1__0",
     "cannot parse '' as int: strconv.ParseInt: parsing \"1__0\": invalid syntax"},
    {"text", "{\"a\":1}", "map[a:1]",
     "'' expected type 'string', got unconvertible type 'map[string]interface {}', value: "
     "'map[a:1]'"},
    {"map", "\"x\"", "x", "'' expected a map, got 'string'"},
    {"map", "5", "5", "'' expected a map, got 'string'"},
    {"map", "true", "true", "'' expected a map, got 'bool'"},
    {"map", "[\"a\"]", "[a]", "'[0]' expected a map, got 'string'"},
    {"period", "\"abc\"", "abc", "time: invalid duration \"abc\""},
    {"period", "\"5y\"", "5y", "time: unknown unit \"y\" in duration \"5y\""},
    {"period", "1.5", "1.5", "time: missing unit in duration \"1.5\""},
    {"period", "\"1h3\"", "1h3", "time: missing unit in duration \"1h3\""},
    {"period", "\"xd\"", "xd", "strconv.ParseInt: parsing \"x\": invalid syntax"},
    {"period", "-5", "-5", "cannot provide negative value '-5'"},
    {"period", "[]", "[]", "could not parse duration from input"},
    {"slice", "[[]]", "[[]]",
     "1 error(s) decoding:\n\n* '[0]' expected type 'string', got unconvertible type "
     "'[]interface {}', value: '[]'"},
    {"list", "[\"x\",\"a\"]", "[x a]",
     "2 error(s) decoding:\n\n* cannot parse '[0]' as int: strconv.ParseInt: parsing \"x\": "
     "invalid syntax\n* cannot parse '[1]' as int: strconv.ParseInt: parsing \"a\": invalid "
     "syntax"},
    {"list", "[\"1,2\"]", "[1,2]",
     "1 error(s) decoding:\n\n* cannot parse '[0]' as int: strconv.ParseInt: parsing \"1,2\": "
     "invalid syntax"},
    {"list", "{\"a\":1}", "map[a:1]",
     "1 error(s) decoding:\n\n* '[0]' expected type 'int', got unconvertible type "
     "'map[string]interface {}', value: 'map[a:1]'"},
    {"pairs", "\"ab\"", "ab", "invalid key pair \"ab\""},
    {"pairs", "[\"=b\"]", "[=b]", "invalid key pair \"=b\""},
    {"pairs", "{\"a\":[]}", "map[a:[]]",
     "1 error(s) decoding:\n\n* '[0]' expected type 'string', got unconvertible type "
     "'map[string]interface {}', value: 'map[a:[]]'"},
};

static void test_field__complains_as_the_framework_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(complaints); i++) {
        struct field_set set CLEANUP(field_done) = {0};
        json_t *data CLEANUP(jsonread_done) = NULL;
        struct errc_why why = {{0}};
        char json[200], want[ERRC_WHY_MAX];
        (void)snprintf(json, sizeof json, "{\"%s\":%s}", complaints[i].field, complaints[i].value);
        (void)snprintf(want, sizeof want, "error converting input %s for field \"%s\": %s",
                       complaints[i].shown, complaints[i].field, complaints[i].error);
        assert_int_equal(read_fields(json, &set, &data, &why), ERRC_SCHEMA);
        assert_string_equal(why.text, want);
    }
}

static void test_field__cuts_a_huge_value_in_its_complaint(void **state)
{
    (void)state;
    struct buf json CLEANUP(buf_done);
    buf_init(&json, 100000);
    buf_add_text(&json, "{\"number\":\"");
    for (int i = 0; i < 5000; i++)
        buf_add_text(&json, "abcdefgh");
    buf_add_text(&json, "\"}");
    struct field_set set CLEANUP(field_done) = {0};
    json_t *data CLEANUP(jsonread_done) = NULL;
    struct errc_why why = {{0}};
    assert_int_equal(read_fields(buf_text(&json), &set, &data, &why), ERRC_SCHEMA);
    assert_true(strlen(why.text) < ERRC_WHY_MAX);
}

static void test_gotext__durations_end_where_go_ends_them(void **state)
{
    (void)state;
    int64_t ns;
    struct errc_why why = {{0}};
    assert_int_equal(gotext_duration(SLICE_LITERAL("2562047h47m16.854775807s"), &ns, NULL),
                     ERRC_OK);
    assert_true(ns == INT64_MAX);
    assert_int_equal(gotext_duration(SLICE_LITERAL("2562047h47m16.854775808s"), &ns, &why),
                     ERRC_SYNTAX);
    assert_string_equal(why.text, "time: invalid duration \"2562047h47m16.854775808s\"");
    assert_int_equal(gotext_duration(SLICE_LITERAL("-2562047h47m16.854775808s"), &ns, NULL),
                     ERRC_OK);
    assert_true(ns == INT64_MIN);
    assert_int_equal(gotext_duration(SLICE_LITERAL("1\xc2\xb5s"), &ns, NULL), ERRC_OK);
    assert_int_equal(ns, 1000);
    assert_int_equal(gotext_duration(SLICE_LITERAL("."), &ns, &why), ERRC_SYNTAX);
    assert_int_equal(gotext_duration(SLICE_LITERAL("1\xc3\xa9"), &ns, &why), ERRC_SYNTAX);
    assert_string_equal(why.text, "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field__coerces_weakly),
        cmocka_unit_test(test_field__gives_lists_and_maps_their_shape),
        cmocka_unit_test(test_field__reads_lower_case_and_signed_periods),
        cmocka_unit_test(test_field__complains_as_the_framework_does),
        cmocka_unit_test(test_field__cuts_a_huge_value_in_its_complaint),
        cmocka_unit_test(test_gotext__durations_end_where_go_ends_them),
    };
    return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
