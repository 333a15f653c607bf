#include "chaos/core/judge/invariants_trail.h"

#include <inttypes.h>
#include <string.h>

#include "chaos/core/judge/backoff.h"

static bool ends_intent(const struct ledger_entry *entry)
{
    return entry->action == LEDGER_SIGNED || entry->action == LEDGER_FAILED;
}

/* --- one intent, one result --- */

/* What the trail said of the bundle before this entry. */
struct story {
    const struct ledger_entry *open; /* the intent without a result */
    const struct ledger_entry *done; /* the signature */
};

static struct story story_before(const struct ledger_client *client,
                                 const struct ledger_entry *until)
{
    struct story story = {0};
    for (const struct ledger_entry *e = ledger_next_of(client, until->bundle, NULL);
         e != NULL && e < until; e = ledger_next_of(client, until->bundle, e)) {
        if (e->action == LEDGER_STARTED)
            story.open = e;
        if (ends_intent(e))
            story.open = NULL;
        if (e->action == LEDGER_SIGNED)
            story.done = e;
    }
    return story;
}

static void check_story(const struct invariants_case *c, const struct ledger_entry *e)
{
    struct story before = story_before(&c->evidence->client, e);
    size_t step = invariants_case_step(c, e);
    if (before.done != NULL && e->action != LEDGER_OTHER)
        invariants_case_violated(
            c, step,
            "expected nothing more for bundle %s behind its signature (" LEDGER_AUDIT
            ":%zu), found another entry (" LEDGER_AUDIT ":%zu)",
            e->bundle, before.done->line, e->line);
    else if (e->action == LEDGER_STARTED && before.open != NULL)
        invariants_case_violated(c, step,
                                 "expected a result for the intent of bundle %s (" LEDGER_AUDIT
                                 ":%zu), found a second intent (" LEDGER_AUDIT ":%zu)",
                                 e->bundle, before.open->line, e->line);
    else if (ends_intent(e) && before.open == NULL)
        invariants_case_violated(
            c, step,
            "expected an entry MANIFEST_SIGNING_STARTED of bundle %s before its "
            "result, there is none (" LEDGER_AUDIT ":%zu)",
            e->bundle, e->line);
}

void invariants_trail_intent(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++)
        if (client->entries[i].bundle != NULL)
            check_story(c, &client->entries[i]);
}

/* --- what callers were told --- */

/* True when the caller got an answer that settles the bundle. */
static bool was_settled(const struct world_call *told)
{
    return told->finished && told->bundle[0] != '\0' &&
           (told->mode[0] != '\0' || strcmp(told->status, "failed") == 0 ||
            strcmp(told->status, "blocked") == 0);
}

static bool has_entry(const struct ledger_client *client, const char *bundle,
                      enum ledger_action action)
{
    for (const struct ledger_entry *e = ledger_next_of(client, bundle, NULL); e != NULL;
         e = ledger_next_of(client, bundle, e))
        if (e->action == action)
            return true;
    return false;
}

static void check_told_signed(const struct invariants_case *c, const struct record_call *call)
{
    const char *bundle = call->told.bundle;
    const struct evidence_manifest *m = evidence_manifest_of(c->evidence, bundle);
    if (!has_entry(&c->evidence->client, bundle, LEDGER_SIGNED))
        invariants_case_violated(
            c, call->plan->number,
            "expected an entry MANIFEST_SIGNED for bundle %s, which the caller "
            "was told is signed, " LEDGER_AUDIT " has none",
            bundle);
    if (m == NULL || m->state == EVIDENCE_MANIFEST_ABSENT)
        invariants_case_violated(c, call->plan->number,
                                 "expected the manifest of bundle %s, which the caller was told is "
                                 "signed, there is none",
                                 bundle);
    else if (m->state == EVIDENCE_MANIFEST_BROKEN)
        invariants_case_violated(c, call->plan->number,
                                 "expected a whole manifest of bundle %s, it is broken: %s", bundle,
                                 m->trouble);
}

static void check_told_failed(const struct invariants_case *c, const struct record_call *call)
{
    const char *bundle = call->told.bundle;
    if (!has_entry(&c->evidence->client, bundle, LEDGER_FAILED))
        invariants_case_violated(c, call->plan->number,
                                 "expected an entry MANIFEST_SIGNING_FAILED for bundle %s, whose "
                                 "caller was told %s, " LEDGER_AUDIT " has none",
                                 bundle, call->told.status);
}

static void check_manifests(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->manifest_count; i++) {
        const struct evidence_manifest *m = &c->evidence->manifests[i];
        const struct record_call *call = invariants_case_call(c, m->bundle, INT64_MAX);
        bool told = call != NULL && call->told.mode[0] != '\0';
        if (m->state != EVIDENCE_MANIFEST_ABSENT && !told &&
            !has_entry(&c->evidence->client, m->bundle, LEDGER_SIGNED))
            invariants_case_violated(c, call == NULL ? 0 : call->plan->number,
                                     "expected an entry MANIFEST_SIGNED for the manifest of bundle "
                                     "%s, " LEDGER_AUDIT " has none",
                                     m->bundle);
    }
}

void invariants_trail_told(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->record->call_count; i++) {
        const struct record_call *call = &c->record->calls[i];
        if (was_settled(&call->told) && call->told.mode[0] != '\0')
            check_told_signed(c, call);
        else if (was_settled(&call->told))
            check_told_failed(c, call);
    }
    check_manifests(c);
}

/* --- the chain --- */

void invariants_trail_chain(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
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
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected previous %.16s…, found %.16s…: the chain is broken "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 e->expected, e->previous == NULL ? "none" : e->previous, e->line);
    }
}

/* --- attempts --- */

static void check_attempts(const struct invariants_case *c, const struct ledger_entry *e,
                           int64_t most)
{
    size_t step = invariants_case_step(c, e);
    if ((int64_t)e->attempt_count > most)
        invariants_case_violated(c, step,
                                 "expected at most %" PRId64 " attempts, the trail has %zu "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 most, e->attempt_count, e->line);
    for (size_t i = 0; i < e->attempt_count; i++) {
        const struct ledger_attempt *attempt = &e->attempts[i];
        bool last = i + 1 == e->attempt_count;
        if (attempt->n != (int64_t)i + 1)
            invariants_case_violated(
                c, step, "expected attempt %zu, found number %" PRId64 " (" LEDGER_AUDIT ":%zu)",
                i + 1, attempt->n, e->line);
        if (!last &&
            (strcmp(attempt->class, "ok") == 0 || invariants_case_is_refusal(attempt->class)))
            invariants_case_violated(c, step,
                                     "expected no attempt behind number %zu, which ended %s, found "
                                     "another (" LEDGER_AUDIT ":%zu)",
                                     i + 1, attempt->class, e->line);
    }
}

void invariants_trail_attempts(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    struct record_contract contract;
    for (size_t i = 0; i < client->entry_count; i++)
        if (ends_intent(&client->entries[i]) &&
            invariants_case_contract(c, &client->entries[i], &contract))
            check_attempts(c, &client->entries[i], contract.attempts_max);
}

/* --- backoff --- */

void invariants_trail_backoff(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    bool retry_after = backoff_retry_after(c->record->scenario);
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        struct record_contract contract;
        struct errc_why why = {{0}};
        if (ends_intent(e) && invariants_case_contract(c, e, &contract) &&
            backoff_check(e, &contract, retry_after, &why) != ERRC_OK)
            invariants_case_violated(c, invariants_case_step(c, e), "%s (" LEDGER_AUDIT ":%zu)",
                                     why.text, e->line);
    }
}

/* --- a client that does not try --- */

/* Vault must have been asked whatever the client believes about it; else an outage that is over
 * would never be noticed. */
void invariants_trail_tried(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        bool interrupted = e->reason != NULL && strcmp(e->reason, "interrupted") == 0;
        if (ends_intent(e) && e->attempt_count == 0 && !interrupted)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected at least one attempt at Vault for bundle %s, the "
                                     "trail has none (" LEDGER_AUDIT ":%zu)",
                                     e->bundle == NULL ? "?" : e->bundle, e->line);
    }
}
