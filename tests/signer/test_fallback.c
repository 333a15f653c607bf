#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/count.h"
#include "base/secret.h"
#include "signer/core/ids.h"
#include "signer/core/keys/fallback.h"

static const struct fallback_facts good = {.regular = true,
                                           .own = true,
                                           .mode = 0600,
                                           .links = 1,
                                           .folder_mode = 0755,
                                           .folder_own = true};

static void expect_unsafe(struct fallback_facts facts, const char *part)
{
    struct errc_why why = {0};
    assert_int_equal(fallback_check(&facts, "/k/f", &why), FALLBACK_KEY_UNSAFE);
    assert_non_null(strstr(why.text, "\"/k/f\""));
    if (strstr(why.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why.text, part);
}

static void test_fallback__each_rule_about_the_file_is_enforced(void **state)
{
    (void)state;
    struct fallback_facts f = good;
    assert_int_equal(fallback_check(&f, "/k/f", NULL), FALLBACK_USABLE);
    f.mode = 0400;
    assert_int_equal(fallback_check(&f, "/k/f", NULL), FALLBACK_USABLE);
    for (unsigned bit = 1; bit <= 040; bit <<= 1) {
        f = good;
        f.mode |= bit;
        expect_unsafe(f, "chmod 600");
    }
    f = good, f.regular = false, expect_unsafe(f, "not a regular file");
    f = good, f.own = false, expect_unsafe(f, "another user");
    f = good, f.links = 2, expect_unsafe(f, "hard links");
    f = good, f.folder_own = false, expect_unsafe(f, "folder of another user");
    f = good, f.folder_mode = 0775, expect_unsafe(f, "others can write");
    f = good, f.folder_mode = 01777, expect_unsafe(f, "others can write");
}

static void test_fallback__reads_the_seed(void **state)
{
    (void)state;
    struct secret_arena *arena = NULL;
    struct secret seed = {0};
    assert_int_equal(secret_arena_new(65536, &arena, NULL, NULL), ERRC_OK);
    assert_int_equal(
        fallback_parse(SLICE_LITERAL(" {\n \"signingKey\" : "
                                     "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n}\n"),
                       arena, &seed, NULL),
        ERRC_OK);
    assert_int_equal(seed.len, KEYPORT_SEED_BYTES);
    for (size_t i = 0; i < seed.len; i++)
        assert_int_equal(seed.ptr[i], i);
    secret_done(&seed);
    assert_int_equal(secret_arena_used(arena), 0);
    secret_arena_free(arena);
}

static void test_fallback__refuses_other_files_without_quoting_them(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "{\"signingKey\":1}",
        "{\"signingKey\":\"SECRET\"}",
        "{\"signingKey\":\"U0VDUkVU\"}",
        "{\"signingKey\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==\"}",
        "{\"signingKey\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\",\"x\":1}",
        "{\"signingKey\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"} SECRET",
        "{\"signingKey\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "{\"signingKey\":\"AAECAw\\u0041FBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}",
        "SECRET",
    };
    struct secret_arena *arena = NULL;
    assert_int_equal(secret_arena_new(65536, &arena, NULL, NULL), ERRC_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct secret seed = {0};
        struct errc_why why = {0};
        enum errc code = fallback_parse(slice_of(bad[i]), arena, &seed, &why);
        if (errc_class(code) != ERRC_CLASS_INVALID)
            fail_msg("%s: code %d", bad[i], (int)code);
        assert_null(strstr(why.text, "SECRET"));
        assert_null(strstr(why.text, "AAEC"));
    }
    assert_int_equal(secret_arena_used(arena), 0);
    secret_arena_free(arena);
}

static void test_ids__a_uuid_is_lower_case_and_nothing_else(void **state)
{
    (void)state;
    assert_true(ids_is_uuid(SLICE_LITERAL("0f6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b10")));
    static const char *const bad[] = {"",
                                      "0F6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b10",
                                      "0f6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b1",
                                      "0f6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b100",
                                      "0f6ff4a38fa2-4e75-8d2c-5d7f2a5a3b10-",
                                      "../../../../../../../../etc/passwd..",
                                      "0f6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b1g"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(ids_is_uuid(slice_of(bad[i])));
}

static void test_ids__an_actor_is_a_type_and_an_id(void **state)
{
    (void)state;
    struct ids_actor actor;
    assert_int_equal(ids_actor_parse("admin-user:a:b@c", &actor, NULL), ERRC_OK);
    assert_int_equal(actor.type, IDS_ADMIN_USER);
    assert_string_equal(actor.id, "a:b@c");
    assert_string_equal(ids_actor_text(IDS_AUTOMATION), "automation");
    static const char *const bad[] = {
        "",           "x", "cli-user", "cli-user:", "robot:me", "cli-user:a b", "cli-user:\x7f",
        "cli-user:é", ":x"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(ids_actor_parse(bad[i], &actor, NULL), ERRC_USAGE);
    char longest[IDS_ACTOR_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    longest[IDS_ACTOR_BYTES - 1] = '\0';
    assert_int_equal(ids_actor_make(IDS_CLI_USER, longest, &actor, NULL), ERRC_OK);
    longest[IDS_ACTOR_BYTES - 1] = 'a';
    longest[IDS_ACTOR_BYTES] = '\0';
    assert_int_equal(ids_actor_make(IDS_CLI_USER, longest, &actor, NULL), ERRC_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fallback__each_rule_about_the_file_is_enforced),
        cmocka_unit_test(test_fallback__reads_the_seed),
        cmocka_unit_test(test_fallback__refuses_other_files_without_quoting_them),
        cmocka_unit_test(test_ids__a_uuid_is_lower_case_and_nothing_else),
        cmocka_unit_test(test_ids__an_actor_is_a_type_and_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
