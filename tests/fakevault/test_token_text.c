/* Durations, networks and sets of names as text. */
#include "base/count.h"
#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include "base/text/jsonread.h"
#include "fakevault/core/token/token_cidr.h"
#include "fakevault/core/token/token_names.h"
#include "fakevault/core/token/token_ttl.h"

static void test_token__a_duration_is_written_as_go_does(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "0s"},
                 {1, "1ns"},
                 {1500, "1.5\xc2\xb5s"},
                 {2000000, "2ms"},
                 {1500000000, "1.5s"},
                 {60 * NS_PER_S, "1m"},
                 {61 * NS_PER_S, "1m1s"},
                 {NS_PER_HOUR, "1h"},
                 {NS_PER_HOUR + NS_PER_S, "1h0m1s"},
                 {NS_PER_HOUR + 90 * NS_PER_S, "1h1m30s"},
                 {768 * NS_PER_HOUR, "768h"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[TOKEN_TTL_TEXT_BYTES];
        token_ttl_format(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_token__an_end_does_not_go_beyond_the_clock(void **state)
{
    (void)state;
    int64_t now = 1795458581000000000;
    assert_true(token_end(now, NS_PER_HOUR) == now + NS_PER_HOUR);
    assert_true(token_end(now, INT64_MAX) == INT64_MAX - NS_PER_S);
    assert_true(token_end(now, 9223372036 * NS_PER_S) == INT64_MAX - NS_PER_S);
}

static void test_token__a_network_contains_its_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool inside;
    } cases[] = {
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.1.2.3", false},
        {"192.168.4.0/22", "192.168.7.255", true},
        {"192.168.4.0/22", "192.168.8.0", false},
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"::1/128", "::1", true},
        {"fd00::/9", "fd7f::1", true},
        {"fd00::/9", "fd80::1", false},
        {"10.0.0.0/8", "::1", false},
        {"10.0.0.0/33", "10.0.0.1", false},
        {"/run/socket", "10.0.0.1", false},
        {"10.0.0.0/8", "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            token_cidr_contains(slice_of(cases[i].network), slice_of(cases[i].address)),
            cases[i].inside);
}

static void test_token__names_are_a_sorted_set(void **state)
{
    (void)state;
    struct token_names names CLEANUP(token_names_done) = {0};
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 100);
    json_t *texts CLEANUP(jsonread_done) = json_pack("[sssss]", "b", " A ", "", "c", "B");
    assert_int_equal(token_names_add_json(&names, texts), ERRC_OK);
    assert_int_equal(token_names_add(&names, SLICE_LITERAL("a")), ERRC_OK);
    assert_int_equal(token_names_add(&names, SLICE_LITERAL("ab")), ERRC_OK);
    token_names_print(&names, &text);
    assert_string_equal(buf_text(&text), "[\"a\" \"ab\" \"b\" \"c\"]");
    assert_true(token_names_has(&names, SLICE_LITERAL("ab")));
    assert_false(token_names_has(&names, SLICE_LITERAL("abc")));
    token_names_remove(&names, "ab");
    assert_false(token_names_has(&names, SLICE_LITERAL("ab")));
}

/* They come from a body of any size, and are read under the lock of all requests. */
static void test_token__a_million_names_take_no_square(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    struct token_names names CLEANUP(token_names_done) = {0};
    json_t *texts CLEANUP(jsonread_done) = json_array();
    for (int i = MANY; i > 0; i--)
        assert_int_equal(json_array_append_new(texts, json_sprintf("p%d", i)), 0);
    assert_int_equal(token_names_add_json(&names, texts), ERRC_OK);
    assert_int_equal(names.count, MANY);
    for (size_t i = 0; i < names.count; i++)
        assert_true(token_names_has(&names, names.items[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token__a_duration_is_written_as_go_does),
        cmocka_unit_test(test_token__an_end_does_not_go_beyond_the_clock),
        cmocka_unit_test(test_token__a_network_contains_its_addresses),
        cmocka_unit_test(test_token__names_are_a_sorted_set),
        cmocka_unit_test(test_token__a_million_names_take_no_square),
    };
    return cmocka_run_group_tests_name("token_text", tests, NULL, NULL);
}
