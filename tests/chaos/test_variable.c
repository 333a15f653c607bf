/*
 * chaos and the signer have each a table of the signer's variables: a drift between them would
 * have chaos judge by another contract than the signer's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "chaos/core/subject/subjects.h"
#include "signer/core/config.h"

#define TABLE (&subjects_default()->variables)

struct setting {
    const char *name, *value;
};

/* The rest of the environment lets every value through that is good by itself. */
static const char *get(void *context, const char *name)
{
    const struct setting *s = context;
    if (strcmp(name, s->name) == 0)
        return s->value;
    if (strcmp(name, "FALLBACK_KEY_FILE") == 0)
        return "f";
    if (strcmp(s->name, "SIGNER_BACKOFF_BASE_MS") == 0 &&
        strcmp(name, "SIGNER_BACKOFF_MAX_MS") == 0)
        return "600000";
    return strcmp(name, "SIGNER_BACKOFF_BASE_MS") == 0 ? "1" : NULL;
}

static bool signer_takes(const char *name, const char *value)
{
    struct config config;
    struct setting setting = {name, value};
    return config_read(&(struct config_source){get, &setting}, 0, &config, NULL) == ERRC_OK;
}

static void expect_same(const char *name, const char *value)
{
    bool chaos = variable_check_value(TABLE, name, value, NULL) == ERRC_OK;
    if (chaos != signer_takes(name, value))
        fail_msg("%s=\"%s\": chaos %s it, the signer does not agree", name, value,
                 chaos ? "takes" : "refuses");
}

static void test_variable__good_and_bad_values_are_those_of_the_signer(void **state)
{
    (void)state;
    static const char *const words[] = {"", "true", "false", "True", "1", "yes", "x", " 1", "01"};
    for (size_t i = 0; i < TABLE->count; i++) {
        const struct variable *v = &TABLE->items[i];
        const int64_t edges[] = {v->min - 1, v->min, v->max, v->max + 1};
        for (size_t k = 0; k < 4 && v->type == VARIABLE_NUMBER; k++) {
            char text[32];
            (void)snprintf(text, sizeof text, "%" PRId64, edges[k]);
            expect_same(v->name, text);
        }
        for (size_t k = 0; k < COUNT(words) && v->type != VARIABLE_TEXT; k++)
            expect_same(v->name, words[k]);
        expect_same(v->name, "");
    }
}

/* "  NAME   meaning, MIN to MAX (STANDARD)" */
static void test_variable__the_table_is_that_of_the_signers_help(void **state)
{
    (void)state;
    struct buf help CLEANUP(buf_done);
    size_t lines = 0, known = 0;
    buf_init(&help, 1u << 16);
    config_help(&help);
    for (struct slice rest = buf_slice(&help); rest.len > 0; lines++) {
        char name[64] = "", standard[32] = "";
        struct slice line = slice_cut(&rest, '\n');
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(line.ptr + 2, " \n"), line.ptr + 2);
        const struct variable *v = variable_find(TABLE, name);
        if (v == NULL) {
            fail_msg("chaos does not know %s", name);
            return;
        }
        known++;
        (void)snprintf(standard, sizeof standard, "(%" PRId64 ")", v->standard);
        if (v->type == VARIABLE_NUMBER && !slice_ends_with(line, standard))
            fail_msg("%.*s: chaos believes %s", SLICE_FMT(line), standard);
    }
    assert_int_equal(lines, known);
    assert_int_equal(TABLE->count, lines);
}

static void test_variable__a_foreign_name_is_told_from_a_misspelt_one(void **state)
{
    (void)state;
    struct errc_why why = {{0}};
    assert_int_equal(variable_check_name(TABLE, "SIGNER_ATTEMPTS", NULL), ERRC_OK);
    assert_int_equal(variable_check_name(TABLE, "VAULT_ADDR", NULL), ERRC_SCHEMA); /* the stack's */
    assert_int_equal(variable_check_name(TABLE, "X_ANYTHING", NULL), ERRC_OK);
    assert_int_equal(variable_check_name(TABLE, "LANG", NULL), ERRC_OK);
    assert_int_equal(variable_check_name(TABLE, "SIGNER_ATEMPTS", &why), ERRC_SCHEMA);
    assert_non_null(strstr(why.text, "did you mean \"SIGNER_ATTEMPTS\"?"));
    assert_int_equal(variable_check_name(TABLE, "RETRIES", &why), ERRC_SCHEMA);
    assert_non_null(strstr(why.text, "no signer reads \"RETRIES\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variable__good_and_bad_values_are_those_of_the_signer),
        cmocka_unit_test(test_variable__the_table_is_that_of_the_signers_help),
        cmocka_unit_test(test_variable__a_foreign_name_is_told_from_a_misspelt_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
