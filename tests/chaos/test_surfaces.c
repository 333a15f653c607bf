/*
 * What a signer's surfaces answer (judge/invariants_surface.h, judge/invariants_metric.h): each
 * planted answer is named, and true ones pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "tests/chaos/fake/case.h"

#define SCENARIO(fallback)                                                                         \
    "version: 1\npurpose: p\n"                                                                     \
    "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"" fallback "\"}}\n"                           \
    "steady_state:\n  - sign: {via: api}\n"                                                        \
    "method:\n  - vault: seal\n  - sign: {via: api, as: outage, expect: {status: "

static const char sealed[] = SCENARIO("true") "completed}}\nrollback:\n  - vault: {unseal: 3}\n";
static const char sealed_off[] = SCENARIO("false") "blocked}}\nrollback:\n  - vault: {unseal: 3}\n";
static const char sealed_long[] = SCENARIO("true") "completed}}\n  - sign: {via: api}\n"
                                                   "rollback:\n  - vault: {unseal: 3}\n";
static const char pinned[] = "version: 1\npurpose: p\n"
                             "steady_state:\n  - sign: {via: api}\n"
                             "method:\n  - trust: accept\n";

#define ANSWER(what, ...)                                                                          \
    {                                                                                              \
        .surface = WORLD_##what, __VA_ARGS__                                                       \
    }
#define SWAP(a, b) .from = (a), .to = (b)

static const struct planted {
    const char *scenario;
    const char *rule, *text; /* that must be broken, and what its finding must contain */
    struct fake_world_answer answer;
} planted[] = {
    {sealed, "counted", "expected signing_total{mode=\"fallback\"} of api to be 1",
     ANSWER(NUMBERS, SWAP("{mode=\"fallback\"} 1", "{mode=\"fallback\"} 0"))},
    {sealed, "counted", "expected signing_total{mode=\"vault\"} of api to be 1",
     ANSWER(NUMBERS, SWAP("{mode=\"vault\"} 1", "{mode=\"vault\"} 2"))},
    {sealed, "counted", "found none", ANSWER(NUMBERS, SWAP("signing_total", "total"))},
    {sealed, "counted", "expected signing_attempts_total{class=\"sealed\"} of api to be 3",
     ANSWER(NUMBERS, SWAP("{class=\"sealed\"} 3", "{class=\"sealed\"} 1"))},
    {sealed, "counted", "expected signing_backoff_seconds_count of api to be 2",
     ANSWER(NUMBERS, SWAP("seconds_count 2", "seconds_count 0"))},
    {sealed, "counted", "expected signing_backoff_seconds_sum of api to be 0.6",
     ANSWER(NUMBERS, SWAP("seconds_sum 0.6", "seconds_sum 0.7"))},
    {sealed, "counted", "expected signing_fallback_active of api to be 1",
     ANSWER(NUMBERS, SWAP("active 1", "active 0"))},
    {sealed, "counted", "expected signing_fallback_allowed of api to be 1",
     ANSWER(NUMBERS, SWAP("allowed 1", "allowed 0"))},
    {sealed, "counted", "expected vault_up of api to be 1",
     ANSWER(NUMBERS, SWAP("vault_up 1", "vault_up 0"))},
    {sealed_long, "counted", "expected vault_up of api to be 0",
     ANSWER(NUMBERS, SWAP("vault_up 0", "vault_up 1"))},

    {sealed, "surfaces", "expected api to be well", ANSWER(HEALTH, .status = 503)},
    {sealed, "surfaces", "expected api to be unwell",
     ANSWER(HEALTH, .trail = WORLD_TRAIL_UNWRITABLE)},
    {sealed, "surfaces", "expected vault.up=true in the health of api",
     ANSWER(HEALTH, SWAP("\"up\":true", "\"up\":false"))},
    {sealed, "surfaces", "expected fallback.allowed=true",
     ANSWER(HEALTH, SWAP("\"allowed\":true", "\"allowed\":false"))},
    {sealed, "surfaces", "expected fallback.active=true",
     ANSWER(HEALTH, SWAP("\"active\":true", "\"active\":false"))},
    {sealed, "surfaces", "expected audit.writable=true",
     ANSWER(HEALTH, SWAP("\"writable\":true", "\"writable\":1"))},

    {sealed, "surfaces", "with reason \"sealed\"",
     ANSWER(RUN, SWAP("\"reason\":\"sealed\"", "\"reason\":\"timeout\""))},
    {sealed, "surfaces", "with mode \"fallback\"",
     ANSWER(RUN, SWAP("\"mode\":\"fallback\"", "\"mode\":\"vault\""))},
    {sealed, "surfaces", "with 3 attempts", ANSWER(RUN, SWAP("\"attempts\":3", "\"attempts\":1"))},
    {sealed, "surfaces", "expected an event MANIFEST_SIGNED",
     ANSWER(RUN, SWAP("MANIFEST_SIGNED", "OTHER"))},
    {sealed, "surfaces", "expected createdAt of the run of bundle",
     ANSWER(RUN, SWAP("\"createdAt\":\"2025-", "\"createdAt\":\"2026-"))},
    {sealed, "surfaces", "expected an event of the run of bundle",
     ANSWER(RUN, SWAP("\"at\":\"2025-", "\"at\":\"2024-"))},
    {sealed, "surfaces", "expected a link self", ANSWER(RUN, SWAP("\"self\"", "\"me\""))},
    {sealed, "surfaces", "with id ", ANSWER(RUN, SWAP("\"id\":\"0", "\"id\":\"1"))},
    {sealed_off, "surfaces", "has a signature", ANSWER(RUN, SWAP("blocked", "completed"))},
    {sealed_off, "surfaces", "expected an error in the run", ANSWER(RUN, SWAP("error", "trouble"))},

    {sealed, "surfaces", "over HTTP as it was published",
     ANSWER(SERVED, SWAP("\"signature\"", "\n\"signature\""))},
    {sealed, "surfaces", "over HTTP, api answered 404", ANSWER(SERVED, .status = 404)},
    {sealed, "surfaces", "good, whose key", ANSWER(VERIFIED, .status = 1)},
    {sealed, "surfaces", "bad once it was changed", ANSWER(TAMPERED, .status = -1)},
    {sealed, "surfaces", "was signed before it was asked", ANSWER(PRINTED, SWAP("false", "true"))},
    {pinned, "surfaces", "expected Vault's newest key to be pinned",
     ANSWER(PINNED, SWAP("sha256:", "sha256:0"))},
};

static bool has_finding(const struct case_run *c, const struct planted *p)
{
    for (size_t i = 0; i < c->judged.findings.count; i++)
        if (strcmp(c->judged.findings.items[i].rule, p->rule) == 0 &&
            strstr(c->judged.findings.items[i].text, p->text) != NULL)
            return true;
    return false;
}

static void test_surfaces__each_planted_answer_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(planted); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.surveyed = true;
        f.answer = planted[i].answer;
        f.attempt_takes_ms = planted[i].scenario == sealed_long ? 1500 : 0;
        f.new_key = planted[i].scenario == pinned;
        case_run_scenario(&c, &f, planted[i].scenario);
        if (!has_finding(&c, &planted[i]))
            fail_msg("%zu: %s: %s", i, planted[i].text,
                     case_finding(&c, planted[i].rule) == NULL ? "nothing"
                                                               : case_finding(&c, planted[i].rule));
        assert_int_equal(c.judged.verdict, VERDICT_FAIL);
    }
}

static void test_surfaces__true_answers_pass(void **state)
{
    (void)state;
    static const char *const scenarios[] = {sealed, sealed_off, sealed_long, pinned};
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.surveyed = true;
        f.attempt_takes_ms = scenarios[i] == sealed_long ? 1500 : 0;
        f.new_key = scenarios[i] == pinned;
        case_run_scenario(&c, &f, scenarios[i]);
        assert_true(f.sample_count > 0);
        for (size_t k = 0; k < c.judged.findings.count; k++)
            fail_msg("%zu: %s: %s", i, c.judged.findings.items[k].rule,
                     c.judged.findings.items[k].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_surfaces__each_planted_answer_is_named),
        cmocka_unit_test(test_surfaces__true_answers_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
