/*
 * Every invariant against a client, a server or a ledger that breaks it: the
 * finding names what was expected, what was found, and the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "chaos/core/judge/invariants/invariants.h"
#include "chaos/core/ledger/ledger_client.h"
#include "tests/chaos/fake/case.h"
#include "tests/chaos/planted/planted.h"

static const struct planted *const tables[] = {planted_input, planted_sign, planted_time,
                                               planted_trail, planted_try};

static bool is_invariant(const char *rule)
{
    for (size_t i = 0; invariants_name(i) != NULL; i++)
        if (strcmp(invariants_name(i), rule) == 0)
            return true;
    return false;
}

static void expect_only(const struct case_run *c, const struct planted *p)
{
    for (size_t i = 0; i < c->judged.findings.count; i++) {
        const struct verdict_finding *found = &c->judged.findings.items[i];
        if (is_invariant(found->rule) && strcmp(found->rule, p->rule) != 0)
            fail_msg("%s: also broke %s: %s", p->name, found->rule, found->text);
    }
}

static void expect_finding(const struct case_run *c, const struct planted *p)
{
    const char *other = NULL;
    for (size_t i = 0; i < c->judged.findings.count; i++) {
        const struct verdict_finding *found = &c->judged.findings.items[i];
        if (strcmp(found->rule, p->rule) != 0)
            continue;
        assert_int_equal(found->flag, VERDICT_FAIL);
        other = found->text;
        if (strstr(found->text, p->text) != NULL)
            return;
    }
    struct buf all CLEANUP(buf_done);
    buf_init(&all, 1u << 16);
    for (size_t i = 0; i < c->judged.findings.count; i++)
        buf_addf(&all, "\n  %s: %s", c->judged.findings.items[i].rule,
                 c->judged.findings.items[i].text);
    fail_msg("%s: %s was %s%s", p->name, p->rule, other == NULL ? "not broken" : "told otherwise",
             buf_text(&all));
}

static void plant(const struct planted *p)
{
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    if (p->set != NULL)
        p->set(&f);
    if (p->edit.from != NULL || p->edit.line != 0)
        fake_world_edit(&f, p->edit);
    case_run_scenario(&c, &f, p->scenario == NULL ? planted_sealed : p->scenario);
    expect_finding(&c, p);
    if (p->only)
        expect_only(&c, p);
    assert_true(c.judged.verdict == VERDICT_FAIL || c.judged.verdict == VERDICT_NOT_STARTED);
}

static void test_invariants__each_planted_defect_is_named_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct planted *p = tables[i]; p->name != NULL; p++)
            plant(p);
}

static void test_invariants__clean_ledgers_pass(void **state)
{
    (void)state;
    static const char *const scenarios[] = {planted_sealed, planted_sealed_off};
    for (size_t i = 0; i < 2; i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        case_run_scenario(&c, &f, scenarios[i]);
        for (size_t k = 0; k < c.judged.findings.count; k++)
            fail_msg("%s: %s", c.judged.findings.items[k].rule, c.judged.findings.items[k].text);
        assert_int_equal(c.judged.verdict, VERDICT_PASS);
    }
}

/* Those that have a test of their own. */
static const char *const elsewhere[] = {"counted", "logged", "surfaces", "unasked"};

static bool is_planted(const char *invariant)
{
    for (size_t i = 0; i < COUNT(elsewhere); i++)
        if (strcmp(elsewhere[i], invariant) == 0)
            return true;
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct planted *p = tables[i]; p->name != NULL; p++)
            if (strcmp(p->rule, invariant) == 0)
                return true;
    return false;
}

static void test_invariants__every_one_has_a_defect_that_breaks_it(void **state)
{
    (void)state;
    for (size_t i = 0; invariants_name(i) != NULL; i++) {
        if (!is_planted(invariants_name(i)))
            fail_msg("nothing breaks %s", invariants_name(i));
        assert_non_null(invariants_meaning(i));
    }
}

static void test_invariants__a_declared_key_event_may_change_the_key(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.new_key = true;
    case_run_scenario(&c, &f,
                      "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: api}\n"
                      "method:\n  - vault: rotate_key\n  - trust: accept\n"
                      "  - sign: {via: api}\n");
    assert_null(case_finding(&c, "fingerprint"));
    assert_int_equal(c.judged.verdict, VERDICT_PASS);
}

static void test_ledger__a_result_without_its_bundle_is_missing_evidence(void **state)
{
    (void)state;
    struct pool pool;
    struct ledger_client trail CLEANUP(ledger_client_done);
    struct ledger_problems problems = {.count = 0};
    pool_init(&pool, 1u << 20);
    ledger_client_init(&trail, &pool, &problems);
    assert_int_equal(
        ledger_client_feed(
            &trail, SLICE_LITERAL("{\"action\":\"MANIFEST_SIGNED\",\"id\":\"1\",\"timestamp\":"
                                  "\"2026-11-23T18:11:46.081Z\",\"payload\":{}}\n")),
        ERRC_OK);
    bool named = false;
    for (size_t i = 0; i < problems.count; i++)
        named |= strstr(problems.items[i].text, "bundleRunId") != NULL;
    assert_true(named);
    assert_null(trail.entries[0].bundle);
    pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants__clean_ledgers_pass),
        cmocka_unit_test(test_invariants__each_planted_defect_is_named_with_its_line),
        cmocka_unit_test(test_invariants__every_one_has_a_defect_that_breaks_it),
        cmocka_unit_test(test_invariants__a_declared_key_event_may_change_the_key),
        cmocka_unit_test(test_ledger__a_result_without_its_bundle_is_missing_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
