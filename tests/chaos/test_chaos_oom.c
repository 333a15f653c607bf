/*
 * Every allocation of the core's entry points fails once: an error, never a
 * crash, a leak or a wrong verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/os/file.h"
#include "chaos/core/language/schema.h"
#include "chaos/core/ledger/asked.h"
#include "chaos/core/ledger/join.h"
#include "chaos/core/ledger/verify_manifest.h"
#include "chaos/core/report/schema_page.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/read/scenario_parse.h"
#include "tests/support/oom.h"

static const char good[] = "version: 1\npurpose: p\ntags: [a, b]\n"
                           "stack: {environment: {SIGNER_ATTEMPTS: \"2\"}}\n"
                           "steady_state:\n  - sign: {via: api, expect: {mode: vault}}\n"
                           "method:\n  - vault: {respond: 503, errors: [x], headers: {A: b}}\n";

static enum errc parse_and_plan(void *context)
{
    struct scenario scenario CLEANUP(scenario_done);
    struct lint lint CLEANUP(lint_done) = {0};
    struct plan plan;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1u << 16);
    TRY(scenario_parse(slice_of(context), "f.yaml", &scenario, &lint, NULL));
    TRY(plan_make(&scenario, &plan, NULL));
    plan_format(&plan, &scenario, &out);
    return buf_status(&out, NULL);
}

static void test_scenario__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(parse_and_plan, (void *)(uintptr_t)good) > 5);
}

/* A broken file is ERRC_SCHEMA when memory suffices, which counts as done here. */
static enum errc refuse(void *context)
{
    struct scenario scenario CLEANUP(scenario_done);
    struct lint lint CLEANUP(lint_done) = {0};
    enum errc code = scenario_parse(slice_of(context), "f.yaml", &scenario, &lint, NULL);
    return code == ERRC_SCHEMA ? ERRC_OK : code;
}

static void test_scenario__a_broken_file_is_never_taken_for_good(void **state)
{
    (void)state;
    static const char broken[] = "version: 2\npurpose: 1\nmethod:\n  - vault: sael\n";
    assert_true(oom_each(refuse, (void *)(uintptr_t)broken) > 1);
}

static enum errc read_ledgers(void *context)
{
    struct pool pool CLEANUP(pool_done);
    struct ledger_server server CLEANUP(ledger_server_done);
    struct ledger_client client CLEANUP(ledger_client_done);
    struct ledger_problems problems = {0};
    struct record record = {0};
    struct join join;
    (void)context;
    pool_init(&pool, 1u << 20);
    ledger_server_init(&server, &pool, &problems);
    ledger_client_init(&client, &pool, &problems);
    TRY(ledger_server_feed(
        &server,
        SLICE_LITERAL("{\"seq\":1,\"kind\":\"process\",\"event\":\"start\",\"boot_id\":\"a\"}\n"
                      "{\"seq\":2,\"kind\":\"request\",\"path\":\"/v1/transit/sign/k\","
                      "\"input_sha256\":[\"x\",\"y\"]}\n")));
    TRY(ledger_client_feed(
        &client, SLICE_LITERAL(
                     "{\"action\":\"MANIFEST_SIGNED\",\"bundleRunId\":\"b\",\"payload\":{"
                     "\"input_sha256\":\"x\",\"attempts\":[{\"n\":1,\"class\":\"ok\",\"wait_ms\":0,"
                     "\"started_at\":\"2026-11-23T18:11:46Z\"}]},"
                     "\"timestamp\":\"2026-11-23T18:11:46Z\"}\n{\"act")));
    TRY(ledger_client_end(&client));
    return join_make(&client, &server, &record, &pool, &join);
}

static void test_ledger__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(read_ledgers, NULL) > 5);
}

static enum errc verify(void *context)
{
    struct verify_manifest m;
    (void)context;
    return verify_manifest(SLICE_LITERAL("{\"b\":[1,true,null],\"a\":{\"d\":\"x\",\"c\":\"y\"},"
                                         "\"signature\":\"ed25519:AAAA\"}"),
                           NULL, 0, &m, NULL);
}

static void test_verify_manifest__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(verify, NULL) > 5);
}

static enum errc compare_asked(void *context)
{
    struct asked asked;
    (void)context;
    TRY(asked_compare(SLICE_LITERAL("{\"bundleRunId\":\"b\",\"metadata\":{}}"),
                      SLICE_LITERAL("{\"bundleRunId\":\"c\",\"metadata\":{\"signing\":1}}"), &asked,
                      NULL));
    assert_string_equal(asked.differs, "bundleRunId");
    return ERRC_OK;
}

static void test_asked__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(compare_asked, NULL) > 5);
}

static enum errc format_schema(void *context)
{
    struct buf out CLEANUP(buf_done);
    (void)context;
    buf_init(&out, 1u << 22);
    schema_format_json(&out);
    schema_page_format(&out);
    return buf_status(&out, NULL);
}

static void test_schema__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(format_schema, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario__survives_every_failed_allocation),
        cmocka_unit_test(test_scenario__a_broken_file_is_never_taken_for_good),
        cmocka_unit_test(test_ledger__survives_every_failed_allocation),
        cmocka_unit_test(test_verify_manifest__survives_every_failed_allocation),
        cmocka_unit_test(test_asked__survives_every_failed_allocation),
        cmocka_unit_test(test_schema__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
