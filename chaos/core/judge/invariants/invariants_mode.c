#include "chaos/core/judge/invariants/invariants_mode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

/* --- signingMode is the key that verifies --- */

static void expect_same(struct invariants_case *c, const struct join_bundle *b,
                        const struct ledger_entry *e, const char *what, const char *trail,
                        const char *who, const char *other)
{
    if (trail == NULL || strcmp(trail, other) == 0)
        return;
    invariants_case_caused(c, who, invariants_case_step(b, e),
                           "expected %s %s as the trail says (" LEDGER_AUDIT ":%zu), %s %s", what,
                           trail, e->line, who, other[0] == '\0' ? "says nothing" : other);
}

static void check_manifest(struct invariants_case *c, const struct join_bundle *b,
                           const struct ledger_entry *e, const struct verify_manifest *m)
{
    if (!m->good) {
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected a signature of mode %s that verifies (" LEDGER_AUDIT
                                 ":%zu), it does not: %s",
                                 ledger_client_mode_text(e->mode), e->line, m->trouble);
        return;
    }
    expect_same(c, b, e, "mode", ledger_client_mode_text(e->mode), "the key that verifies is",
                m->fallback ? "fallback" : "vault");
    expect_same(c, b, e, "mode", ledger_client_mode_text(e->mode), "the manifest says",
                m->said_mode);
    expect_same(c, b, e, "key", e->fingerprint, "the key that verifies is", m->fingerprint);
    expect_same(c, b, e, "key", e->fingerprint, "the manifest says", m->said_fingerprint);
    expect_same(c, b, e, "signed bytes", e->input_sha256, "the manifest's are", m->input_sha256);
    if (e->mode == LEDGER_MODE_FALLBACK)
        expect_same(c, b, e, "reason", e->reason == NULL ? "" : e->reason, "the manifest says",
                    m->said_reason);
    expect_same(c, b, e, "signature", e->signature_sha256, "the manifest's is",
                m->signature_sha256);
}

static void check_flag(struct invariants_case *c, const struct join_bundle *b,
                       const struct ledger_entry *e)
{
    int wanted = e->mode == LEDGER_MODE_FALLBACK;
    if (e->mode != LEDGER_MODE_VAULT && e->mode != LEDGER_MODE_FALLBACK)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected signingMode vault or fallback, found %s (" LEDGER_AUDIT
                                 ":%zu)",
                                 ledger_client_mode_text(e->mode), e->line);
    else if (e->fallback_flag != wanted)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected signing.fallback %s with signingMode %s, found %s "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 wanted ? "true" : "false", ledger_client_mode_text(e->mode),
                                 e->fallback_flag < 0 ? "none"
                                 : wanted             ? "false"
                                                      : "true",
                                 e->line);
}

static void check_told(struct invariants_case *c, const struct join_bundle *b,
                       const struct ledger_entry *e)
{
    for (size_t i = 0; i < b->call_count; i++)
        if (b->calls[i]->told.mode[0] != '\0')
            expect_same(c, b, e, "mode", ledger_client_mode_text(e->mode), "the caller was told",
                        b->calls[i]->told.mode);
}

static void check_mode(struct invariants_case *c, const struct join_bundle *b,
                       const struct ledger_entry *e)
{
    if (e->action != LEDGER_SIGNED)
        return;
    check_flag(c, b, e);
    check_told(c, b, e);
    if (b->manifest != NULL && b->manifest->state == EVIDENCE_MANIFEST_READ)
        check_manifest(c, b, e, &b->manifest->checked);
}

void invariants_mode_true(struct invariants_case *c)
{
    invariants_case_each_entry(c, check_mode);
}

/* --- fallback only where it may be --- */

static bool is_fallback(const struct ledger_entry *e)
{
    return e != NULL && e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_FALLBACK;
}

static void check_fallback(struct invariants_case *c, const struct join_bundle *b,
                           const struct ledger_entry *e)
{
    struct record_contract contract;
    size_t step = invariants_case_step(b, e);
    if (!is_fallback(e))
        return;
    if (invariants_case_contract(c, b, e, &contract) && !contract.fallback_allowed)
        invariants_case_violated(c, step,
                                 "expected no fallback, since ALLOW_FALLBACK_SIGNING is not true "
                                 "for %s, found a fallback signature (" LEDGER_AUDIT ":%zu)",
                                 contract.via, e->line);
    const char *last = e->attempt_count == 0 ? NULL : e->attempts[e->attempt_count - 1].class;
    if (!invariants_case_is_outage(last))
        invariants_case_violated(c, step,
                                 "expected a failed attempt that shows an outage before fallback, "
                                 "the last one is %s (" LEDGER_AUDIT ":%zu)",
                                 last == NULL ? "missing" : last, e->line);
}

void invariants_mode_fallback(struct invariants_case *c)
{
    invariants_case_each_entry(c, check_fallback);
}

/* --- never behind a refusal --- */

/* Statuses that say no, and never that Vault is not available: a redirect, too. */
static bool is_refusal_status(int status)
{
    bool passing =
        status == 408 || status == 412 || status == 429 || (status >= 472 && status <= 474);
    return status >= 300 && status <= 499 && !passing;
}

/* The trail may lie about what Vault said; the journal is the server's own. */
static const struct ledger_request *refused_by_server(const struct join_run *run)
{
    for (size_t i = 0; i < run->request_count; i++)
        if (is_refusal_status(run->requests[i]->status))
            return run->requests[i];
    return NULL;
}

static const struct ledger_attempt *refused_by_trail(const struct ledger_entry *e)
{
    for (size_t i = 0; i < e->attempt_count; i++)
        if (invariants_case_is_refusal(e->attempts[i].class))
            return &e->attempts[i];
    return NULL;
}

static void check_refusal(struct invariants_case *c, const struct join_bundle *b,
                          const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    if (!is_fallback(e))
        return;
    const struct ledger_attempt *attempt = refused_by_trail(e);
    const struct ledger_request *request = refused_by_server(run);
    if (attempt != NULL)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected no fallback behind a refusal, attempt %" PRId64
                                 " ended %s, found a fallback signature (" LEDGER_AUDIT ":%zu)",
                                 attempt->n, attempt->class, e->line);
    if (request != NULL)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected no fallback behind a refusal, Vault answered %d "
                                 "(" LEDGER_JOURNAL ":%zu), found a fallback signature "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 request->status, request->reply_line, e->line);
}

void invariants_mode_refusal(struct invariants_case *c)
{
    invariants_case_each_run(c, check_refusal);
}

/* --- back to Vault --- */

/* A rule touches those whose requests it took, and nobody else. */
static bool was_ruled(const struct join_run *run)
{
    for (size_t i = 0; i < run->request_count; i++)
        if (run->requests[i]->rule != NULL)
            return true;
    return false;
}

/* Vault itself was late, for reasons of the machine: by its own record it answered a request, if at
 * all, only when the attempt was over. */
static bool vault_was_late(const struct join_run *run, const struct record_contract *contract)
{
    for (size_t i = 0; i < run->result->attempt_count; i++) {
        const struct ledger_request *r = run->attempts[i].last;
        int64_t limit_ns =
            run->result->attempts[i].started_ns + contract->attempt_timeout_ms / 2 * NS_PER_MS;
        if (r != NULL && strcmp(run->result->attempts[i].class, "timeout") == 0 &&
            (r->reply_line == 0 || r->reply_wall_ns > limit_ns))
            return true;
    }
    return false;
}

/* Vault itself said that it was not available, for whatever reason. */
static bool vault_said_so(const struct join_run *run)
{
    for (size_t i = 0; i < run->request_count; i++) {
        int status = run->requests[i]->status;
        if (status >= 500 || status == 408 || (status >= 472 && status <= 474))
            return true;
    }
    return false;
}

/* An outage is the client's word for Vault being away. */
static bool claims_outage(const struct ledger_entry *e)
{
    if (is_fallback(e))
        return true;
    return e->action == LEDGER_FAILED && e->attempt_count > 0 &&
           invariants_case_is_outage(e->attempts[e->attempt_count - 1].class);
}

/* A key that is said to be another one, or not to be there, while it is the one that is pinned. */
static void check_key(struct invariants_case *c, const struct join_bundle *b,
                      const struct join_run *run)
{
    static const char *const classes[] = {"key_mismatch", "key_state"};
    const struct ledger_entry *e = run->result;
    bool blames_key = false;
    for (size_t i = 0; i < 2 && e != NULL && e->class != NULL; i++)
        blames_key |= e->action == LEDGER_FAILED && strcmp(e->class, classes[i]) == 0;
    if (!blames_key || was_ruled(run))
        return;
    int64_t from_ns = run->intent != NULL ? run->intent->wall_ns : e->wall_ns;
    if (!judgement_overlap(c->out, CONDITION_KEY, from_ns, e->wall_ns))
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected a signature while Vault has the key that is pinned, "
                                 "found a failure of class %s (" LEDGER_AUDIT ":%zu)",
                                 e->class, e->line);
}

static void check_recovery(struct invariants_case *c, const struct join_bundle *b,
                           const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    struct record_contract contract;
    if (e == NULL || !claims_outage(e) || was_ruled(run) || vault_said_so(run))
        return;
    int64_t from_ns = run->intent != NULL ? run->intent->wall_ns : e->wall_ns;
    bool outage = judgement_overlap(c->out, CONDITION_OUTAGE & ~(unsigned)CONDITION_RULED, from_ns,
                                    e->wall_ns);
    if (outage || (invariants_case_contract(c, b, e, &contract) && vault_was_late(run, &contract)))
        return;
    if (is_fallback(e))
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected mode vault while no fault lasts, found fallback "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 e->line);
    else
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected a signature while no fault lasts, found a failure of "
                                 "class %s (" LEDGER_AUDIT ":%zu)",
                                 e->attempts[e->attempt_count - 1].class, e->line);
}

/* A caller may be told of fallback although the trail knows nothing of it. */
static void check_told_recovery(struct invariants_case *c, const struct join_bundle *b)
{
    for (size_t i = 0; i < b->call_count; i++) {
        const struct world_call *told = &b->calls[i]->told;
        if (told->finished && strcmp(told->mode, "fallback") == 0 && join_result_of(b) == NULL &&
            !judgement_overlap(c->out, CONDITION_OUTAGE, told->started.wall_ns,
                               told->ended.wall_ns))
            invariants_case_violated(c, b->calls[i]->plan->number,
                                     "expected mode vault while no fault lasts, the caller was "
                                     "told fallback");
    }
}

void invariants_mode_recovery(struct invariants_case *c)
{
    invariants_case_each_run(c, check_recovery);
    invariants_case_each_run(c, check_key);
    for (size_t i = 0; i < c->evidence->join.bundle_count; i++)
        check_told_recovery(c, &c->evidence->join.bundles[i]);
}
