/* What a request is read with: Go's JSON, routes, packed records. */
#include "base/count.h"
#include "tests/fakevault/cmocka_first.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/route.h"
#include "fakevault/core/store/pack.h"
#include "fakevault/core/store/textorder.h"

/* --- gojson ----------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *printed; /* by %v */
} good[] = {
    {"{}", "map[]"},
    {" {\"b\":1,\"a\":[true,null,\"x\"]} trailing", "map[a:[true <nil> x] b:1]"},
    {"{\"a\":1,\"a\":2}", "map[a:2]"},
    {"\"\\u00e9\\n\\/\\ud83d\\ude00\"", "\xc3\xa9\n/\xf0\x9f\x98\x80"},
    {"\"\\ud800x\"", "\xef\xbf\xbdx"},
    {"\"\xff\xc3\"", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"[-0.5e1,1.50,-0,18446744073709551616]", "[-0.5e1 1.50 -0 18446744073709551616]"},
    {"9223372036854775807", "9223372036854775807"},
    {"[[],{}]", "[[] map[]]"},
};

static const struct {
    const char *text;
    const char *error;
} bad[] = {
    {"", "EOF"},
    {" \n", "EOF"},
    {"{\"a\":", "unexpected EOF"},
    {"{\"a\":1", "unexpected EOF"},
    {"\"abc", "unexpected EOF"},
    {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
    {"{a:1}", "invalid character 'a' looking for beginning of object key string"},
    {"not json", "invalid character 'o' in literal null (expecting 'u')"},
    {"{\"a\" 1}", "invalid character '1' after object key"},
    {"{\"a\":1]", "invalid character ']' after object key:value pair"},
    {"[1 2]", "invalid character '2' after array element"},
    {"\"\\x\"", "invalid character 'x' in string escape code"},
    {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
    {"\"a\nb\"", "invalid character '\\n' in string literal"},
    {"01", ""},
    {"-x", "invalid character 'x' in numeric literal"},
    {"1.x", "invalid character 'x' after decimal point in numeric literal"},
    {"1ex", "invalid character 'x' in exponent of numeric literal"},
    {"'a'", "invalid character '\\'' looking for beginning of value"},
};

static void test_gojson__reads_what_go_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        json_t *value CLEANUP(jsonread_done) = NULL;
        struct errc_why why = {{0}};
        struct buf shown CLEANUP(buf_done);
        buf_init(&shown, 1000);
        if (gojson_parse(slice_of(good[i].text), &value, &why) != ERRC_OK)
            fail_msg("%s: %s", good[i].text, why.text);
        gojson_print(value, &shown);
        assert_string_equal(buf_text(&shown), good[i].printed);
    }
}

static void test_gojson__prints_large_maps_whole_and_in_order(void **state)
{
    (void)state;
    json_t *list CLEANUP(jsonread_done) = json_array();
    struct buf shown CLEANUP(buf_done), want CLEANUP(buf_done);
    buf_init(&shown, 100000);
    buf_init(&want, 100000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(json_array_append_new(list, json_pack("{sisi}", "b", i, "a", 0)), 0);
        buf_addf(&want, "%smap[a:0 b:%u]", i == 0 ? "[" : " ", i);
    }
    buf_add_char(&want, ']');
    gojson_print(list, &shown);
    assert_string_equal(buf_text(&shown), buf_text(&want));
    struct buf little CLEANUP(buf_done);
    buf_init(&little, 100);
    gojson_print(list, &little);
    assert_true(little.failed);
}

static void test_gojson__complains_as_go_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *value CLEANUP(jsonread_done) = NULL;
        struct errc_why why = {{0}};
        enum errc code = gojson_parse(slice_of(bad[i].text), &value, &why);
        if (bad[i].error[0] == '\0') {
            assert_int_equal(code, ERRC_OK); /* "0", then something that is not read */
            continue;
        }
        assert_int_not_equal(code, ERRC_OK);
        assert_string_equal(why.text, bad[i].error);
    }
}

static void test_gojson__nesting_has_an_end(void **state)
{
    (void)state;
    char deep[1001];
    json_t *value = NULL;
    memset(deep, '[', 1000);
    deep[1000] = '\0';
    assert_int_equal(gojson_parse(slice_of(deep), &value, NULL), ERRC_TOO_BIG);
    assert_null(value);
}

/* --- route ------------------------------------------------------------------------------------ */

static const struct route_endpoint rows[] = {
    {.pattern = "keys/?", .operation = ROUTE_LIST},
    {.pattern = "keys/:name", .operation = ROUTE_READ},
    {.pattern = "keys/:name", .operation = ROUTE_UPDATE},
    {.pattern = "sign/:name/+hash", .operation = ROUTE_UPDATE},
    {.pattern = "mounts/+path/tune", .operation = ROUTE_READ},
    {.pattern = "mounts/+path", .operation = ROUTE_READ},
    {.pattern = "data/*path", .operation = ROUTE_READ},
};
static const struct route_table table = ROUTE_TABLE(rows);

static void test_route__finds_the_row_of_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum route_operation operation;
        int row; /* -1: no such path, -2: no such operation */
        const char *first;
    } cases[] = {
        {"keys", ROUTE_LIST, 0, ""},
        {"keys/", ROUTE_LIST, 0, ""},
        {"keys", ROUTE_READ, -2, ""},
        {"keys/a", ROUTE_READ, 1, "a"},
        {"keys/a.b-c_d", ROUTE_UPDATE, 2, "a.b-c_d"},
        {"keys/a", ROUTE_DELETE, -2, ""},
        {"keys/-a", ROUTE_READ, -1, ""},
        {"keys/a-", ROUTE_READ, -1, ""},
        {"keys/a/", ROUTE_READ, -1, ""},
        {"keys/a/b", ROUTE_READ, -1, ""},
        {"key", ROUTE_READ, -1, ""},
        {"keysa", ROUTE_READ, -1, ""},
        {"sign/a/sha1/x", ROUTE_UPDATE, 3, "a"},
        {"sign/a/", ROUTE_UPDATE, -1, ""},
        {"mounts/a/b/tune", ROUTE_READ, 4, "a/b"},
        {"mounts/a/b", ROUTE_READ, 5, "a/b"},
        {"mounts/tune", ROUTE_READ, 5, "tune"},
        {"mounts/", ROUTE_READ, -1, ""},
        {"data/", ROUTE_READ, 6, ""},
        {"data/x/y", ROUTE_READ, 6, "x/y"},
        {"", ROUTE_READ, -1, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct route_match m;
        bool found = route_find(&table, slice_of(cases[i].path), cases[i].operation, &m);
        int row = found ? (int)(m.endpoint - rows) : m.path_known ? -2 : -1;
        if (row != cases[i].row)
            fail_msg("%s: row %d, want %d", cases[i].path, row, cases[i].row);
        if (found && m.capture_count > 0)
            assert_true(slice_equal_text(m.captures[0].value, cases[i].first));
    }
}

/* --- pack and textorder ----------------------------------------------------------------------- */

static void write_record(struct pack *p)
{
    pack_u8(p, 200);
    pack_u32(p, 4000000000u);
    pack_i64(p, -2);
    pack_text(p, "text");
}

static void test_pack__measures_what_it_writes(void **state)
{
    (void)state;
    struct pack measured = {0};
    uint8_t bytes[64];
    write_record(&measured);
    struct pack p = pack_into(bytes, measured.len);
    write_record(&p);
    assert_int_equal(p.len, measured.len);
    struct unpack u = pack_read_from(slice_bytes(bytes, p.len));
    char text[5];
    assert_int_equal(pack_read_u8(&u), 200);
    assert_int_equal(pack_read_u32(&u), 4000000000u);
    assert_true(pack_read_i64(&u) == -2);
    assert_false(pack_read_complete(&u));
    pack_read_text(&u, text, sizeof text);
    assert_string_equal(text, "text");
    assert_true(pack_read_complete(&u));
}

static void test_pack__a_reader_stops_at_the_end(void **state)
{
    (void)state;
    struct pack p;
    uint8_t bytes[64];
    p = pack_into(bytes, sizeof bytes);
    write_record(&p);
    for (size_t len = 0; len < p.len; len++) {
        struct unpack u = pack_read_from(slice_bytes(bytes, len));
        char text[5];
        (void)pack_read_u8(&u);
        (void)pack_read_u32(&u);
        (void)pack_read_i64(&u);
        pack_read_text(&u, text, sizeof text);
        assert_true(u.failed);
        assert_string_equal(text, "");
    }
    struct unpack u = pack_read_from(slice_bytes(bytes + 13, p.len - 13));
    char small[4];
    pack_read_text(&u, small, sizeof small);
    assert_true(u.failed);
}

static void collect(void *context, uint32_t n)
{
    buf_addf(context, "%u ", n);
}

static void test_textorder__is_the_order_of_texts(void **state)
{
    (void)state;
    struct buf seen CLEANUP(buf_done);
    buf_init(&seen, 1000);
    textorder_each(2, 21, collect, &seen);
    assert_string_equal(buf_text(&seen), "10 11 12 13 14 15 16 17 18 19 2 20 21 3 4 5 6 7 8 9 ");
    buf_reset(&seen);
    textorder_each(4294967295u, 4294967295u, collect, &seen);
    assert_string_equal(buf_text(&seen), "4294967295 ");
    buf_reset(&seen);
    textorder_each(1, 0, collect, &seen);
    assert_string_equal(buf_text(&seen), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gojson__reads_what_go_reads),
        cmocka_unit_test(test_gojson__prints_large_maps_whole_and_in_order),
        cmocka_unit_test(test_gojson__complains_as_go_does),
        cmocka_unit_test(test_gojson__nesting_has_an_end),
        cmocka_unit_test(test_route__finds_the_row_of_a_path),
        cmocka_unit_test(test_pack__measures_what_it_writes),
        cmocka_unit_test(test_pack__a_reader_stops_at_the_end),
        cmocka_unit_test(test_textorder__is_the_order_of_texts),
    };
    return cmocka_run_group_tests_name("wire_rules", tests, NULL, NULL);
}
