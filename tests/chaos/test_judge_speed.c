/*
 * Judging grows with what there is to judge, and not with its square: four times the calls take
 * about four times as long. What is measured is reading the ledgers as they grow, joining, judging
 * and reporting; not the verification of signatures, which is one by one anyway.
 *
 * The ratio is what is required, so that a slow or busy machine does not matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/text/stamp.h"
#include "chaos/core/judge/exercise.h"
#include "chaos/core/judge/invariants/invariants.h"
#include "chaos/core/judge/judge.h"
#include "chaos/core/ledger/evidence.h"
#include "chaos/core/report/report.h"
#include "chaos/core/scenario/read/scenario_parse.h"

#define FEW 4000u
#define MANY 16000u /* four times as many */
#define RATIO_MAX 8.0
#define PIECES 50u         /* in which the ledgers come */
#define ROUNDS 40u         /* of faults in the method */
#define CALL_NS 2000000000 /* from one call to the next */
#define MS 1000000
#define BEGINNING 1763920000000000000
#define TEXT_BYTES_MAX ((size_t)230 << 20)

struct load {
    size_t calls;
    struct buf audit, journal;
    size_t audit_shown, journal_shown; /* bytes that are there by now */
    unsigned entries, seq;
    char previous[DIGEST_HEX_BYTES];
    struct scenario scenario;
    struct plan plan;
    struct record record;
    struct evidence evidence;
};

/* --- what was run --- */

/* The seal is undone in each round, so that Vault is healthy while the calls are made. */
static void read_scenario(struct load *l)
{
    struct buf text CLEANUP(buf_done);
    struct lint lint CLEANUP(lint_done) = {0};
    struct errc_why why = {{0}};
    buf_init(&text, 1u << 20);
    buf_add_text(&text, "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: api}\nmethod:\n"
                        "  - sign: {via: worker}\n  - sign: {via: cli}\n");
    for (unsigned i = 0; i < ROUNDS; i++)
        buf_add_text(&text, "  - vault: {respond: 503, times: 1}\n  - vault: {seal: at_request}\n"
                            "  - vault: seal\n  - vault: {unseal: 3}\n  - vault: reset\n");
    if (scenario_parse(buf_slice(&text), "x.yaml", &l->scenario, &lint, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    assert_int_equal(plan_make(&l->scenario, &l->plan, NULL), ERRC_OK);
    assert_int_equal(record_init(&l->record, &l->scenario, &l->plan, 1), ERRC_OK);
    l->record.begun = true;
    l->record.started = (struct instant){.mono_ns = 0, .wall_ns = BEGINNING};
    int64_t end_ns = (int64_t)(l->calls + 1) * CALL_NS;
    l->record.ended = (struct instant){.mono_ns = end_ns, .wall_ns = BEGINNING + end_ns};
}

/* All faults are over before the first call. */
static void note_steps(struct load *l)
{
    struct record *r = &l->record;
    for (size_t i = 0; i < l->plan.count; i++) {
        const struct plan_step *plan = &l->plan.steps[i];
        int64_t at_ns = BEGINNING + (int64_t)i * 1000;
        r->steps[r->step_count++] = (struct record_step){.plan = plan, .note = "", .message = ""};
        if (plan->step->verb->role == VERB_ACTS)
            r->changes[r->change_count++] =
                (struct condition_change){.plan = plan,
                                          .from_ns = at_ns,
                                          .to_ns = at_ns + 1,
                                          .effect = scenario_effect(plan->step, &l->scenario.stack),
                                          .rule = pool_format(&r->pool, "step-%zu", plan->number)};
    }
}

static const char *const doors[] = {"api", "worker", "cli"};

static void note_call(struct load *l, size_t i, int64_t took_ns)
{
    struct record *r = &l->record;
    bool command = i % 3 == 2;
    int64_t at_ns = BEGINNING + (int64_t)i * CALL_NS + CALL_NS / 2;
    struct record_contract contract = {.via = doors[i % 3],
                                       .from_ns = at_ns,
                                       .fallback_allowed = true,
                                       .attempts_max = 3,
                                       .base_ms = 250,
                                       .max_ms = 2000,
                                       .attempt_timeout_ms = 2000,
                                       .total_timeout_ms = 10000};
    struct record_call call = {.plan = &l->plan.steps[i % 3], .via = doors[i % 3]};
    call.contract = contract;
    call.told = (struct world_call){.finished = true,
                                    .exit = command ? 0 : -1,
                                    .status = "completed",
                                    .mode = "vault",
                                    .attempts = -1};
    call.told.started.wall_ns = at_ns;
    call.told.ended.wall_ns = at_ns + took_ns;
    (void)snprintf(call.told.bundle, sizeof call.told.bundle, "bundle-%zu", i);
    r->contracts[r->contract_count++] = contract;
    r->calls[r->call_count++] = call;
}

/* --- what it left behind --- */

static void hash_of(const char *what, size_t i, char out[static DIGEST_HEX_BYTES])
{
    char text[64];
    int len = snprintf(text, sizeof text, "%s%zu", what, i);
    digest_sha256_hex(slice_bytes(text, (size_t)len), out);
}

static const char *stamp(int64_t wall_ns, char room[static STAMP_BYTES])
{
    stamp_format(wall_ns, STAMP_NANO, room);
    return room;
}

/* payload: without its braces. */
static void add_entry(struct load *l, size_t i, const char *action, int64_t wall_ns,
                      const char *payload)
{
    char at[STAMP_BYTES], input[DIGEST_HEX_BYTES];
    size_t from = l->audit.len;
    bool command = i % 3 == 2;
    hash_of("input", i, input);
    buf_addf(&l->audit,
             "{\"action\":\"%s\",\"actor\":{\"id\":\"%s\",\"type\":\"%s\"},\"bundleRunId\":"
             "\"bundle-%zu\",\"id\":\"e%u\",\"payload\":{\"input_sha256\":\"%s\","
             "\"keyFingerprint\":\"sha256:f\",\"manifestHash\":\"sha256:h\"%s,"
             "\"previous\":\"%s\"},\"timestamp\":\"%s\"}",
             action, command ? "chaos" : doors[i % 3], command ? "cli-user" : "automation", i,
             ++l->entries, input, payload, l->previous, stamp(wall_ns, at));
    digest_sha256_hex(slice_from(buf_slice(&l->audit), from), l->previous);
    buf_add_char(&l->audit, '\n');
}

static void add_request(struct load *l, size_t i, size_t attempt, int status, int64_t wall_ns)
{
    char at[STAMP_BYTES], input[DIGEST_HEX_BYTES], signature[DIGEST_HEX_BYTES];
    char text[64];
    hash_of("input", i, input);
    (void)snprintf(text, sizeof text, "vault:v1:%zu", i);
    digest_sha256_hex(slice_of(text), signature);
    buf_addf(&l->journal,
             "{\"seq\":%u,\"kind\":\"request\",\"wall\":\"%s\",\"path\":\"/v1/transit/sign/k\","
             "\"input_sha256\":[\"%s\"],\"attempt\":%zu}\n",
             ++l->seq, stamp(wall_ns, at), input, attempt);
    buf_addf(&l->journal,
             "{\"seq\":%u,\"kind\":\"reply\",\"wall\":\"%s\",\"request\":%u,\"status\":%d,"
             "\"executed\":%s%s%s%s}\n",
             l->seq + 1, stamp(wall_ns + MS, at), l->seq, status, status == 200 ? "true" : "false",
             status == 200 ? ",\"signature_sha256\":[\"" : "", status == 200 ? signature : "",
             status == 200 ? "\"]" : "");
    l->seq++;
}

/* Every third one is answered only at its third attempt; returns when it was. */
static int64_t add_attempts(struct load *l, size_t i, int64_t at_ns, struct buf *out)
{
    size_t count = i % 3 == 0 ? 3 : 1;
    char room[STAMP_BYTES];
    for (size_t n = 1; n <= count; n++) {
        int64_t wait_ms = n == 1 ? 0 : 125 * ((int64_t)n - 1) + (int64_t)(i * 37 % 125);
        bool last = n == count;
        at_ns += (wait_ms + 2) * MS;
        buf_addf(out,
                 "%s{\"class\":\"%s\",\"n\":%zu,\"status\":%d,\"started_at\":\"%s\","
                 "\"wait_ms\":%" PRId64 ",\"resends\":0}",
                 n == 1 ? "" : ",", last ? "ok" : "sealed", n, last ? 200 : 503, stamp(at_ns, room),
                 wait_ms);
        add_request(l, i, n, last ? 200 : 503, at_ns + MS);
        at_ns += 3 * MS;
    }
    return at_ns;
}

static void add_call(struct load *l, size_t i)
{
    struct buf payload CLEANUP(buf_done);
    char sha[DIGEST_HEX_BYTES], text[64], at[STAMP_BYTES];
    int64_t from_ns = BEGINNING + (int64_t)i * CALL_NS + CALL_NS / 2;
    buf_init(&payload, 4096);
    add_entry(l, i, "MANIFEST_SIGNING_STARTED", from_ns + MS, "");
    buf_add_text(&payload, ",\"attempts\":[");
    int64_t to_ns = add_attempts(l, i, from_ns + MS, &payload);
    (void)snprintf(text, sizeof text, "vault:v1:%zu", i);
    digest_sha256_hex(slice_of(text), sha);
    buf_addf(&payload,
             "],\"signature\":\"%s\",\"signature_sha256\":\"%s\",\"signing.fallback\":false,"
             "\"signingMode\":\"vault\",\"manifestId\":\"m%zu\",\"createdAt\":\"%s\","
             "\"signingKeyId\":\"k:v1\"",
             text, sha, i, stamp(from_ns + MS, at));
    add_entry(l, i, "MANIFEST_SIGNED", to_ns, buf_text(&payload));
    note_call(l, i, to_ns + MS - from_ns);
}

static void load_init(struct load *l, size_t calls)
{
    *l = (struct load){.calls = calls};
    char at[STAMP_BYTES];
    read_scenario(l);
    l->record.calls = pool_array(&l->record.pool, calls, sizeof *l->record.calls);
    l->record.contracts = pool_array(&l->record.pool, calls, sizeof *l->record.contracts);
    assert_false(l->record.pool.failed);
    note_steps(l);
    buf_init(&l->audit, TEXT_BYTES_MAX);
    buf_init(&l->journal, TEXT_BYTES_MAX);
    memset(l->previous, '0', sizeof l->previous - 1);
    buf_addf(&l->journal,
             "{\"seq\":%u,\"kind\":\"process\",\"wall\":\"%s\",\"event\":\"start\","
             "\"boot_id\":\"b1\"}\n",
             ++l->seq, stamp(BEGINNING, at));
    for (size_t i = 0; i < calls; i++)
        add_call(l, i);
    assert_false(l->audit.failed || l->journal.failed);
    evidence_init(&l->evidence);
}

static void load_done(struct load *l)
{
    evidence_done(&l->evidence);
    record_done(&l->record);
    scenario_done(&l->scenario);
    buf_done(&l->audit);
    buf_done(&l->journal);
}

/* --- the world --- */

static enum errc read_shown(void *context, enum world_evidence kind, const char *name,
                            uint64_t from, struct buf *out, struct errc_why *why)
{
    const struct load *l = context;
    struct slice text = {0};
    (void)name;
    if (kind == WORLD_AUDIT)
        text = slice_bytes(l->audit.ptr, l->audit_shown);
    else if (kind == WORLD_JOURNAL)
        text = slice_bytes(l->journal.ptr, l->journal_shown);
    else
        return errc_fail(why, ERRC_NOT_FOUND, "there is none");
    buf_add_slice(out, slice_from(text, (size_t)from));
    return ERRC_OK;
}

static size_t no_keys(void *context, const struct world_key **out)
{
    (void)context;
    *out = NULL;
    return 0;
}

static size_t no_canaries(void *context, const struct world_canary **out)
{
    (void)context;
    *out = NULL;
    return 0;
}

/* --- judging --- */

static double seconds(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_pieces(struct load *l, const struct world *world)
{
    for (size_t i = 1; i <= PIECES; i++) {
        l->audit_shown = l->audit.len * i / PIECES;
        l->journal_shown = l->journal.len * i / PIECES;
        assert_int_equal(evidence_refresh_client(&l->evidence, world, NULL), ERRC_OK);
        assert_int_equal(evidence_refresh_server(&l->evidence, world, NULL), ERRC_OK);
    }
}

/* What wait_for asks of each request that came since a call began: here, of all. */
static size_t count_strangers(const struct load *l, const struct world *world)
{
    struct evidence evidence = l->evidence;
    struct judge j = {.world = world, .run = &l->record, .evidence = &evidence};
    size_t strangers = 0;
    for (size_t i = 0; i < evidence.server.request_count; i++)
        strangers += judge_is_stranger(&j, &evidence.server.requests[i]) &&
                     !judge_belongs_to(&j, &evidence.server.requests[i], "bundle-1");
    return strangers;
}

/* The manifests are not there, and everybody was told that they are: `told`, once. */
static void check_findings(const struct judgement *judged)
{
    for (size_t i = 0; i < judged->findings.count; i++) {
        const struct verdict_finding *f = &judged->findings.items[i];
        if (strcmp(f->rule, "told") != 0 && strcmp(f->rule, "fault") != 0)
            fail_msg("%s: %s", f->rule, f->text);
    }
    assert_true(judged->findings.count > 0);
}

static double time_of(size_t calls)
{
    struct load l CLEANUP(load_done);
    struct judgement judged CLEANUP(judgement_done);
    struct buf report CLEANUP(buf_done);
    struct world world = {
        .context = &l, .read = read_shown, .keys = no_keys, .canaries = no_canaries};
    load_init(&l, calls);
    judgement_init(&judged, &l.record);
    buf_init(&report, TEXT_BYTES_MAX);
    double at = seconds(), begun = at;
    read_pieces(&l, &world);
    double read = seconds() - at;
    at = seconds();
    assert_int_equal(count_strangers(&l, &world), 0);
    double asked = seconds() - at;
    at = seconds();
    assert_int_equal(evidence_collect(&l.evidence, &world, &l.record, NULL), ERRC_OK);
    assert_int_equal(l.evidence.join.bundle_count, calls);
    assert_int_equal(l.evidence.problems.count, 0);
    double joined = seconds() - at;
    at = seconds();
    exercise_judge(&judged, &l.evidence);
    invariants_judge(&judged, &l.evidence);
    double told = seconds() - at;
    at = seconds();
    report_format_result(&judged, &report);
    report_format_history(&judged, &report);
    report_format_timeline(&judged, &report);
    print_message("%zu calls: read %.2f s, asked %.2f s, joined %.2f s, judged %.2f s, told %.2f "
                  "s\n",
                  calls, read, asked, joined, told, seconds() - at);
    check_findings(&judged);
    return seconds() - begun;
}

static void test_judge__takes_four_times_as_long_for_four_times_the_calls(void **state)
{
    (void)state;
    double few = time_of(FEW), many = time_of(MANY);
    print_message("%u calls %.2f s, %u calls %.2f s\n", FEW, few, MANY, many);
    assert_true(many / few < RATIO_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge__takes_four_times_as_long_for_four_times_the_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
