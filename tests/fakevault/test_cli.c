/* The vault command's own reading and laying out; what it prints is compared with Vault's by
 * integration/conformance/cli.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "fakevault/shell/cli/cli_flags.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/cli_text.h"
#include "fakevault/shell/cli/cli_yaml.h"

/* ---- flags ---- */

static const struct cli_flag table[] = {
    {"force", CLI_FLAG_SWITCH, NULL, "", "f"},
    {"path", CLI_FLAG_TEXT, NULL, "", NULL},
    {"shares", CLI_FLAG_INT, "5", "", "n"},
    {"ttl", CLI_FLAG_SECONDS, NULL, "", NULL},
    {"policy", CLI_FLAG_LIST, NULL, "", NULL},
    {"meta", CLI_FLAG_MAP, NULL, "", NULL},
    {0},
};

struct run {
    struct cli_pool pool;
    struct cli_flags flags;
    struct errc_why why;
    enum errc code;
    int used;
};

static void parse(struct run *run, int count, const char *const words[])
{
    char *args[16];
    *run = (struct run){.flags = {.tables = {table}}, .why = {""}};
    for (int i = 0; i < count; i++)
        args[i] = cli_pool_copy(&run->pool, slice_of(words[i]));
    run->code = cli_flags_parse(&run->flags, &run->pool, count, args, &run->used, &run->why);
}

#define PARSE(run, ...)                                                                            \
    parse(run, (int)COUNT(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

static void test_cli_flags__are_read_as_go_reads_them(void **state)
{
    (void)state;
    struct run run;
    PARSE(&run, "-f", "--path=a=b", "-n", "7", "-ttl=1h30m", "-policy=a", "-policy", "b",
          "-meta=k=v", "word", "-path=late");
    assert_int_equal(run.code, ERRC_OK);
    assert_int_equal(run.used, 9);
    assert_int_equal(cli_flags_get(&run.flags, "force")->number, 1);
    assert_string_equal(cli_flags_get(&run.flags, "path")->text, "a=b");
    assert_int_equal(cli_flags_get(&run.flags, "shares")->number, 7);
    assert_int_equal(cli_flags_get(&run.flags, "ttl")->number, 5400);
    assert_int_equal(json_array_size(cli_flags_get(&run.flags, "policy")->many), 2);
    assert_non_null(json_object_get(cli_flags_get(&run.flags, "meta")->many, "k"));
    cli_pool_done(&run.pool);
}

static void test_cli_flags__have_their_defaults_and_end_at_two_dashes(void **state)
{
    (void)state;
    struct run run;
    PARSE(&run, "-force=false", "--", "-path=a");
    assert_int_equal(run.code, ERRC_OK);
    assert_int_equal(run.used, 2);
    assert_int_equal(cli_flags_get(&run.flags, "force")->number, 0);
    assert_int_equal(cli_flags_get(&run.flags, "shares")->number, 5);
    assert_false(cli_flags_get(&run.flags, "shares")->set);
    assert_string_equal(cli_flags_get(&run.flags, "path")->text, "");
    assert_false(cli_flags_find(&run.flags, "nosuch")->set);
    cli_pool_done(&run.pool);
}

static void test_cli_flags__complain_as_go_does(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"-nosuch", "flag provided but not defined: -nosuch"},
        {"-path", "flag needs an argument: -path"},
        {"---path", "bad flag syntax: ---path"},
        {"-=x", "bad flag syntax: -=x"},
        {"-force=x", "invalid boolean value \"x\" for -force: strconv.ParseBool: parsing \"x\": "
                     "invalid syntax"},
        {"-n=x",
         "invalid value \"x\" for flag -n: strconv.ParseInt: parsing \"x\": invalid syntax"},
        {"-meta=x", "invalid value \"x\" for flag -meta: missing = in KV pair: \"x\""},
        {"-ttl=x", "invalid value \"x\" for flag -ttl: time: invalid duration \"x\""},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct run run;
        PARSE(&run, bad[i][0]);
        assert_int_equal(run.code, ERRC_USAGE);
        assert_string_equal(run.why.text, bad[i][1]);
        cli_pool_done(&run.pool);
    }
    struct run run;
    PARSE(&run, "-help");
    assert_int_equal(run.code, ERRC_NOT_FOUND);
    cli_pool_done(&run.pool);
}

/* ---- texts ---- */

static void test_cli_text__tables_have_columns_four_blanks_apart(void **state)
{
    (void)state;
    struct cli_text_table rows;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    cli_text_table_init(&rows, 2);
    static const char *const cells[] = {"Key", "Value", "longer", " trimmed ", "x", ""};
    for (size_t i = 0; i < 6; i++)
        cli_text_cell(&rows, cells[i]);
    cli_text_table_format(&rows, true, &out);
    assert_string_equal(buf_text(&out), "Key       Value\n---       -----\n"
                                        "longer    trimmed\nx         n/a");
    cli_text_table_done(&rows);
}

static void test_cli_text__durations_have_no_zero_parts(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *vault, *go;
    } cases[] = {{0, "0s", "0s"},
                 {59, "59s", "59s"},
                 {60, "1m", "1m0s"},
                 {3600, "1h", "1h0m0s"},
                 {3605, "1h0m5s", "1h0m5s"},
                 {5400, "1h30m", "1h30m0s"},
                 {2764800, "768h", "768h0m0s"},
                 {-90, "-1m30s", "-1m30s"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out CLEANUP(buf_done);
        struct buf go CLEANUP(buf_done);
        buf_init(&out, 64);
        buf_init(&go, 64);
        cli_text_duration(cases[i].seconds, &out);
        cli_text_go_duration(cases[i].seconds, &go);
        assert_string_equal(buf_text(&out), cases[i].vault);
        assert_string_equal(buf_text(&go), cases[i].go);
    }
}

static void test_cli_text__lines_are_broken_evenly_and_not_late(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    cli_text_wrap(
        "Success! You are now authenticated. The token information displayed below is "
        "already stored in the token helper. You do NOT need to run \"vault login\" again. "
        "Future Vault requests will automatically use this token.\n",
        0, &out);
    assert_string_equal(
        buf_text(&out),
        "Success! You are now authenticated. The token information displayed below\n"
        "is already stored in the token helper. You do NOT need to run \"vault login\"\n"
        "again. Future Vault requests will automatically use this token.\n");
}

static void test_cli_text__titles_are_as_wide_as_what_is_under_them(void **state)
{
    (void)state;
    static const struct {
        size_t width;
        const char *want;
    } cases[] = {{22, "====== Metadata ======"},
                 {21, "====== Metadata ======"},
                 {5, "== Metadata =="},
                 {10, "== Metadata =="},
                 {12, "= Metadata ="}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out CLEANUP(buf_done);
        buf_init(&out, 256);
        cli_text_title("Metadata", cases[i].width, &out);
        assert_string_equal(buf_text(&out), cases[i].want);
    }
}

/* ---- trees ---- */

static json_t *tree(const char *text)
{
    json_t *made = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(made);
    return made;
}

static void test_cli_text__json_is_indented_as_go_does(void **state)
{
    (void)state;
    json_t *value = tree("{\"b\":[1,{}],\"a\":\"<\\\"x\\\">\",\"c\":[],\"d\":1.5,\"e\":null}");
    struct buf plain CLEANUP(buf_done);
    struct buf out CLEANUP(buf_done);
    buf_init(&plain, 4096);
    buf_init(&out, 4096);
    cli_text_json(value, &plain);
    cli_text_indent(buf_slice(&plain), &out);
    assert_string_equal(buf_text(&out),
                        "{\n  \"b\": [\n    1,\n    {}\n  ],\n"
                        "  \"a\": \"\\u003c\\\"x\\\"\\u003e\",\n  \"c\": [],\n  \"d\": 1.5,\n"
                        "  \"e\": null\n}");
    json_decref(value);
}

static void test_cli_yaml__quotes_what_would_be_read_as_something_else(void **state)
{
    (void)state;
    json_t *value =
        tree("{\"a\":\"true\",\"b\":\"text\",\"c\":\"12\",\"d\":[\"x\",null,2],\"e\":{},"
             "\"f\":\"2026-01-02T03:04:05Z\",\"g\":\"a\\nb\\n\",\"h\":\": x\"}");
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    cli_yaml_format(value, &out);
    assert_string_equal(buf_text(&out), "a: \"true\"\nb: text\nc: \"12\"\nd:\n- x\n- null\n- 2\n"
                                        "e: {}\nf: \"2026-01-02T03:04:05Z\"\ng: |\n  a\n  b\n"
                                        "h: ': x'");
    json_decref(value);
}

static void test_cli_shape__gives_fields_their_order_and_zero_values(void **state)
{
    (void)state;
    static const struct cli_shape inner[] = {{"n", CLI_SHAPE_NUMBER, false, NULL}, {0}};
    static const struct cli_shape fields[] = {
        {"z", CLI_SHAPE_TEXT, false, NULL},  {"s", CLI_SHAPE_STRUCT, false, inner},
        {"b", CLI_SHAPE_BOOL, false, NULL},  {"o", CLI_SHAPE_TEXT, true, NULL},
        {"any", CLI_SHAPE_ANY, false, NULL}, {0}};
    struct cli_pool pool = {NULL};
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    json_t *value = tree("{\"any\":{\"y\":1,\"x\":2},\"unknown\":1}");
    cli_text_json(cli_shape_apply(&pool, fields, value), &out);
    assert_string_equal(buf_text(&out),
                        "{\"z\":\"\",\"s\":{\"n\":0},\"b\":false,\"any\":{\"x\":2,\"y\":1}}");
    json_decref(value);
    cli_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_flags__are_read_as_go_reads_them),
        cmocka_unit_test(test_cli_flags__have_their_defaults_and_end_at_two_dashes),
        cmocka_unit_test(test_cli_flags__complain_as_go_does),
        cmocka_unit_test(test_cli_text__tables_have_columns_four_blanks_apart),
        cmocka_unit_test(test_cli_text__durations_have_no_zero_parts),
        cmocka_unit_test(test_cli_text__lines_are_broken_evenly_and_not_late),
        cmocka_unit_test(test_cli_text__titles_are_as_wide_as_what_is_under_them),
        cmocka_unit_test(test_cli_text__json_is_indented_as_go_does),
        cmocka_unit_test(test_cli_yaml__quotes_what_would_be_read_as_something_else),
        cmocka_unit_test(test_cli_shape__gives_fields_their_order_and_zero_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
