#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "signer/shell/service/service_sign.h"
#include "signer/shell/service/service_stats.h"

#define ID "0b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"

static struct run running(void)
{
    struct run run;
    assert_int_equal(run_init(&run, ID, "api", SLICE_LITERAL("{}"), 1, NULL), ERRC_OK);
    assert_int_equal(run_start(&run, 2, NULL), ERRC_OK);
    return run;
}

struct row {
    enum op_status status;
    enum op_error error;
    bool retryable;
    enum errc code;
    enum run_status want;
    const char *want_code;
};

static void test_service_sign__says_in_the_runs_words_how_signing_went(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {OP_COMPLETED, OP_ERROR_NONE, false, ERRC_OK, RUN_COMPLETED, ""},
        {OP_BLOCKED, OP_ERROR_UNAVAILABLE, true, ERRC_UNAVAILABLE, RUN_BLOCKED,
         "vault_unavailable"},
        {OP_FAILED, OP_ERROR_REFUSED, false, ERRC_UNAVAILABLE, RUN_FAILED, "vault_refused"},
        {OP_FAILED, OP_ERROR_AUDIT, true, ERRC_IO, RUN_BLOCKED, "audit_unavailable"},
        {OP_FAILED, OP_ERROR_PUBLISH, true, ERRC_UNAVAILABLE, RUN_BLOCKED, "publish_failed"},
        {OP_FAILED, OP_ERROR_BUSY, true, ERRC_STATE, RUN_BLOCKED, "bundle_busy"},
        {OP_FAILED, OP_ERROR_CONFLICT, false, ERRC_EXISTS, RUN_FAILED, "bundle_conflict"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct run run CLEANUP(run_done) = running();
        struct signing_result result = {.op = {.status = rows[i].status, .error = rows[i].error},
                                        .retryable = rows[i].retryable,
                                        .code = rows[i].code};
        strcpy(result.op.message, "words");
        assert_int_equal(service_sign_apply(&run, &result, 3, NULL), ERRC_OK);
        if (run.status != rows[i].want || strcmp(run.error.code, rows[i].want_code) != 0)
            fail_msg("row %zu: %s, \"%s\"", i, run_status_name(run.status), run.error.code);
        assert_string_equal(run.error.message, rows[i].want == RUN_COMPLETED ? "" : "words");
    }
}

static void test_service_sign__a_fallback_tells_its_reason(void **state)
{
    (void)state;
    struct run run CLEANUP(run_done) = running();
    const struct signing_result result = {.op = {.status = OP_COMPLETED, .mode = MANIFEST_FALLBACK},
                                          .attempts = 3,
                                          .reason = "sealed"};
    assert_int_equal(service_sign_apply(&run, &result, 3, NULL), ERRC_OK);
    assert_string_equal(run.signing.mode, "fallback");
    assert_string_equal(run.signing.reason, "sealed");
    assert_int_equal(run.signing.attempts, 3);
}

static void test_service_sign__bad_input_is_a_failed_validation(void **state)
{
    (void)state;
    struct run run CLEANUP(run_done) = running();
    const struct signing_result result = {.op = {.status = OP_FAILED, .error = OP_ERROR_INTERNAL},
                                          .code = ERRC_TOO_BIG};
    assert_int_equal(service_sign_apply(&run, &result, 3, NULL), ERRC_OK);
    assert_int_equal(run.status, RUN_FAILED);
    assert_int_equal(run.events[run.event_count - 1].type, RUN_VALIDATION_FAILED);
}

static struct instant stand(void *context)
{
    (void)context;
    return (struct instant){.wall_ns = 9};
}

static void test_service_sign__a_stored_bundle_that_is_none_fails_without_signing(void **state)
{
    (void)state;
    struct run run CLEANUP(run_done) = running(); /* its document is {} */
    struct service_sign nobody = {.clock = {.now = stand}};
    service_sign_run(&nobody, &run);
    assert_int_equal(run.status, RUN_FAILED);
    assert_string_equal(run.error.code, "invalid_bundle");
    assert_non_null(strstr(run.error.message, "bundleRunId"));
    assert_int_equal(run.events[run.event_count - 1].type, RUN_VALIDATION_FAILED);
}

static void test_service_stats__counts_attempts_waits_and_signatures(void **state)
{
    (void)state;
    struct service_stats stats;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1u << 16);
    service_stats_init(&stats, true);
    const struct op_result result = {
        .status = OP_COMPLETED,
        .mode = MANIFEST_FALLBACK,
        .attempts = {{.n = 1, .class = CLASSIFY_SEALED},
                     {.n = 2, .class = CLASSIFY_TIMEOUT, .wait_ms = 200},
                     {.n = 3, .class = CLASSIFY_SEALED, .wait_ms = 400}},
        .attempt_count = 3};
    const struct op_result blocked = {.status = OP_BLOCKED,
                                      .attempts = {{.n = 1, .class = CLASSIFY_REFUSED}},
                                      .attempt_count = 1};
    service_stats_signing(&stats, &result, 0);
    service_stats_signing(&stats, &blocked, 0);
    service_stats_format(&stats, 7, INT64_C(5000000000), &text);
    static const char *const lines[] = {
        "\nsigning_attempts_total{class=\"sealed\"} 2\n",
        "\nsigning_attempts_total{class=\"timeout\"} 1\n",
        "\nsigning_attempts_total{class=\"refused\"} 1\n",
        "\nsigning_backoff_seconds_count 2\n",
        "\nsigning_total{mode=\"fallback\"} 1\n",
        "\nsigning_total{mode=\"vault\"} 0\n",
        "\nsigning_fallback_active 1\n",
        "\nsigning_fallback_active_seconds 5\n",
        "\nsigning_fallback_allowed 1\n",
        "\nsigning_runs_queued 7\n",
    };
    for (size_t i = 0; i < COUNT(lines); i++)
        if (strstr(buf_text(&text), lines[i]) == NULL)
            fail_msg("no %s in:\n%s", lines[i], buf_text(&text));
    service_stats_done(&stats);
}

static void test_service_stats__tells_when_vault_goes_and_comes(void **state)
{
    (void)state;
    struct service_stats stats;
    const struct errc_why sealed = {"sealed"}, none = {""};
    service_stats_init(&stats, false);
    assert_false(service_stats_vault(&stats, false, &sealed));
    assert_true(service_stats_vault(&stats, true, &none));
    assert_false(service_stats_vault(&stats, true, &none));
    assert_string_equal(service_stats_view(&stats, 0).vault_reason.text, "");
    assert_true(service_stats_vault(&stats, false, &sealed));
    assert_string_equal(service_stats_view(&stats, 0).vault_reason.text, "sealed");
    service_stats_done(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service_sign__says_in_the_runs_words_how_signing_went),
        cmocka_unit_test(test_service_sign__a_fallback_tells_its_reason),
        cmocka_unit_test(test_service_sign__bad_input_is_a_failed_validation),
        cmocka_unit_test(test_service_sign__a_stored_bundle_that_is_none_fails_without_signing),
        cmocka_unit_test(test_service_stats__counts_attempts_waits_and_signatures),
        cmocka_unit_test(test_service_stats__tells_when_vault_goes_and_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
