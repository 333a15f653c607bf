#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "signer/core/config.h"

struct variable {
    const char *name;
    const char *value;
};

struct environment {
    struct variable variables[4];
};

static const char *look_up(void *context, const char *name)
{
    const struct environment *e = context;
    for (size_t i = 0; i < 4 && e->variables[i].name != NULL; i++)
        if (strcmp(e->variables[i].name, name) == 0)
            return e->variables[i].value;
    return NULL;
}

static enum errc read_it(struct environment e, unsigned needs, struct config *out,
                         struct errc_why *why)
{
    const struct config_source source = {.get = look_up, .context = &e};
    return config_read(&source, needs, out, why);
}

static void test_config__has_the_documented_defaults(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(read_it((struct environment){0}, 0, &c, NULL), ERRC_OK);
    assert_string_equal(c.vault_addr, "https://127.0.0.1:8200");
    assert_string_equal(c.signing_key, "docugen-manifest");
    assert_false(c.allow_fallback);
    assert_null(c.vault_token);
    assert_null(c.fallback_key_file);
    assert_int_equal(c.retry.attempts, 3);
    assert_int_equal(c.retry.backoff_base_ms, 250);
    assert_int_equal(c.retry.backoff_max_ms, 2000);
    assert_int_equal(c.retry.attempt_timeout_ms, 2000);
    assert_int_equal(c.retry.total_timeout_ms, 10000);
    assert_int_equal(c.health_interval_ms, 1000);
}

static void test_config__reads_what_is_set(void **state)
{
    (void)state;
    struct config c;
    struct environment e = {{{"VAULT_ADDR", "http://[::1]:8200/"},
                             {"ALLOW_FALLBACK_SIGNING", "true"},
                             {"FALLBACK_KEY_FILE", "/k"},
                             {"SIGNER_ATTEMPTS", "10"}}};
    assert_int_equal(read_it(e, 0, &c, NULL), ERRC_OK);
    assert_string_equal(c.vault_addr, "http://[::1]:8200/");
    assert_true(c.allow_fallback);
    assert_string_equal(c.fallback_key_file, "/k");
    assert_int_equal(c.retry.attempts, 10);
}

/* Each row is refused with exactly this line. */
static const struct {
    struct environment environment;
    unsigned needs;
    const char *line;
} bad[] = {
    /* clang-format off */
    {{{{"ALLOW_FALLBACK_SIGNING", "True"}}}, 0,
     "ALLOW_FALLBACK_SIGNING is \"True\": only \"true\" and \"false\" are accepted, letter for "
     "letter"},
    {{{{"ALLOW_FALLBACK_SIGNING", ""}}}, 0,
     "ALLOW_FALLBACK_SIGNING is \"\": only \"true\" and \"false\" are accepted, letter for letter"},
    {{{{"ALLOW_FALLBACK_SIGNING", "true "}}}, 0,
     "ALLOW_FALLBACK_SIGNING is \"true \": only \"true\" and \"false\" are accepted, letter for "
     "letter"},
    {{{{"ALLOW_FALLBACK_SIGNING", "1"}}}, 0,
     "ALLOW_FALLBACK_SIGNING is \"1\": only \"true\" and \"false\" are accepted, letter for "
     "letter"},
    {{{{"ALLOW_FALLBACK_SIGNING", "true"}}}, 0,
     "ALLOW_FALLBACK_SIGNING is \"true\" but FALLBACK_KEY_FILE is not set"},
    {{{{"VAULT_ADDR", ""}}}, 0, "VAULT_ADDR is set to \"\": give a value or unset it"},
    {{{{"VAULT_ADDR", "127.0.0.1:8200"}}}, 0,
     "VAULT_ADDR is \"127.0.0.1:8200\": it must begin with http:// or https://"},
    {{{{"VAULT_ADDR", "http://"}}}, 0,
     "VAULT_ADDR is \"http://\": give http(s)://HOST or http(s)://HOST:PORT and nothing behind it"},
    {{{{"VAULT_ADDR", "http://h:0"}}}, 0,
     "VAULT_ADDR is \"http://h:0\": give http(s)://HOST or http(s)://HOST:PORT and nothing behind "
     "it"},
    {{{{"VAULT_ADDR", "http://h:99999"}}}, 0,
     "VAULT_ADDR is \"http://h:99999\": give http(s)://HOST or http(s)://HOST:PORT and nothing "
     "behind it"},
    {{{{"VAULT_ADDR", "http://h/v1"}}}, 0,
     "VAULT_ADDR is \"http://h/v1\": give http(s)://HOST or http(s)://HOST:PORT and nothing behind "
     "it"},
    {{{{"VAULT_ADDR", "http://h?x"}}}, 0,
     "VAULT_ADDR is \"http://h?x\": give http(s)://HOST or http(s)://HOST:PORT and nothing behind "
     "it"},
    {{{{"VAULT_ADDR", "http://[::1"}}}, 0,
     "VAULT_ADDR is \"http://[::1\": give http(s)://HOST or http(s)://HOST:PORT and nothing behind "
     "it"},
    {{{{"VAULT_ADDR", "http://u:secret@h"}}}, 0,
     "VAULT_ADDR has an \"@\": a user and password do not belong in it"},
    {{{{"VAULT_TOKEN", "s.secret\r"}}}, 0,
     "VAULT_TOKEN has a control character in it (a line end from a file?)"},
    {{{{"SIGNING_KEY", "k\r"}}}, 0,
     "SIGNING_KEY has a control character in it (a line end from a file?): \"k…\""},
    {{{{"SIGNING_KEY", "a/b"}}}, 0,
     "SIGNING_KEY is \"a/b\": give the name of a transit key, at most 128 bytes, without \"/\""},
    {{{{"SIGNER_ATTEMPTS", "0"}}}, 0, "SIGNER_ATTEMPTS is \"0\": give a whole number from 1 to 10"},
    {{{{"SIGNER_ATTEMPTS", "11"}}}, 0,
     "SIGNER_ATTEMPTS is \"11\": give a whole number from 1 to 10"},
    {{{{"SIGNER_ATTEMPTS", "3x"}}}, 0,
     "SIGNER_ATTEMPTS is \"3x\": give a whole number from 1 to 10"},
    {{{{"SIGNER_BACKOFF_MAX_MS", "-1"}}}, 0,
     "SIGNER_BACKOFF_MAX_MS is \"-1\": give a whole number from 1 to 600000"},
    {{{{"SIGNER_BACKOFF_MAX_MS", "100"}}}, 0,
     "SIGNER_BACKOFF_MAX_MS is 100: it must not be below SIGNER_BACKOFF_BASE_MS, which is 250"},
    {{{{"SIGNER_TOTAL_TIMEOUT_MS", "99999999999999999999"}}}, 0,
     "SIGNER_TOTAL_TIMEOUT_MS is \"99999999999999999999\": give a whole number from 1 to 3600000"},
    {{{{NULL, NULL}}}, CONFIG_NEED_TOKEN, "neither VAULT_TOKEN nor VAULT_TOKEN_FILE is set"},
    {{{{NULL, NULL}}}, CONFIG_NEED_TRUST,
     "TRUST_FILE is not set: it names the file that pins Vault's key"},
    {{{{NULL, NULL}}}, CONFIG_NEED_AUDIT,
     "AUDIT_LOG is not set: it names the audit trail, without which nothing is signed"},
};
/* clang-format on */

static void test_config__refuses_with_one_line_that_names_the_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct config c;
        struct errc_why why = {0};
        assert_int_equal(read_it(bad[i].environment, bad[i].needs, &c, &why), ERRC_USAGE);
        assert_string_equal(why.text, bad[i].line);
        assert_null(strstr(why.text, "secret"));
        assert_null(strchr(why.text, '\n'));
    }
}

/* As long as it may be, and a byte longer. */
static void test_config__limits_what_goes_into_a_header(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t max;
    } limits[] = {{"VAULT_TOKEN", 8192}, {"VAULT_NAMESPACE", 1024},   {"FAKEVAULT_TEST", 256},
                  {"SIGNING_KEY", 128},  {"VAULT_TOKEN_FILE", 4095},  {"VAULT_CACERT", 4095},
                  {"AUDIT_LOG", 4095},   {"FALLBACK_KEY_FILE", 4095}, {"TRUST_FILE", 4095}};
    char value[20001], line[128];
    for (size_t i = 0; i < COUNT(limits); i++) {
        const size_t lengths[] = {limits[i].max, limits[i].max + 1, 20000};
        for (size_t k = 0; k < COUNT(lengths); k++) {
            struct config c;
            struct errc_why why = {0};
            memset(value, 's', lengths[k]);
            value[lengths[k]] = '\0';
            struct environment e = {{{limits[i].name, value}}};
            enum errc code = read_it(e, 0, &c, &why);
            assert_int_equal(code, k == 0 ? ERRC_OK : ERRC_USAGE);
            (void)snprintf(line, sizeof line, "%s has %zu bytes, at most %zu are taken",
                           limits[i].name, lengths[k], limits[i].max);
            assert_string_equal(why.text, k == 0 ? "" : line);
        }
    }
}

static void test_config__the_help_names_each_variable_with_its_default(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "VAULT_ADDR                 http(s)://HOST[:PORT], nothing behind it (https://127",
        "ALLOW_FALLBACK_SIGNING     true or false, letter for letter (false)\n",
        "SIGNER_ATTEMPTS            requests to Vault for one signature, 1 to 10 (3)\n",
        "AUDIT_LOG ",
        "TRUST_FILE ",
    };
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 16384);
    config_help(&out);
    assert_int_equal(buf_status(&out, NULL), ERRC_OK);
    for (size_t i = 0; i < COUNT(parts); i++)
        assert_non_null(strstr(buf_text(&out), parts[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config__has_the_documented_defaults),
        cmocka_unit_test(test_config__reads_what_is_set),
        cmocka_unit_test(test_config__refuses_with_one_line_that_names_the_variable),
        cmocka_unit_test(test_config__limits_what_goes_into_a_header),
        cmocka_unit_test(test_config__the_help_names_each_variable_with_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
