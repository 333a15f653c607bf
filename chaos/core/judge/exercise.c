#include "chaos/core/judge/exercise.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"

#define SCRATCH_BYTES_MAX (16u << 20)

struct meeting {
    uint64_t hits;
    const char *file; /* of the first one */
    size_t line;
};

static void meet(struct meeting *m, const char *file, size_t line)
{
    if (m->hits++ == 0) {
        m->file = file;
        m->line = line;
    }
}

static bool inside(const struct condition_window *w, int64_t wall_ns)
{
    return wall_ns >= w->from_ns && wall_ns <= w->to_ns;
}

static void count_attempts(const struct evidence *e, const struct condition_window *w,
                           const char *class, struct meeting *m)
{
    for (size_t i = 0; i < e->client.entry_count; i++) {
        const struct ledger_entry *entry = &e->client.entries[i];
        for (size_t k = 0; k < entry->attempt_count; k++)
            if (strcmp(entry->attempts[k].class, class) == 0 &&
                inside(w, entry->attempts[k].started_ns))
                meet(m, LEDGER_AUDIT, entry->line);
    }
}

static void meet_rule(const struct evidence *e, const struct condition_window *w, struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->rule != NULL && w->rule != NULL && strcmp(r->rule, w->rule) == 0)
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_sealed(const struct evidence *e, const struct condition_window *w,
                        struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->sign && r->status == 503 && !r->executed && r->rule == NULL && inside(w, r->wall_ns))
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_refused(const struct evidence *e, const struct condition_window *w,
                         struct meeting *m)
{
    count_attempts(e, w, "refused", m);
}

static void meet_silence(const struct evidence *e, const struct condition_window *w,
                         struct meeting *m)
{
    count_attempts(e, w, "timeout", m);
}

/* A request is recorded when it arrives, its reply when it is let go, or when its client has gone
 * (then without a status). */
static void meet_held(const struct evidence *e, const struct condition_window *w, struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        bool waited = r->reply_line == 0 || r->status == 0 || r->reply_wall_ns >= w->ending_ns;
        if (r->sign && waited && r->wall_ns >= w->from_ns && r->wall_ns < w->ending_ns)
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_restarted(const struct evidence *e, const struct condition_window *w,
                           struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->sign && e->server.boot_count > 0 && e->server.boots[r->boot].wall_ns >= w->from_ns)
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_key(const struct evidence *e, const struct condition_window *w, struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++)
        if (e->server.requests[i].sign && inside(w, e->server.requests[i].wall_ns))
            meet(m, LEDGER_JOURNAL, e->server.requests[i].line);
}

static void meet_fallback_key(const struct evidence *e, const struct condition_window *w,
                              struct meeting *m)
{
    for (size_t i = 0; i < e->client.entry_count; i++) {
        const struct ledger_entry *entry = &e->client.entries[i];
        bool names_it = entry->reason != NULL && strncmp(entry->reason, "fallback_key_", 13) == 0;
        if (entry->action == LEDGER_FAILED && names_it && inside(w, entry->wall_ns))
            meet(m, LEDGER_AUDIT, entry->line);
    }
}

/* Refused as it must be, or trusted as it must not. */
static void meet_certificate(const struct evidence *e, const struct condition_window *w,
                             struct meeting *m)
{
    count_attempts(e, w, "certificate", m);
    meet_key(e, w, m);
}

/* One row per bit. `without` is the verdict when nobody met it: a process that is gone cannot
 * count, so nothing can be said then. */
static const struct meets {
    unsigned bit;
    void (*meet)(const struct evidence *e, const struct condition_window *w, struct meeting *m);
    bool by_client; /* the trail is the evidence, else the journal */
    enum verdict without;
    const char *wanted;
} meetings[CONDITION_BITS] = {
    {CONDITION_RULED, meet_rule, false, VERDICT_NOT_EXERCISED, "a request that the rule took"},
    {CONDITION_SEALED, meet_sealed, false, VERDICT_NOT_EXERCISED,
     "a sign request that was answered 503"},
    {CONDITION_CLOSED, meet_refused, true, VERDICT_UNKNOWN, "an audited attempt that was refused"},
    {CONDITION_GONE, meet_refused, true, VERDICT_UNKNOWN, "an audited attempt that was refused"},
    {CONDITION_HELD, meet_held, false, VERDICT_NOT_EXERCISED,
     "a sign request that was not answered"},
    {CONDITION_FROZEN, meet_silence, true, VERDICT_UNKNOWN, "an audited attempt that timed out"},
    {CONDITION_RESTARTED, meet_restarted, false, VERDICT_NOT_EXERCISED,
     "a sign request that reached the new process"},
    {CONDITION_KEY, meet_key, false, VERDICT_NOT_EXERCISED, "a sign request behind it"},
    {CONDITION_FALLBACK_KEY, meet_fallback_key, true, VERDICT_NOT_EXERCISED,
     "an audited refusal that names the fallback key"},
    {CONDITION_FALLBACK_GONE, meet_fallback_key, true, VERDICT_NOT_EXERCISED,
     "an audited refusal that names the fallback key"},
    {CONDITION_CERTIFICATE, meet_certificate, true, VERDICT_NOT_EXERCISED,
     "an audited attempt that ended certificate"},
};

static const struct meets *meets_of(unsigned bit)
{
    for (size_t i = 0; i < CONDITION_BITS; i++)
        if (meetings[i].bit == bit)
            return &meetings[i];
    CHECK(!"every bit has a row");
}

static void judge_fault(struct judgement *out, const struct evidence *e,
                        struct judgement_fault *fault)
{
    struct meeting m = {0};
    const struct condition_window *w = &fault->window;
    const struct meets *row = meets_of(w->bit);
    const char *file = row->by_client ? LEDGER_AUDIT : LEDGER_JOURNAL;
    row->meet(e, w, &m);
    fault->hits = m.hits;
    if (m.hits > 0) {
        fault->evidence = pool_format(&out->pool, "%s:%zu", m.file, m.line);
        return;
    }
    bool found = row->by_client ? e->client.found : e->server.found;
    fault->evidence = pool_format(&out->pool, "%s shows none", file);
    judgement_add(out, found ? row->without : VERDICT_UNKNOWN, "fault", w->plan->number,
                  "step %zu (line %zu, %s): expected %s while it lasted, %s shows none",
                  w->plan->number, w->plan->step->line, w->plan->text, row->wanted, file);
}

/* What the journal says of each rule that this scenario armed; asked for over and over. */
struct rule_hits {
    struct textmap by_rule; /* -> index in items */
    struct condition_hits *items;
};

static void note_hit(struct condition_hits *hits, const struct ledger_request *r)
{
    if (hits->count++ == 0)
        hits->first_ns = r->wall_ns;
    hits->last_ns = r->reply_wall_ns > r->wall_ns ? r->reply_wall_ns : r->wall_ns;
}

static void count_hits(struct rule_hits *hits, const struct record *record,
                       const struct ledger_server *server, struct pool *pool)
{
    textmap_init(&hits->by_rule, pool);
    hits->items = pool_array(pool, record->change_count, sizeof *hits->items);
    for (size_t i = 0; i < record->change_count; i++)
        if (record->changes[i].rule != NULL)
            (void)textmap_put(&hits->by_rule, record->changes[i].rule, i);
    for (size_t i = 0; i < server->request_count && !pool->failed; i++) {
        const char *rule = server->requests[i].rule;
        size_t at = rule == NULL ? TEXTMAP_NONE : textmap_get(&hits->by_rule, rule);
        if (at != TEXTMAP_NONE)
            note_hit(&hits->items[at], &server->requests[i]);
    }
}

static struct condition_hits hits_of_rule(void *context, const char *rule)
{
    const struct rule_hits *hits = context;
    size_t at = textmap_get(&hits->by_rule, rule);
    return at == TEXTMAP_NONE ? (struct condition_hits){0} : hits->items[at];
}

static void find_faults(struct judgement *out, const struct evidence *evidence)
{
    const struct record *record = out->record;
    struct pool scratch CLEANUP(pool_done);
    struct rule_hits hits;
    const struct condition_journal journal = {.hits = hits_of_rule, .context = &hits};
    size_t most = condition_windows_max(record->change_count);
    pool_init(&scratch, SCRATCH_BYTES_MAX);
    struct condition_window *windows = pool_array(&scratch, most, sizeof *windows);
    count_hits(&hits, record, &evidence->server, &scratch);
    out->faults = pool_array(&out->pool, most, sizeof *out->faults);
    if (scratch.failed || out->pool.failed) {
        out->findings.failed = true;
        return;
    }
    out->fault_count = condition_windows(record->changes, record->change_count,
                                         record->scenario->stack.threshold, &journal, windows);
    for (size_t i = 0; i < out->fault_count; i++)
        out->faults[i] = (struct judgement_fault){.window = windows[i], .evidence = ""};
}

void exercise_judge(struct judgement *out, const struct evidence *evidence)
{
    find_faults(out, evidence);
    for (size_t i = 0; i < out->fault_count; i++)
        if (!out->faults[i].window.implied)
            judge_fault(out, evidence, &out->faults[i]);
}
