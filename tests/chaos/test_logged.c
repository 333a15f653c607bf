/*
 * What a signer logs is what its trail has (judge/invariants_log.h): each planted line is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "chaos/core/ledger/log_text.h"
#include "tests/chaos/fake/case.h"

/* Lines of the trail: 1, 2 steady state; 3, 4 the outage; 5, 6 steady state again; one line of the
 * log for each two. */
static const char sealed[] = "version: 1\npurpose: p\n"
                             "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"
                             "steady_state:\n  - sign: {via: api}\n"
                             "method:\n  - vault: seal\n  - sign: {via: api, as: outage}\n"
                             "rollback:\n  - vault: {unseal: 3}\n";

static const char sealed_off[] =
    "version: 1\npurpose: p\n"
    "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"false\"}}\n"
    "steady_state:\n  - sign: {via: api}\n"
    "method:\n  - vault: seal\n"
    "  - sign: {via: api, as: outage, expect: {reason: fallback_off}}\n"
    "rollback:\n  - vault: {unseal: 3}\n";

#define SECOND "bundle=00000000-0000-4000-8000-000000000002"

static const struct {
    const char *scenario, *from, *to; /* the first occurrence in the log */
    const char *text;                 /* that the finding must contain */
} planted[] = {
    {sealed, "attempts=3", "attempts=1",
     "expected attempts=3 in the log line of bundle 00000000-0000-4000-8000-000000000002, as the "
     "trail has it (audit.ndjson:4), found 1 (api.log:2)"},
    {sealed, "signing_mode=fallback", "signing_mode=vault", "expected signing_mode=fallback"},
    {sealed, "signing_mode=fallback", "mode=fallback", "found none (api.log:2)"},
    {sealed, " reason=sealed", "", "expected reason=sealed"},
    {sealed, "reason=sealed", "reason=timeout", "found timeout (api.log:2)"},
    {sealed, "signing_mode=vault", "reason=sealed signing_mode=vault", "expected no reason"},
    {sealed, "key=sha256:", "key=sha256:00", "expected key=sha256:"},
    {sealed, "actor=api", "actor=worker", "expected actor=api"},
    {sealed, "level=info", "level=error", "expected level=info"},
    {sealed, "event=signed " SECOND, "event=nothing " SECOND,
     "expected a log line of the signature of bundle 00000000-0000-4000-8000-000000000002 "
     "(audit.ndjson:4), there is none"},
    {sealed, SECOND, "bundle=another", "to go with api.log:2"},
    {sealed, "level=info", "level=info event=signed bundle=another\nlevel=info",
     "there is no result for bundle another to go with api.log:1"},
    {sealed_off, "error=vault_unavailable", "error=internal", "expected error=vault_unavailable"},
    {sealed_off, "class=sealed", "class=denied", "expected class=sealed"},
    {sealed_off, "level=error", "level=info", "expected level=error"},
    {sealed_off, "reason=fallback_off", "reason=sealed", "expected reason=fallback_off"},
    {sealed_off, "event=blocked", "event=nothing", "expected a log line of the failure"},
};

static bool has_finding(const struct case_run *c, const char *text)
{
    for (size_t i = 0; i < c->judged.findings.count; i++)
        if (strcmp(c->judged.findings.items[i].rule, "logged") == 0 &&
            strstr(c->judged.findings.items[i].text, text) != NULL)
            return true;
    return false;
}

static void test_logged__each_planted_line_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(planted); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        fake_world_edit(
            &f, (struct fake_world_edit){
                    .file = FAKE_API_LOG, .line = 1, .from = planted[i].from, .to = planted[i].to});
        case_run_scenario(&c, &f, planted[i].scenario);
        if (!has_finding(&c, planted[i].text))
            fail_msg("%s -> %s: %s", planted[i].from, planted[i].to,
                     case_finding(&c, "logged") == NULL ? "nothing" : case_finding(&c, "logged"));
        assert_int_equal(c.judged.verdict, VERDICT_FAIL);
    }
}

static void test_logged__true_logs_pass(void **state)
{
    (void)state;
    static const char *const scenarios[] = {sealed, sealed_off};
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        case_run_scenario(&c, &f, scenarios[i]);
        assert_null(case_finding(&c, "logged"));
        assert_int_equal(c.judged.verdict, VERDICT_PASS);
    }
}

static void test_log_text__fields_are_found_behind_quoted_ones(void **state)
{
    (void)state;
    struct slice line = SLICE_LITERAL("ts=1 message=\"a \\\"key=b\\\" c\" key=v last=");
    struct slice value;
    assert_true(log_text_field(line, "key", &value));
    assert_true(slice_equal_text(value, "v"));
    assert_true(log_text_field(line, "last", &value));
    assert_int_equal(value.len, 0);
    assert_false(log_text_field(line, "a", &value));
    assert_false(log_text_field(slice_of("key"), "other", &value));
    assert_false(log_text_field(slice_of("m=\"never ends"), "other", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logged__each_planted_line_is_named),
        cmocka_unit_test(test_logged__true_logs_pass),
        cmocka_unit_test(test_log_text__fields_are_found_behind_quoted_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
