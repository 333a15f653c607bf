#include "chaos/core/judge/invariants_time.h"

#include <inttypes.h>
#include <string.h>

#include "chaos/core/judge/backoff.h"

#define NS_PER_MS 1000000

/* By how many milliseconds `later` comes before `earlier`; 0 when it does not, as far as stamps can
 * tell. A missing stamp is missing evidence, and told as that. */
static int64_t early_ms(int64_t earlier_ns, int64_t later_ns)
{
    int64_t early = (earlier_ns - later_ns) / NS_PER_MS;
    return earlier_ns == 0 || later_ns == 0 || early <= BACKOFF_SLACK_MS ? 0 : early;
}

/* --- the entries --- */

static const struct ledger_entry *before_of(const struct ledger_client *client,
                                            const struct ledger_entry *entry)
{
    const struct ledger_entry *before = NULL;
    for (const struct ledger_entry *e = ledger_next_of(client, entry->bundle, NULL); e < entry;
         e = ledger_next_of(client, entry->bundle, e))
        before = e;
    return before;
}

static const struct record_call *first_call(const struct record *record, const char *bundle)
{
    for (size_t i = 0; i < record->call_count; i++)
        if (strcmp(record->calls[i].told.bundle, bundle) == 0)
            return &record->calls[i];
    return NULL;
}

/* A signature is in the trail before its caller hears of it. */
static const struct record_call *call_told_signed(const struct record *record, const char *bundle)
{
    for (size_t i = 0; i < record->call_count; i++) {
        const struct world_call *told = &record->calls[i].told;
        if (told->finished && told->mode[0] != '\0' && strcmp(told->bundle, bundle) == 0)
            return &record->calls[i];
    }
    return NULL;
}

static void expect_behind(const struct invariants_case *c, const struct ledger_entry *e,
                          int64_t earlier_ns, int64_t later_ns, const char *what)
{
    int64_t early = early_ms(earlier_ns, later_ns);
    if (early > 0)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected a time %s, it is %" PRId64 " ms off (" LEDGER_AUDIT
                                 ":%zu)",
                                 what, early, e->line);
}

static void check_bundle_entry(const struct invariants_case *c, const struct ledger_entry *e)
{
    const struct ledger_entry *before = before_of(&c->evidence->client, e);
    const struct record_call *asked = first_call(c->record, e->bundle);
    const struct record_call *told = call_told_signed(c->record, e->bundle);
    if (before != NULL)
        expect_behind(c, e, before->wall_ns, e->wall_ns, "behind the bundle's entry before");
    else if (asked != NULL)
        expect_behind(c, e, asked->told.started.wall_ns, e->wall_ns,
                      "behind the call that asked for the bundle");
    if (told != NULL && e->action == LEDGER_SIGNED)
        expect_behind(c, e, e->wall_ns, told->told.ended.wall_ns,
                      "before the caller was told of the signature");
}

void invariants_time_entries(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++) {
        const struct ledger_entry *e = &c->evidence->client.entries[i];
        expect_behind(c, e, c->record->started.wall_ns, e->wall_ns, "behind the start of the run");
        expect_behind(c, e, e->wall_ns, c->record->ended.wall_ns, "before the end of the run");
        if (e->bundle != NULL)
            check_bundle_entry(c, e);
    }
}

/* --- the attempts --- */

/* When Vault took the attempt up, at the earliest and at the latest (a request may be sent again);
 * false when the journal has none of it. */
static bool taken_up(const struct invariants_case *c, const struct ledger_entry *intent, int64_t n,
                     const struct ledger_request **first, const struct ledger_request **last)
{
    *first = *last = NULL;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (!r->sign || r->attempt != n || !ledger_has_input(r, intent->input_sha256))
            continue;
        *first = *first == NULL ? r : *first;
        *last = r;
    }
    return *first != NULL;
}

static void check_attempt(const struct invariants_case *c, const struct ledger_entry *intent,
                          const struct ledger_entry *e, size_t i)
{
    const struct ledger_attempt *attempt = &e->attempts[i];
    const struct ledger_attempt *next = i + 1 < e->attempt_count ? attempt + 1 : NULL;
    const struct ledger_request *first = NULL, *last = NULL;
    if (!taken_up(c, intent, attempt->n, &first, &last))
        return;
    int64_t early = early_ms(attempt->started_ns, first->wall_ns);
    if (early > 0)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected attempt %zu to begin before Vault had its request "
                                 "(" LEDGER_JOURNAL ":%zu), the trail has it %" PRId64
                                 " ms later (" LEDGER_AUDIT ":%zu)",
                                 i + 1, first->line, early, e->line);
    if (attempt->status == 0) /* it did not wait for the answer, and Vault may have been late */
        return;
    int64_t due_ns = last->wall_ns + (next == NULL ? 0 : next->wait_ms * NS_PER_MS);
    early = early_ms(due_ns, next == NULL ? e->wall_ns : next->started_ns);
    if (early > 0)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected %s at least %" PRId64 " ms behind the request of "
                                 "attempt %zu (" LEDGER_JOURNAL ":%zu), it is %" PRId64
                                 " ms too early (" LEDGER_AUDIT ":%zu)",
                                 next == NULL ? "the result" : "the next attempt",
                                 next == NULL ? 0 : next->wait_ms, i + 1, last->line, early,
                                 e->line);
}

void invariants_time_attempts(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        const struct ledger_entry *intent = ledger_intent_of(client, e);
        for (size_t k = 0; intent != NULL && k < e->attempt_count; k++) {
            expect_behind(c, e, intent->wall_ns, e->attempts[k].started_ns,
                          "of each attempt behind its intent");
            check_attempt(c, intent, e, k);
        }
    }
}
