/*
 * The runner over a fake world: which phases run, what each kind of trouble
 * means, and whether faults were met.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "chaos/core/report/report.h"
#include "chaos/core/report/report_result.h"
#include "chaos/core/runner.h"
#include "chaos/core/scenario/read/scenario_parse.h"
#include "tests/chaos/fake/case.h"
#include "tests/chaos/fake/fake_port.h"

#define HEAD                                                                                       \
    "version: 1\npurpose: p & <q>\nstack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"     \
    "steady_state:\n  - sign: {via: api, expect: {mode: vault}}\n"
#define OUTAGE                                                                                     \
    HEAD "method:\n  - vault: seal\n  - sign: {via: api, as: outage, expect: {mode: fallback}}\n"  \
         "rollback:\n  - vault: {unseal: 3}\nexpect:\n  - audit: {of: outage, fallback: 1}\n"

static enum record_result result_of(const struct case_run *c, size_t number, bool again)
{
    for (size_t i = 0; i < c->record.step_count; i++)
        if (c->record.steps[i].plan->number == number && c->record.steps[i].again == again)
            return c->record.steps[i].result;
    fail_msg("step %zu was not even noted", number);
    return RECORD_ERROR;
}

static void expect_text(const char *found, const char *part)
{
    if (found == NULL || strstr(found, part) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", part, found == NULL ? "nothing" : found);
}

/* --- phases --- */

static void test_runner__runs_every_phase_and_the_steady_state_twice(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    case_run_scenario(&c, &f, OUTAGE);
    assert_int_equal(c.judged.verdict, VERDICT_PASS);
    assert_int_equal(c.record.step_count, 6);
    assert_int_equal(result_of(&c, 1, false), RECORD_MET);
    assert_int_equal(result_of(&c, 1, true), RECORD_MET);
    assert_int_equal(result_of(&c, 5, false), RECORD_MET);
    assert_int_equal(c.judged.fault_count, 1);
    assert_int_equal(c.judged.faults[0].hits, 3);
    assert_string_equal(c.judged.faults[0].evidence, "journal.ndjson:4");
    assert_int_equal(c.record.call_count, 3);
}

static void test_runner__without_a_steady_state_nothing_is_done(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.refusal = 500;
    f.sealed = true;
    case_run_scenario(&c, &f,
                      "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: api}\n"
                      "method:\n  - vault: seal\nrollback:\n  - vault: {unseal: 3}\n");
    assert_int_equal(c.judged.verdict, VERDICT_NOT_STARTED);
    assert_int_equal(f.acts, 1);
    assert_int_equal(c.record.step_count, 1);
}

static void test_runner__a_rollback_that_does_not_restore_is_dirty(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    case_run_scenario(&c, &f,
                      HEAD "method:\n  - vault: seal\n  - sign: {via: api, expect: {mode: "
                           "fallback}}\n");
    assert_int_equal(c.judged.verdict, VERDICT_DIRTY);
    expect_text(case_finding(&c, "expectation"),
                "step 1 again (line 5, sign via api, expect mode vault): expected mode vault, the "
                "caller was told fallback (audit.ndjson:6)");
}

static void test_runner__a_failed_expectation_fails_and_the_rest_still_runs(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    case_run_scenario(&c, &f,
                      HEAD "method:\n  - vault: seal\n  - sign: {via: api, expect: {attempts: 2}}\n"
                           "  - state: {sealed: true}\nrollback:\n  - vault: {unseal: 3}\n");
    assert_int_equal(c.judged.verdict, VERDICT_FAIL);
    assert_int_equal(result_of(&c, 4, false), RECORD_MET);
    assert_int_equal(result_of(&c, 5, false), RECORD_MET);
    expect_text(case_finding(&c, "expectation"),
                "expected 2 attempts, the trail has 3 (audit.ndjson:4)");
}

/* --- trouble --- */

static void test_runner__a_step_that_cannot_be_done_ends_the_method_not_the_rollback(void **state)
{
    (void)state;
    static const struct {
        enum errc code;
        int at; /* the act that fails: 1 is the steady state's, 2 and 3 the method's, 4 rollback's
                 */
        enum verdict verdict;
        const char *rule;
    } rows[] = {
        {ERRC_TIMEOUT, 2, VERDICT_INTERNAL, "apply"},
        {ERRC_IO, 2, VERDICT_INTERNAL, "apply"},
        {ERRC_STATE, 2, VERDICT_INTERNAL, "refused"},
        {ERRC_STATE, 4, VERDICT_INTERNAL, "undone"},
        {ERRC_TIMEOUT, 3, VERDICT_FAIL, "step"},
        {ERRC_TIMEOUT, 1, VERDICT_NOT_STARTED, "step"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.act_code = rows[i].code;
        f.act_fails_at = rows[i].at;
        case_run_scenario(&c, &f, OUTAGE);
        assert_int_equal(c.judged.verdict, rows[i].verdict);
        expect_text(case_finding(&c, rows[i].rule), ": it did not work");
        if (rows[i].at == 2) {
            assert_int_equal(result_of(&c, 3, false), RECORD_SKIPPED);
            assert_int_equal(result_of(&c, 4, false), RECORD_MET);
        }
    }
}

static void test_runner__a_stack_that_does_not_start_is_ours_or_its_own(void **state)
{
    (void)state;
    static const struct {
        enum errc code;
        enum verdict verdict;
    } rows[] = {{ERRC_TIMEOUT, VERDICT_NOT_STARTED}, {ERRC_IO, VERDICT_INTERNAL}};
    for (size_t i = 0; i < 2; i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.start_code = rows[i].code;
        case_run_scenario(&c, &f, OUTAGE);
        assert_int_equal(c.judged.verdict, rows[i].verdict);
        assert_string_equal(case_finding(&c, "start"), "the stack did not start: no port");
        assert_int_equal(f.acts, 0);
    }
}

static void test_runner__who_stops_it_still_gets_the_rollback(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.interrupt_before = 3;
    f.interrupts = 1;
    case_run_scenario(&c, &f, OUTAGE);
    assert_int_equal(c.judged.verdict, VERDICT_INTERRUPTED);
    assert_int_equal(result_of(&c, 2, false), RECORD_MET);
    assert_int_equal(result_of(&c, 3, false), RECORD_SKIPPED);
    assert_int_equal(result_of(&c, 4, false), RECORD_MET);
    assert_int_equal(result_of(&c, 1, true), RECORD_MET);
    assert_int_equal(result_of(&c, 5, false), RECORD_SKIPPED);
    assert_false(f.sealed);
}

static void test_runner__who_stops_it_twice_gets_none(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.interrupt_before = 3;
    f.interrupts = 2;
    case_run_scenario(&c, &f, OUTAGE);
    assert_int_equal(c.judged.verdict, VERDICT_INTERRUPTED);
    assert_int_equal(result_of(&c, 4, false), RECORD_SKIPPED);
    assert_true(f.sealed);
    expect_text(case_finding(&c, "user"), "twice: nothing was rolled back");
}

/* --- evidence --- */

static void test_runner__missing_evidence_is_unknown(void **state)
{
    (void)state;
    static const struct {
        struct fake_world_edit edit;
        bool no_journal;
        const char *text;
    } rows[] = {
        {{0}, true, "journal.ndjson: there is no such file"},
        {{.file = FAKE_JOURNAL, .line = 5},
         false,
         "journal.ndjson:5: record 6 follows where 5 was due, lines are missing"},
        {{.file = FAKE_JOURNAL,
          .line = 4,
          .from = "\"key\":\"docugen-manifest\"",
          .to = "\"key\":7"},
         false,
         "journal.ndjson:4: field \"key\" is not a string"},
        {{.file = FAKE_JOURNAL, .line = 4, .from = "}", .to = ""},
         false,
         "journal.ndjson:4: not a JSON object"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.no_journal = rows[i].no_journal;
        if (rows[i].edit.line != 0)
            fake_world_edit(&f, rows[i].edit);
        case_run_scenario(&c, &f, OUTAGE);
        assert_int_equal(c.judged.verdict, VERDICT_UNKNOWN);
        assert_string_equal(case_finding(&c, "evidence"), rows[i].text);
    }
}

static void test_runner__a_trail_that_is_gone_starts_nothing(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.no_audit = true;
    case_run_scenario(&c, &f, OUTAGE);
    assert_int_equal(c.judged.verdict, VERDICT_NOT_STARTED);
}

/* --- faults --- */

static void test_runner__a_rule_that_nobody_meets_is_not_exercised(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    case_run_scenario(&c, &f,
                      HEAD "method:\n  - vault: {respond: 500, path: \"*/verify/*\"}\n"
                           "  - sign: {via: api}\nrollback:\n  - vault: reset\n");
    assert_int_equal(c.judged.verdict, VERDICT_NOT_EXERCISED);
    assert_string_equal(
        case_finding(&c, "fault"),
        "step 2 (line 7, vault respond 500, path \"*/verify/*\"): expected a request "
        "that the rule took while it lasted, journal.ndjson shows none");
}

static void test_runner__a_rule_is_met_by_its_id(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    case_run_scenario(&c, &f,
                      HEAD "method:\n  - vault: {respond: 503, times: 2}\n"
                           "  - sign: {via: api, expect: {mode: vault, attempts: 3}}\n"
                           "rollback:\n  - vault: reset\n");
    assert_int_equal(c.judged.verdict, VERDICT_PASS);
    assert_int_equal(c.judged.faults[0].hits, 2);
    assert_string_equal(c.judged.faults[0].window.rule, "step-2");
}

static void test_runner__a_closed_listener_needs_a_refused_attempt(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done), g CLEANUP(fake_world_done);
    struct case_run met CLEANUP(case_done), unmet CLEANUP(case_done);
    fake_world_init(&f);
    fake_world_init(&g);
    case_run_scenario(&met, &f,
                      HEAD "method:\n  - vault: refuse\n  - sign: {via: api, expect: {mode: "
                           "fallback, reason: refused}}\nrollback:\n  - vault: accept\n");
    assert_int_equal(met.judged.verdict, VERDICT_PASS);
    assert_string_equal(met.judged.faults[0].evidence, "audit.ndjson:4");
    case_run_scenario(&unmet, &g,
                      HEAD "method:\n  - vault: refuse\n  - vault: accept\n  - sign: {via: api}\n");
    assert_int_equal(unmet.judged.verdict, VERDICT_UNKNOWN);
    expect_text(case_finding(&unmet, "fault"), "expected an audited attempt that was refused");
}

static void test_runner__too_few_shares_leave_the_window_open(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    case_run_scenario(&c, &f,
                      HEAD
                      "method:\n  - vault: seal\n  - sign: {via: api, expect: {mode: "
                      "fallback}}\nrollback:\n  - vault: {unseal: 2}\n  - vault: {unseal: 1}\n");
    assert_int_equal(c.judged.verdict, VERDICT_PASS);
    const struct record_step *last = &c.record.steps[4];
    assert_int_equal(last->plan->number, 5);
    assert_true(c.judged.faults[0].window.to_ns >= last->started.wall_ns);
    assert_true(c.judged.faults[0].window.to_ns <= last->ended.wall_ns);
}

/* --- reports --- */

static void test_report__result_is_one_json_object(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    struct buf out CLEANUP(buf_done);
    json_t *result CLEANUP(jsonread_done) = NULL;
    fake_world_init(&f);
    buf_init(&out, 1u << 20);
    f.attempts = 4;
    case_run_scenario(&c, &f, OUTAGE);
    report_format_result(&c.judged, &out);
    assert_int_equal(jsonread_parse(buf_slice(&out), &result, NULL), ERRC_OK);
    assert_int_equal(json_integer_value(json_object_get(result, "version")), REPORT_VERSION);
    assert_string_equal(jsonread_string_or(result, "verdict", ""), "fail");
    assert_string_equal(jsonread_string_or(result, "seed", ""), "7");
    assert_int_equal(json_integer_value(json_object_get(result, "exit")), 1);
    assert_int_equal(json_array_size(json_object_get(result, "steps")), 6);
    assert_int_equal(json_array_size(json_object_get(result, "calls")), 3);
    const json_t *finding = json_array_get(json_object_get(result, "findings"), 0);
    assert_string_equal(jsonread_string_or(finding, "rule", ""), "attempts");
}

static void test_report__history_tells_each_call_as_invoke_and_outcome(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    struct buf out CLEANUP(buf_done);
    fake_world_init(&f);
    buf_init(&out, 1u << 20);
    case_run_scenario(&c, &f, OUTAGE);
    report_format_history(&c.judged, &out);
    struct slice rest = buf_slice(&out);
    int64_t before = 0, invokes = 0, oks = 0;
    while (rest.len > 0) {
        json_t *line CLEANUP(jsonread_done) = NULL;
        assert_int_equal(jsonread_parse(slice_cut(&rest, '\n'), &line, NULL), ERRC_OK);
        int64_t at = json_integer_value(json_object_get(line, "offset_ms"));
        assert_true(at >= before);
        before = at;
        invokes += strcmp(jsonread_string_or(line, "event", ""), "invoke") == 0;
        oks += strcmp(jsonread_string_or(line, "event", ""), "ok") == 0;
    }
    assert_int_equal(invokes, 3);
    assert_int_equal(oks, 3);
}

static void test_report__junit_counts_what_it_shows_and_escapes(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    struct buf out CLEANUP(buf_done);
    fake_world_init(&f);
    buf_init(&out, 1u << 20);
    case_run_scenario(&c, &f,
                      HEAD "method:\n  - vault: seal\n  - sign: {via: api, expect: {attempts: 2}}\n"
                           "  - log: {service: api, contains: \"a<b>&\"}\n");
    report_format_junit(&c.judged, &out);
    const char *text = buf_text(&out);
    expect_text(text,
                "<testsuite name=\"case\" tests=\"6\" failures=\"3\" errors=\"0\" skipped=\"0\"");
    expect_text(text, "contains &quot;a&lt;b&gt;&amp;&quot;");
    expect_text(text, "<failure type=\"fail\" message=\"step 3 (line 8, ");
    expect_text(text, "<property name=\"verdict\" value=\"fail\"/>");
    size_t failures = 0;
    for (const char *at = text; (at = strstr(at, "<failure ")) != NULL; at++)
        failures++;
    assert_int_equal(failures, 3);
}

/* What is told again from result.json is what was told of the judgement. */
static void test_report__junit_is_the_same_from_the_result(void **state)
{
    (void)state;
    static const char *const scenarios[] = {
        OUTAGE,
        HEAD "method:\n  - vault: seal\n  - sign: {via: api, expect: {attempts: 2}}\n"
             "  - log: {service: api, contains: \"a<b>&\"}\n",
        HEAD "method:\n  - vault: {respond: 503}\n",
    };
    for (size_t i = 0; i < COUNT(scenarios) * 2; i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        struct report_result read CLEANUP(report_result_done) = {0};
        struct buf alone CLEANUP(buf_done), result CLEANUP(buf_done), again CLEANUP(buf_done);
        fake_world_init(&f);
        buf_init(&alone, 1u << 20);
        buf_init(&result, 1u << 20);
        buf_init(&again, 1u << 20);
        f.interrupt_before = i < COUNT(scenarios) ? 0 : 1; /* steps are left out */
        f.no_backoff = i % 2 == 0;
        case_run_scenario(&c, &f, scenarios[i % COUNT(scenarios)]);
        report_format_junit(&c.judged, &alone);
        report_format_result(&c.judged, &result);
        assert_int_equal(report_result_read(buf_slice(&result), &read, NULL), ERRC_OK);
        buf_add_text(&again, REPORT_JUNIT_HEAD "<testsuites>\n  ");
        report_junit_suite(&read.run, &again);
        buf_add_text(&again, "</testsuites>\n");
        assert_string_equal(buf_text(&again), buf_text(&alone));
    }
}

static void test_report__a_result_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"{", "line 1"},
        {"{}", "scenario"},
        {"{\"scenario\":\"s\",\"verdict\":\"pass\",\"seed\":\"1\",\"started\":\"2026\",\"took_ms\":"
         "1,"
         "\"findings\":[{\"verdict\":\"fine\",\"rule\":\"r\",\"text\":\"t\"}],\"steps\":[]}",
         "verdict \"fine\" is unknown"},
        {"{\"scenario\":\"s\",\"verdict\":\"pass\",\"seed\":\"1\",\"started\":\"2026\",\"took_ms\":"
         "1,"
         "\"findings\":[],\"steps\":[{\"number\":-1}]}",
         "number"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct report_result read CLEANUP(report_result_done) = {0};
        struct errc_why why = {""};
        assert_int_not_equal(report_result_read(slice_of(rows[i].text), &read, &why), ERRC_OK);
        expect_text(why.text, rows[i].why);
    }
}

static void test_report__a_run_without_a_result_is_an_error_or_skipped(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    report_junit_substitute("a<b", VERDICT_INTERNAL, &out);
    report_junit_substitute("s", VERDICT_SKIPPED, &out);
    assert_string_equal(
        buf_text(&out),
        "<testsuite name=\"a&lt;b\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n"
        "<testcase classname=\"a&lt;b\" name=\"run\"><error message=\"internal\"/></testcase>\n"
        "</testsuite>\n"
        "<testsuite name=\"s\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\">\n"
        "<testcase classname=\"s\" name=\"run\"><skipped message=\"skipped\"/></testcase>\n"
        "</testsuite>\n");
}

static void test_report__the_timeline_can_be_read(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    struct buf out CLEANUP(buf_done), findings CLEANUP(buf_done);
    fake_world_init(&f);
    buf_init(&out, 1u << 20);
    buf_init(&findings, 1u << 20);
    f.no_backoff = true;
    case_run_scenario(&c, &f, OUTAGE);
    report_format_timeline(&c.judged, &out);
    expect_text(buf_text(&out), "case: p & <q>\n2025-11-23T17:46:40.");
    expect_text(buf_text(&out),
                "seed 7\nverdict: fail, an expectation or an invariant does not hold");
    expect_text(buf_text(&out), "\n-- steady state again\n");
    expect_text(buf_text(&out), "fault sealed: met 3 times (journal.ndjson:4)\n");
    report_format_findings(&c.judged, &findings);
    assert_string_equal(buf_text(&findings),
                        "fail: backoff: expected a wait of 125..250 ms before attempt 2, asked for "
                        "were 0 (audit.ndjson:4)\n");
}

/* A world in which sign steps stay under way, and that answers a wait with the call it is for. */
static enum errc act_later(void *context, const struct world_step *step, struct world_outcome *out,
                           struct errc_why *why)
{
    static const char bundle[] = "00000000-0000-4000-8000-000000000099";
    (void)context;
    (void)why;
    bool waits = step->step->verb->role == VERB_WAITS;
    if (step->bundle != NULL)
        assert_string_equal(step->bundle, bundle);
    out->call = (struct world_call){.finished = waits, .exit = -1, .attempts = (int)step->call};
    (void)snprintf(out->call.bundle, sizeof out->call.bundle, "%s", bundle);
    return ERRC_OK;
}

static void test_runner__two_calls_for_one_bundle_get_their_own_answers(void **state)
{
    (void)state;
    static const char text[] =
        "version: 1\npurpose: p\nsteady_state:\n  - status: {online: true}\nmethod:\n"
        "  - sign: {via: api, as: one, background: true}\n"
        "  - sign: {via: api, retry: one, as: two, background: true}\n"
        "  - wait_for: {sign: one}\n  - wait_for: {sign: two}\n";
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done) = {0};
    struct lint lint CLEANUP(lint_done) = {0};
    struct errc_why why = {{0}};
    fake_world_init(&f);
    struct world world = fake_port(&f);
    world.act = act_later;
    if (scenario_parse(slice_of(text), "case.yaml", &c.scenario, &lint, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    assert_int_equal(plan_make(&c.scenario, &c.plan, NULL), ERRC_OK);
    runner_run(&c.scenario, &c.plan, &world, 7, &c.record, &c.judged);
    assert_int_equal(c.record.call_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(c.record.calls[i].told.finished);
        assert_int_equal(c.record.calls[i].told.attempts, i);
    }
    assert_string_equal(c.record.calls[0].name, "one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runner__runs_every_phase_and_the_steady_state_twice),
        cmocka_unit_test(test_runner__two_calls_for_one_bundle_get_their_own_answers),
        cmocka_unit_test(test_runner__without_a_steady_state_nothing_is_done),
        cmocka_unit_test(test_runner__a_rollback_that_does_not_restore_is_dirty),
        cmocka_unit_test(test_runner__a_failed_expectation_fails_and_the_rest_still_runs),
        cmocka_unit_test(test_runner__a_step_that_cannot_be_done_ends_the_method_not_the_rollback),
        cmocka_unit_test(test_runner__a_stack_that_does_not_start_is_ours_or_its_own),
        cmocka_unit_test(test_runner__who_stops_it_still_gets_the_rollback),
        cmocka_unit_test(test_runner__who_stops_it_twice_gets_none),
        cmocka_unit_test(test_runner__missing_evidence_is_unknown),
        cmocka_unit_test(test_runner__a_trail_that_is_gone_starts_nothing),
        cmocka_unit_test(test_runner__a_rule_that_nobody_meets_is_not_exercised),
        cmocka_unit_test(test_runner__a_rule_is_met_by_its_id),
        cmocka_unit_test(test_runner__a_closed_listener_needs_a_refused_attempt),
        cmocka_unit_test(test_runner__too_few_shares_leave_the_window_open),
        cmocka_unit_test(test_report__result_is_one_json_object),
        cmocka_unit_test(test_report__history_tells_each_call_as_invoke_and_outcome),
        cmocka_unit_test(test_report__junit_counts_what_it_shows_and_escapes),
        cmocka_unit_test(test_report__junit_is_the_same_from_the_result),
        cmocka_unit_test(test_report__a_result_that_is_none_is_refused),
        cmocka_unit_test(test_report__a_run_without_a_result_is_an_error_or_skipped),
        cmocka_unit_test(test_report__the_timeline_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
