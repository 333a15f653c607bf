#include "chaos/core/judge/invariants/invariants_time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define CLOCK_OFF_MS 1000 /* what is less is no wrong clock, but a wrong stamp */

/* By how many milliseconds `later` comes before `earlier`; 0 when it does not, as far as stamps can
 * tell. A missing stamp is missing evidence, and told as that. */
static int64_t early_ms(int64_t earlier_ns, int64_t later_ns)
{
    int64_t early = (earlier_ns - later_ns) / NS_PER_MS;
    return earlier_ns == 0 || later_ns == 0 || early <= INVARIANTS_SLACK_MS ? 0 : early;
}

/* --- the client's clock --- */

/* What has to be added to a set of stamps so that all can be true: between low and high. */
struct offset {
    int64_t low_ns, high_ns;
    size_t line; /* of the first entry that says so */
};

static void at_least(struct offset *o, int64_t ns)
{
    o->low_ns = ns > o->low_ns ? ns : o->low_ns;
}

static void at_most(struct offset *o, int64_t ns)
{
    o->high_ns = ns < o->high_ns ? ns : o->high_ns;
}

static int64_t offset_of(const struct offset *o)
{
    if (o->low_ns == INT64_MIN || o->high_ns == INT64_MAX || o->low_ns > o->high_ns)
        return 0;
    int64_t limit_ns = CLOCK_OFF_MS * NS_PER_MS;
    if (o->low_ns <= limit_ns && o->high_ns >= -limit_ns)
        return 0;
    return o->low_ns + (o->high_ns - o->low_ns) / 2;
}

/* An entry is written behind the call that asks for it; and if there was only one, before that call
 * ended. */
static struct offset offset_of_entries(const struct join *join)
{
    struct offset o = {.low_ns = INT64_MIN, .high_ns = INT64_MAX};
    for (size_t i = 0; i < join->bundle_count; i++) {
        const struct join_bundle *b = &join->bundles[i];
        const struct world_call *told = b->call_count == 1 ? &b->calls[0]->told : NULL;
        for (size_t k = 0; told != NULL && k < b->entry_count; k++) {
            if (b->entries[k]->wall_ns == 0)
                continue;
            o.line = o.line == 0 ? b->entries[k]->line : o.line;
            at_least(&o, told->started.wall_ns - b->entries[k]->wall_ns);
            if (told->finished && told->mode[0] != '\0')
                at_most(&o, told->ended.wall_ns - b->entries[k]->wall_ns);
        }
    }
    return o;
}

/* An attempt begins behind its intent, and before Vault has its request. */
static struct offset offset_of_attempts(const struct join *join)
{
    struct offset o = {.low_ns = INT64_MIN, .high_ns = INT64_MAX};
    for (size_t i = 0; i < join->bundle_count; i++)
        for (size_t k = 0; k < join->bundles[i].run_count; k++) {
            const struct join_run *run = &join->bundles[i].runs[k];
            for (size_t n = 0;
                 run->intent != NULL && run->result != NULL && n < run->result->attempt_count;
                 n++) {
                int64_t started_ns = run->result->attempts[n].started_ns;
                if (started_ns == 0)
                    continue;
                o.line = o.line == 0 ? run->result->line : o.line;
                at_least(&o, run->intent->wall_ns - started_ns);
                at_most(&o, run->result->wall_ns - started_ns);
            }
        }
    return o;
}

static void tell_offset(struct invariants_case *c, const char *what, int64_t off_ns, size_t line)
{
    invariants_case_caused(c, what, 0,
                           "expected %s by the clock that callers and Vault have, all of them are "
                           "%" PRId64 " ms %s (" LEDGER_AUDIT ":%zu)",
                           what, (off_ns < 0 ? -off_ns : off_ns) / NS_PER_MS,
                           off_ns > 0 ? "behind it" : "ahead of it", line);
}

void invariants_time_clock(struct invariants_case *c, struct evidence *evidence)
{
    struct ledger_client *client = &evidence->client;
    struct offset entries = offset_of_entries(&evidence->join);
    int64_t off_ns = offset_of(&entries);
    evidence->clock_off_ns = off_ns;
    if (off_ns != 0)
        tell_offset(c, "the stamps of entries", off_ns, entries.line);
    for (size_t i = 0; i < client->entry_count; i++)
        client->entries[i].wall_ns += client->entries[i].wall_ns == 0 ? 0 : off_ns;
    struct offset attempts = offset_of_attempts(&evidence->join);
    int64_t attempts_off_ns = offset_of(&attempts);
    if (attempts_off_ns != 0 && off_ns == 0)
        tell_offset(c, "the stamps of attempts", attempts_off_ns, attempts.line);
    for (size_t i = 0; i < client->entry_count; i++)
        for (size_t k = 0; k < client->entries[i].attempt_count; k++)
            client->entries[i].attempts[k].started_ns += attempts_off_ns;
}

/* --- the entries --- */

static void expect_behind(struct invariants_case *c, const struct join_bundle *b,
                          const struct ledger_entry *e, int64_t earlier_ns, int64_t later_ns,
                          const char *what)
{
    int64_t early = early_ms(earlier_ns, later_ns);
    if (early > 0)
        invariants_case_caused(c, what, b == NULL ? 0 : invariants_case_step(b, e),
                               "expected a time %s, it is %" PRId64 " ms off (" LEDGER_AUDIT
                               ":%zu)",
                               what, early, e->line);
}

static void check_bundle(struct invariants_case *c, const struct join_bundle *b)
{
    for (size_t i = 0; i < b->entry_count; i++) {
        const struct ledger_entry *e = b->entries[i];
        if (i > 0)
            expect_behind(c, b, e, b->entries[i - 1]->wall_ns, e->wall_ns,
                          "behind the bundle's entry before");
        else if (b->call_count > 0)
            expect_behind(c, b, e, b->calls[0]->told.started.wall_ns, e->wall_ns,
                          "behind the call that asked for the bundle");
        for (size_t k = 0; k < b->call_count && e->action == LEDGER_SIGNED; k++)
            if (b->calls[k]->told.finished && b->calls[k]->told.mode[0] != '\0')
                expect_behind(c, b, e, e->wall_ns, b->calls[k]->told.ended.wall_ns,
                              "before the caller was told of the signature");
    }
}

void invariants_time_entries(struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        const struct join_bundle *b = join_bundle_of(&c->evidence->join, e->bundle);
        expect_behind(c, b, e, c->record->started.wall_ns, e->wall_ns,
                      "behind the start of the run");
        expect_behind(c, b, e, e->wall_ns, c->record->ended.wall_ns, "before the end of the run");
    }
    for (size_t i = 0; i < c->evidence->join.bundle_count; i++)
        check_bundle(c, &c->evidence->join.bundles[i]);
}

/* --- the attempts --- */

static void check_attempt(struct invariants_case *c, const struct join_bundle *b,
                          const struct join_run *run, size_t i)
{
    const struct ledger_entry *e = run->result;
    const struct ledger_attempt *attempt = &e->attempts[i];
    const struct ledger_attempt *next = i + 1 < e->attempt_count ? attempt + 1 : NULL;
    const struct ledger_request *first = run->attempts[i].first, *last = run->attempts[i].last;
    if (first == NULL)
        return;
    int64_t early = early_ms(attempt->started_ns, first->wall_ns);
    if (early > 0)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected attempt %zu to begin before Vault had its request "
                                 "(" LEDGER_JOURNAL ":%zu), the trail has it %" PRId64
                                 " ms later (" LEDGER_AUDIT ":%zu)",
                                 i + 1, first->line, early, e->line);
    if (attempt->status == 0) /* it did not wait for the answer, and Vault may have been late */
        return;
    int64_t due_ns = last->wall_ns + (next == NULL ? 0 : next->wait_ms * NS_PER_MS);
    early = early_ms(due_ns, next == NULL ? e->wall_ns : next->started_ns);
    if (early > 0)
        invariants_case_caused(c, next == NULL ? "result" : "next attempt",
                               invariants_case_step(b, e),
                               "expected %s at least %" PRId64 " ms behind the request of "
                               "attempt %zu (" LEDGER_JOURNAL ":%zu), it is %" PRId64
                               " ms too early (" LEDGER_AUDIT ":%zu)",
                               next == NULL ? "the result" : "the next attempt",
                               next == NULL ? 0 : next->wait_ms, i + 1, last->line, early, e->line);
}

static void check_run(struct invariants_case *c, const struct join_bundle *b,
                      const struct join_run *run)
{
    for (size_t i = 0; run->intent != NULL && run->result != NULL && i < run->result->attempt_count;
         i++) {
        expect_behind(c, b, run->result, run->intent->wall_ns, run->result->attempts[i].started_ns,
                      "of each attempt behind its intent");
        if (run->numbered)
            check_attempt(c, b, run, i);
    }
}

void invariants_time_attempts(struct invariants_case *c)
{
    invariants_case_each_run(c, check_run);
}
