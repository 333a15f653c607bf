#include "chaos/core/judge/invariants/invariants_trail.h"

#include <inttypes.h>
#include <string.h>

#include "base/count.h"
#include "base/units.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/subject/subjects.h"

/* --- one intent, one result --- */

/* Walks the entries of a bundle in the order of the trail. */
static void check_story(struct invariants_case *c, const struct join_bundle *b)
{
    const struct ledger_entry *open = NULL, *done = NULL;
    for (size_t i = 0; i < b->entry_count; i++) {
        const struct ledger_entry *e = b->entries[i];
        size_t step = invariants_case_step(b, e);
        bool ends = ledger_client_ends(e);
        if (done != NULL && e->action != LEDGER_OTHER)
            invariants_case_violated(
                c, step,
                "expected nothing more for bundle %s behind its signature (" LEDGER_AUDIT
                ":%zu), found another entry (" LEDGER_AUDIT ":%zu)",
                b->id, done->line, e->line);
        else if (e->action == LEDGER_STARTED && open != NULL)
            invariants_case_violated(c, step,
                                     "expected a result for the intent of bundle %s (" LEDGER_AUDIT
                                     ":%zu), found a second intent (" LEDGER_AUDIT ":%zu)",
                                     b->id, open->line, e->line);
        else if (ends && open == NULL)
            invariants_case_violated(
                c, step,
                "expected an entry MANIFEST_SIGNING_STARTED of bundle %s before its "
                "result, there is none (" LEDGER_AUDIT ":%zu)",
                b->id, e->line);
        open = e->action == LEDGER_STARTED ? e : ends ? NULL : open;
        done = e->action == LEDGER_SIGNED ? e : done;
    }
}

/* A request that Vault saw, executed or not, must have been announced before: an intent that is
 * written when the outcome is known announces nothing, and a crash in between would leave no trace.
 * The stamps tell, and independently of them what the world saw of the two files as they grew. */
static void check_announced(struct invariants_case *c, const struct join_bundle *b,
                            const struct join_run *run)
{
    const struct ledger_entry *intent = run->intent;
    if (intent == NULL || run->request_count == 0)
        return;
    const struct ledger_request *r = run->requests[0];
    int64_t early_ms = (intent->wall_ns - r->wall_ns) / NS_PER_MS;
    if (early_ms > INVARIANTS_SLACK_MS)
        invariants_case_violated(c, invariants_case_step(b, intent),
                                 "expected the intent of bundle %s before Vault has its request "
                                 "(" LEDGER_JOURNAL ":%zu), it is from %" PRId64
                                 " ms later (" LEDGER_AUDIT ":%zu)",
                                 b->id, r->line, early_ms, intent->line);
    else if (evidence_written_after(c->evidence, intent, r))
        invariants_case_violated(c, invariants_case_step(b, intent),
                                 "expected the intent of bundle %s in the trail before Vault has "
                                 "its request (" LEDGER_JOURNAL ":%zu), it was written later "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 b->id, r->line, intent->line);
}

/* What Vault executed is asked for its entry by `executed`. */
static void check_strangers(struct invariants_case *c)
{
    const struct join *join = &c->evidence->join;
    for (size_t i = 0; i < join->stranger_count; i++)
        if (!join->strangers[i]->executed)
            invariants_case_violated(c, 0,
                                     "expected an entry MANIFEST_SIGNING_STARTED for every sign "
                                     "request, Vault got one (" LEDGER_JOURNAL
                                     ":%zu) that " LEDGER_AUDIT " does not know",
                                     join->strangers[i]->line);
}

void invariants_trail_intent(struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->join.bundle_count; i++)
        check_story(c, &c->evidence->join.bundles[i]);
    invariants_case_each_run(c, check_announced);
    check_strangers(c);
}

/* --- what callers were told --- */

static bool is_signed(const struct world_call *told)
{
    return told->mode[0] != '\0';
}

/* The codes of errors that stand for a FAILED entry, with the status of such a run; the others
 * (key_not_trusted, bundle_busy, audit_unavailable …) are told before there is an operation. */
static const struct {
    const char *error, *status;
} told_errors[] = {
    {"vault_refused", "failed"},
    {"vault_rate_limited", NULL}, /* a service takes it up again, a command does not */
    {"vault_unavailable", "blocked"},
};

const char *invariants_trail_error_of(const struct ledger_entry *e)
{
    if (e->reason == NULL || invariants_case_was_interrupted(e) ||
        strcmp(e->reason, "internal") == 0)
        return NULL;
    if (strncmp(e->reason, "fallback_", strlen("fallback_")) == 0)
        return "vault_unavailable";
    return e->class != NULL && strcmp(e->class, "rate_limited") == 0 ? "vault_rate_limited"
                                                                     : "vault_refused";
}

static bool is_audited_error(const char *error)
{
    for (size_t i = 0; i < COUNT(told_errors); i++)
        if (strcmp(told_errors[i].error, error) == 0)
            return true;
    return error[0] == '\0';
}

static const struct ledger_entry *failed_of(const struct join_bundle *b)
{
    const struct ledger_entry *failed = NULL;
    for (size_t i = 0; i < b->run_count; i++)
        if (b->runs[i].result != NULL && b->runs[i].result->action == LEDGER_FAILED)
            failed = b->runs[i].result;
    return failed;
}

/* The result that the call was told of: of the last run that began before the call ended. */
static const struct ledger_entry *result_for(const struct join_bundle *b,
                                             const struct record_call *call)
{
    const struct ledger_entry *result = NULL;
    for (size_t i = 0; i < b->run_count; i++) {
        const struct ledger_entry *e = b->runs[i].result;
        if (e != NULL && e->wall_ns <= call->told.ended.wall_ns + INVARIANTS_SLACK_MS * NS_PER_MS)
            result = e;
    }
    return result;
}

static void check_told_signed(struct invariants_case *c, const struct join_bundle *b,
                              const struct record_call *call)
{
    const struct ledger_entry *e = join_signed_of(b);
    const struct evidence_manifest *m = b->manifest;
    if (e == NULL)
        invariants_case_violated(
            c, call->plan->number,
            "expected an entry MANIFEST_SIGNED for bundle %s, which the caller "
            "was told is signed, " LEDGER_AUDIT " has none",
            b->id);
    if (m == NULL || m->state == EVIDENCE_MANIFEST_ABSENT)
        invariants_case_violated(c, call->plan->number,
                                 "expected the manifest of bundle %s, which the caller was told is "
                                 "signed, there is none",
                                 b->id);
    else if (m->state == EVIDENCE_MANIFEST_BROKEN)
        invariants_case_violated(c, call->plan->number,
                                 "expected a whole manifest of bundle %s, it is broken: %s", b->id,
                                 m->trouble);
    if (e == NULL)
        return;
    if (call->told.attempts >= 0 && call->told.attempts != (int)e->attempt_count)
        invariants_case_violated(c, call->plan->number,
                                 "expected the caller to be told of %zu attempts as the trail has "
                                 "(" LEDGER_AUDIT ":%zu), it was told %d",
                                 e->attempt_count, e->line, call->told.attempts);
    const char *reason = e->mode == LEDGER_MODE_FALLBACK && e->reason != NULL ? e->reason : "";
    if (strcmp(call->told.reason, reason) != 0)
        invariants_case_violated(c, call->plan->number,
                                 "expected the caller to be told the reason \"%s\" as the trail "
                                 "says (" LEDGER_AUDIT ":%zu), it was told \"%s\"",
                                 reason, e->line, call->told.reason);
}

static void check_told_failed(struct invariants_case *c, const struct join_bundle *b,
                              const struct record_call *call)
{
    const struct world_call *told = &call->told;
    const struct ledger_entry *e = result_for(b, call);
    if (failed_of(b) == NULL && is_audited_error(told->error)) {
        invariants_case_violated(c, call->plan->number,
                                 "expected an entry MANIFEST_SIGNING_FAILED for bundle %s, whose "
                                 "caller was told %s, " LEDGER_AUDIT " has none",
                                 b->id, told->status);
        return;
    }
    const char *wanted =
        e == NULL || e->action != LEDGER_FAILED ? NULL : invariants_trail_error_of(e);
    if (wanted == NULL || told->error[0] == '\0' || e->wall_ns < told->started.wall_ns - NS_PER_MS)
        return;
    if (strcmp(told->error, wanted) != 0)
        invariants_case_violated(c, call->plan->number,
                                 "expected the caller to be told %s, since the trail says %s, %s "
                                 "(" LEDGER_AUDIT ":%zu), it was told %s",
                                 wanted, e->class == NULL ? "nothing" : e->class, e->reason,
                                 e->line, told->error);
    for (size_t i = 0; i < COUNT(told_errors); i++)
        if (strcmp(told_errors[i].error, wanted) == 0 && told_errors[i].status != NULL &&
            strcmp(told_errors[i].status, told->status) != 0)
            invariants_case_violated(c, call->plan->number,
                                     "expected status %s of a bundle that ended %s (" LEDGER_AUDIT
                                     ":%zu), the caller was told %s",
                                     told_errors[i].status, wanted, e->line, told->status);
}

/* docs/architecture.md, signer: 0 done, 1 runtime error, 2 invalid input or configuration. */
static bool began_in(const struct join_bundle *b, const struct world_call *told)
{
    for (size_t i = 0; i < b->run_count; i++)
        if (b->runs[i].intent != NULL && b->runs[i].intent->wall_ns >= told->started.wall_ns &&
            b->runs[i].intent->wall_ns <= told->ended.wall_ns)
            return true;
    return false;
}

static void check_exit(struct invariants_case *c, const struct join_bundle *b,
                       const struct record_call *call)
{
    const struct world_call *told = &call->told;
    if (told->exit < 0 || told->signal != 0)
        return;
    if (is_signed(told) != (told->exit == 0))
        invariants_case_caused(c, is_signed(told) ? "exit of a success" : "exit of a failure",
                               call->plan->number,
                               "expected exit code %s of a command that was %s bundle %s, it is %d",
                               is_signed(told) ? "0" : "1 or 2",
                               is_signed(told) ? "signing" : "not signing", b->id, told->exit);
    else if (told->exit == 2 && began_in(b, told))
        invariants_case_caused(
            c, "exit of a runtime error", call->plan->number,
            "expected exit code 1 of a command that had begun to sign bundle %s, "
            "it is 2, which says that its input was invalid",
            b->id);
}

static void check_manifest(struct invariants_case *c, const struct join_bundle *b)
{
    const struct evidence_manifest *m = b->manifest;
    const struct record_call *call = invariants_case_call(b, INT64_MAX);
    bool told = false;
    for (size_t i = 0; i < b->call_count; i++)
        told |= is_signed(&b->calls[i]->told);
    if (m != NULL && m->state != EVIDENCE_MANIFEST_ABSENT && !told && join_signed_of(b) == NULL)
        invariants_case_violated(c, call == NULL ? 0 : call->plan->number,
                                 "expected an entry MANIFEST_SIGNED for the manifest of bundle "
                                 "%s, " LEDGER_AUDIT " has none",
                                 b->id);
}

/* The first step behind a time that did something to a service; NULL: none. */
static const struct condition_change *service_change(const struct record *record, const char *name,
                                                     bool (*is)(const struct verb *verb),
                                                     int64_t from_ns)
{
    for (size_t i = 0; i < record->change_count; i++) {
        const struct condition_change *change = &record->changes[i];
        const struct scenario_step *step = change->plan->step;
        if (change->from_ns < from_ns || !step->actor->of_services || !is(step->verb))
            continue;
        for (size_t k = 0; k < step->main.count; k++)
            if (strcmp(step->main.texts[k], name) == 0)
                return change;
    }
    return NULL;
}

static bool ends_service(const struct verb *verb)
{
    return (verb->effect.sets & (CONDITION_GONE | CONDITION_FROZEN)) != 0;
}

static bool begins_service(const struct verb *verb)
{
    return (verb->effect.clears & CONDITION_GONE) != 0;
}

/* A bundle that was accepted is not forgotten: its end is in the trail when the run ends, unless
 * the service that has it was taken away. */
static void check_forgotten(struct invariants_case *c, const struct join_bundle *b,
                            const struct record_call *call)
{
    const struct world_call *told = &call->told;
    bool accepted = told->http_status >= 200 && told->http_status < 300;
    if (accepted && join_result_of(b) == NULL &&
        service_change(c->record, call->via, ends_service, told->started.wall_ns) == NULL)
        invariants_case_violated(
            c, call->plan->number,
            "expected an end of bundle %s, which %s accepted (%d), neither its "
            "caller nor " LEDGER_AUDIT " has one",
            b->id, call->via, told->http_status);
}

/* True when a bundle that came to the service behind that time was signed. */
static bool signed_later(const struct record *record, const char *via, int64_t from_ns)
{
    for (size_t i = 0; i < record->call_count; i++) {
        const struct record_call *later = &record->calls[i];
        if (later->told.finished && strcmp(later->via, via) == 0 &&
            later->told.started.wall_ns > from_ns && is_signed(&later->told))
            return true;
    }
    return false;
}

/* What is blocked is taken up again when its service starts, ahead of what comes later. */
static void check_taken_up(struct invariants_case *c, const struct join_bundle *b)
{
    const struct ledger_entry *e = join_result_of(b);
    const struct record_call *call = b->call_count == 0 ? NULL : b->calls[0];
    if (e == NULL || call == NULL || e->action != LEDGER_FAILED || e->reason == NULL ||
        strncmp(e->reason, "fallback_", strlen("fallback_")) != 0)
        return;
    const struct condition_change *start =
        service_change(c->record, call->via, begins_service, e->wall_ns);
    if (start == NULL || service_change(c->record, call->via, ends_service, start->to_ns) != NULL ||
        !signed_later(c->record, call->via, start->to_ns))
        return;
    invariants_case_violated(c, call->plan->number,
                             "expected bundle %s, which was blocked (" LEDGER_AUDIT
                             ":%zu), to be taken up again when %s started, " LEDGER_AUDIT
                             " has no more of it",
                             b->id, e->line, call->via);
}

static void check_call(struct invariants_case *c, const struct join_bundle *b,
                       const struct record_call *call)
{
    const struct world_call *told = &call->told;
    if (!told->finished) {
        check_forgotten(c, b, call);
        return;
    }
    if (is_signed(told))
        check_told_signed(c, b, call);
    else if (subject_status(subjects_default(), told->status) == SUBJECT_STATUS_NOT_SIGNED)
        check_told_failed(c, b, call);
    check_exit(c, b, call);
}

void invariants_trail_told(struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->join.bundle_count; i++) {
        const struct join_bundle *b = &c->evidence->join.bundles[i];
        for (size_t k = 0; k < b->call_count; k++)
            check_call(c, b, b->calls[k]);
        check_manifest(c, b);
        check_taken_up(c, b);
    }
}

/* --- the chain --- */

void invariants_trail_chain(struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    if (c->evidence->trail_changed)
        invariants_case_violated(c, 0,
                                 "expected " LEDGER_AUDIT " only to grow, what had been read of it "
                                 "is not there any more");
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        const struct ledger_entry *next = i + 1 < client->entry_count ? e + 1 : NULL;
        if (e->action == LEDGER_TORN && next != NULL && next->action != LEDGER_REPAIRED)
            invariants_case_violated(
                c, 0,
                "expected AUDIT_TAIL_REPAIRED behind the torn line (" LEDGER_AUDIT
                ":%zu), found something else",
                e->line);
        if (e->action == LEDGER_TORN ||
            (e->previous != NULL && strcmp(e->previous, e->expected) == 0))
            continue;
        const struct join_bundle *b = join_bundle_of(&c->evidence->join, e->bundle);
        invariants_case_violated(c, b == NULL ? 0 : invariants_case_step(b, e),
                                 "expected previous %.16s…, found %.16s…: the chain is broken "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 e->expected, e->previous == NULL ? "none" : e->previous, e->line);
    }
}

/* --- a client that does not try --- */

/* Vault must have been asked whatever the client believes about it; else an outage that is over
 * would never be noticed. */
static void check_tried(struct invariants_case *c, const struct join_bundle *b,
                        const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    if (e != NULL && e->attempt_count == 0 && !invariants_case_was_interrupted(e))
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected at least one attempt at Vault for bundle %s, the "
                                 "trail has none (" LEDGER_AUDIT ":%zu)",
                                 b->id, e->line);
}

void invariants_trail_tried(struct invariants_case *c)
{
    invariants_case_each_run(c, check_tried);
}
