/* The table of effects: schema, help and documentation say what the parser takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "fakevault/core/outage/effect.h"
#include "fakevault/core/outage/fault_schema.h"

#define LAST FAULT_SEAL

static void test_effect__the_schema_has_every_row(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, FAULT_SCHEMA_BYTES_MAX);
    fault_schema_format(&text);
    json_t *schema CLEANUP(jsonread_done) = NULL;
    assert_int_equal(jsonread_parse(buf_slice(&text), &schema, NULL), ERRC_OK);
    const json_t *fields = json_object_get(
        json_object_get(json_object_get(schema, "properties"), "effect"), "properties");
    assert_int_equal(json_object_size(fields), LAST);
    for (unsigned i = FAULT_NONE + 1; i <= LAST; i++)
        assert_non_null(json_object_get(fields, effect_of((enum fault_effect)i)->name));
    assert_null(effect_of(FAULT_NONE));
}

static void test_effect__a_field_that_is_null_is_no_effect(void **state)
{
    (void)state;
    for (unsigned i = FAULT_NONE + 1; i <= LAST; i++) {
        enum fault_effect read = FAULT_NONE;
        struct fault_reply *reply = NULL;
        struct errc_why why = {""};
        const char *name = effect_of((enum fault_effect)i)->name;
        json_t *effect CLEANUP(jsonread_done) = json_pack("{s:n}", name);
        assert_int_equal(effect_parse(effect, &read, &reply, &why), ERRC_SCHEMA);
        assert_non_null(strstr(why.text, name));
        assert_null(reply);
    }
}

static void test_effect__the_documentation_has_the_table(void **state)
{
    (void)state;
    struct errc_why why = {""};
    struct buf page CLEANUP(buf_done);
    struct buf table CLEANUP(buf_done);
    buf_init(&page, 1u << 20);
    buf_init(&table, 1u << 16);
    effect_format_table(&table);
    if (file_read(FIXTURES "/../docs/architecture.md", &page, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    if (strstr(buf_text(&page), buf_text(&table)) == NULL)
        fail_msg("docs/architecture.md wants this table:\n%s", buf_text(&table));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_effect__the_schema_has_every_row),
        cmocka_unit_test(test_effect__a_field_that_is_null_is_no_effect),
        cmocka_unit_test(test_effect__the_documentation_has_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
