#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/count.h"
#include "tests/fakevault/vault_world.h"

/* The data member `key` of an answer, as text; the caller owns *out. */
static const char *ask(struct world *w, const char *what, const char *body, const char *key,
                       json_t **out)
{
    assert_int_equal(world_ask(w, what, body, w->root, out), 200);
    const char *text = json_string_value(json_object_get(json_object_get(*out, "data"), key));
    assert_non_null(text);
    return text;
}

static void test_tools__hash_has_the_vectors_of_fips_180_and_202(void **state)
{
    static const struct {
        const char *what, *sum;
    } cases[] = {
        {"POST sys/tools/hash", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"POST sys/tools/hash/sha2-224",
         "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
        {"POST sys/tools/hash/sha3-256",
         "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *answer = NULL;
        const char *sum = ask(*state, cases[i].what, "{\"input\":\"YWJj\"}", "sum", &answer);
        assert_string_equal(sum, cases[i].sum);
        json_decref(answer);
    }
}

static void test_tools__hash_refuses_what_it_cannot_read(void **state)
{
    struct world *w = *state;
    world_expect_error(w, "POST sys/tools/hash/sha1", "{}", w->root, 400,
                       "unsupported algorithm sha1");
    world_expect_error(w, "POST sys/tools/hash", "{\"input\":\"YQ\"}", w->root, 400,
                       "unable to decode input as base64: illegal base64 data at input byte 0");
}

static void test_tools__random_has_as_many_bytes_as_path_or_body_ask_for(void **state)
{
    static const struct {
        const char *what;
        size_t digits;
    } cases[] = {
        {"POST sys/tools/random", 64},
        {"POST sys/tools/random/8", 16},
        {"POST sys/tools/random/platform/5", 10},
        {"POST sys/tools/random/131072", 262144},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *answer = NULL;
        const char *text =
            ask(*state, cases[i].what, "{\"format\":\"hex\"}", "random_bytes", &answer);
        assert_int_equal(strlen(text), cases[i].digits);
        json_decref(answer);
    }
}

static void test_tools__random_refuses_too_little_and_too_much(void **state)
{
    struct world *w = *state;
    world_expect_error(w, "POST sys/tools/random/0", "{}", w->root, 400,
                       "\"bytes\" cannot be less than 1");
    world_expect_error(w, "POST sys/tools/random/131073", "{}", w->root, 400,
                       "\"bytes\" should be less than 131072");
    world_expect_error(w, "POST sys/tools/random/nowhere/1", "{}", w->root, 400,
                       "unsupported entropy source \"nowhere\"; must be \"platform\" or \"seal\", "
                       "or \"all\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools__hash_has_the_vectors_of_fips_180_and_202),
        cmocka_unit_test(test_tools__hash_refuses_what_it_cannot_read),
        cmocka_unit_test(test_tools__random_has_as_many_bytes_as_path_or_body_ask_for),
        cmocka_unit_test(test_tools__random_refuses_too_little_and_too_much),
    };
    return cmocka_run_group_tests(tests, world_set_up_booted, world_tear_down);
}
