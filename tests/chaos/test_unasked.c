/*
 * What a client does to Vault while nobody asked it to (judge/invariants_request.h): each planted
 * request is named with its line, and what the subject's table allows is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "tests/chaos/fake/case.h"

/* Lines of the journal: 1 start; 2, 3 steady state; 4, 5 the call; 6, 7 steady state again. */
static const char healthy[] = "version: 1\npurpose: p\n"
                              "steady_state:\n  - sign: {via: api}\n"
                              "method:\n  - sign: {via: api, as: one}\n";

static const char pinned[] = "version: 1\npurpose: p\n"
                             "steady_state:\n  - sign: {via: api}\n"
                             "method:\n  - trust: accept\n  - sign: {via: api}\n";

#define LAST_LINE 7
#define BEGINNING "2025-11-23T17:46:40." /* of the fake world's time */

/* Appends requests behind the last line. */
static void add_requests(struct buf *out, const char *method, const char *path, const char *more,
                         int count)
{
    buf_add_text(out, "\"executed\":true");
    for (int i = 0; i < count; i++)
        buf_addf(out,
                 "}\n{\"seq\":%d,\"kind\":\"request\",\"wall\":\"" BEGINNING
                 "900Z\",\"conn\":1,\"method\":\"%s\",\"path\":\"%s\"%s",
                 LAST_LINE + 1 + i, method, path, more);
}

/* Runs a scenario behind which the journal has these requests; *text is the finding, or NULL. */
static void run(struct case_run *c, const char *scenario, const char *method, const char *path,
                const char *more, int count)
{
    struct fake_world f CLEANUP(fake_world_done);
    struct buf to CLEANUP(buf_done);
    buf_init(&to, 1u << 16);
    fake_world_init(&f);
    add_requests(&to, method, path, more, count);
    fake_world_edit(&f, (struct fake_world_edit){.file = FAKE_JOURNAL,
                                                 .line = LAST_LINE,
                                                 .from = "\"executed\":true",
                                                 .to = buf_text(&to)});
    case_run_scenario(c, &f, scenario);
}

static void expect_unasked(const char *method, const char *path, int count, const char *text)
{
    struct case_run c CLEANUP(case_done);
    run(&c, healthy, method, path, "", count);
    const char *found = case_finding(&c, "unasked");
    if (found == NULL || strstr(found, text) == NULL)
        fail_msg("%s %s: %s", method, path, found == NULL ? "nothing was found" : found);
    assert_int_equal(c.judged.verdict, VERDICT_FAIL);
}

static void expect_nothing(const char *method, const char *path, const char *more, int count)
{
    struct case_run c CLEANUP(case_done);
    run(&c, healthy, method, path, more, count);
    const char *found = case_finding(&c, "unasked");
    if (found != NULL)
        fail_msg("%s %s: %s", method, path, found);
}

static void test_unasked__what_nobody_asked_for_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
    } planted[] = {
        {"POST", "/v1/transit/keys/docugen-manifest"},
        {"POST", "/v1/transit/keys/docugen-manifest/rotate"},
        {"POST", "/v1/sys/mounts/transit"},
        {"GET", "/v1/sys/seal-status"},
        {"POST", "/v1/auth/token/create"},
        {"POST", "/v1/sys/unseal"},
        {"POST", "/v1/sys/health"},
    };
    for (size_t i = 0; i < COUNT(planted); i++)
        expect_unasked(planted[i].method, planted[i].path, 1, "(journal.ndjson:8)");
}

static void test_unasked__the_key_is_read_only_while_it_is_pinned(void **state)
{
    (void)state;
    expect_unasked("GET", "/v1/transit/keys/docugen-manifest", 1,
                   "expected the client to ask Vault for a key only while it was told to pin it");
}

static void test_unasked__health_is_asked_as_often_as_configured(void **state)
{
    (void)state;
    expect_nothing("GET", "/v1/sys/health", "", 3);
    expect_unasked("GET", "/v1/sys/health", 90, "requests GET HEAD /v1/sys/health in this run");
}

static void test_unasked__requests_of_our_own_are_not_the_clients(void **state)
{
    (void)state;
    expect_nothing("POST", "/v1/sys/unseal", ",\"test\":\"" FAKE_WORLD_MARK "\"", 1);
    struct case_run c CLEANUP(case_done);
    run(&c, healthy, "POST", "/v1/sys/unseal", ",\"test\":\"chaos-guessed\"", 1);
    assert_non_null(case_finding(&c, "unasked"));
}

static void test_unasked__clean_journals_pass(void **state)
{
    (void)state;
    static const char *const scenarios[] = {healthy, pinned};
    for (size_t i = 0; i < 2; i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        case_run_scenario(&c, &f, scenarios[i]);
        assert_null(case_finding(&c, "unasked"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unasked__what_nobody_asked_for_is_named_with_its_line),
        cmocka_unit_test(test_unasked__the_key_is_read_only_while_it_is_pinned),
        cmocka_unit_test(test_unasked__health_is_asked_as_often_as_configured),
        cmocka_unit_test(test_unasked__requests_of_our_own_are_not_the_clients),
        cmocka_unit_test(test_unasked__clean_journals_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
