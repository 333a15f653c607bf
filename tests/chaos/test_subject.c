/* Whether our signer, described as a subject, is asked and understood as it documents itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "chaos/core/subject/subject.h"

#define US subject_default()

/* --- words --- */

static void test_subject__a_class_says_outage_refusal_or_neither(void **state)
{
    (void)state;
    static const struct {
        const char *class;
        enum subject_says says;
    } rows[] = {
        {"refused", SUBJECT_SAYS_OUTAGE},       {"timeout", SUBJECT_SAYS_OUTAGE},
        {"malformed", SUBJECT_SAYS_OUTAGE},     {"denied", SUBJECT_SAYS_REFUSAL},
        {"key_mismatch", SUBJECT_SAYS_REFUSAL}, {"ok", SUBJECT_SAYS_NEITHER},
        {"rate_limited", SUBJECT_SAYS_NEITHER}, {"stale", SUBJECT_SAYS_NEITHER},
        {"interrupted", SUBJECT_SAYS_NEITHER},  {"of our own making", SUBJECT_SAYS_NEITHER},
        {NULL, SUBJECT_SAYS_NEITHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(subject_says(US, rows[i].class), rows[i].says);
}

static void test_subject__a_class_has_its_statuses_and_no_others(void **state)
{
    (void)state;
    assert_true(subject_may_have(US, "ok", 200));
    assert_false(subject_may_have(US, "ok", 204));
    assert_true(subject_may_have(US, "refused", 0));
    assert_false(subject_may_have(US, "refused", 403));
    assert_true(subject_may_have(US, "malformed", 999));
    assert_false(subject_may_have(US, "malformed", 501));
    assert_false(subject_may_have(US, "unavailable", 403));
    assert_false(subject_may_have(US, "unheard_of", 0));
    assert_false(subject_may_have(US, NULL, 0));
}

static bool lists(enum subject_list list, const char *word)
{
    const char *const *words = subject_words(US, list);
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void test_subject__each_class_can_be_named_in_a_scenario(void **state)
{
    (void)state;
    for (size_t i = 0; i < US->class_count; i++) {
        const struct subject_class *c = &US->classes[i];
        assert_true(lists(SUBJECT_CLASSES, c->name));
        assert_int_equal(lists(SUBJECT_REASONS, c->name), strcmp(c->name, "ok") != 0);
    }
    assert_false(lists(SUBJECT_CLASSES, "fallback_off"));
    assert_true(lists(SUBJECT_REASONS, "fallback_off"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subject__a_class_says_outage_refusal_or_neither),
        cmocka_unit_test(test_subject__a_class_has_its_statuses_and_no_others),
        cmocka_unit_test(test_subject__each_class_can_be_named_in_a_scenario),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
