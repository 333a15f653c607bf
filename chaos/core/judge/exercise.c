#include "chaos/core/judge/exercise.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static bool inside(const struct runner_fault *fault, int64_t wall_ns)
{
    return wall_ns >= fault->from_ns && wall_ns <= fault->to_ns;
}

static void count_attempts(const struct evidence *e, const struct runner_fault *fault,
                           const char *class, struct meeting *m)
{
    for (size_t i = 0; i < e->client.entry_count; i++) {
        const struct ledger_entry *entry = &e->client.entries[i];
        for (size_t k = 0; k < entry->attempt_count; k++)
            if (strcmp(entry->attempts[k].class, class) == 0 &&
                inside(fault, entry->attempts[k].started_ns))
                meet(m, LEDGER_AUDIT, entry->line);
    }
}

static void meet_rule(const struct evidence *e, const struct runner_fault *fault, struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->rule != NULL && fault->rule != NULL && strcmp(r->rule, fault->rule) == 0)
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_sealed(const struct evidence *e, const struct runner_fault *fault,
                        struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->sign && r->status == 503 && !r->executed && r->rule == NULL &&
            inside(fault, r->wall_ns))
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_refused(const struct evidence *e, const struct runner_fault *fault,
                         struct meeting *m)
{
    count_attempts(e, fault, "refused", m);
}

static void meet_silence(const struct evidence *e, const struct runner_fault *fault,
                         struct meeting *m)
{
    count_attempts(e, fault, "timeout", m);
}

/* A request is recorded when it arrives, its reply when it is let go, or when its client has gone
 * (then without a status). */
static void meet_held(const struct evidence *e, const struct runner_fault *fault, struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        bool waited = r->reply_line == 0 || r->status == 0 || r->reply_wall_ns >= fault->ending_ns;
        if (r->sign && waited && r->wall_ns >= fault->from_ns && r->wall_ns < fault->ending_ns)
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_restarted(const struct evidence *e, const struct runner_fault *fault,
                           struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->sign && e->server.boot_count > 0 &&
            e->server.boots[r->boot].wall_ns >= fault->from_ns)
            meet(m, LEDGER_JOURNAL, r->line);
    }
}

static void meet_key(const struct evidence *e, const struct runner_fault *fault, struct meeting *m)
{
    for (size_t i = 0; i < e->server.request_count; i++)
        if (e->server.requests[i].sign && inside(fault, e->server.requests[i].wall_ns))
            meet(m, LEDGER_JOURNAL, e->server.requests[i].line);
}

static void meet_fallback_key(const struct evidence *e, const struct runner_fault *fault,
                              struct meeting *m)
{
    for (size_t i = 0; i < e->client.entry_count; i++) {
        const struct ledger_entry *entry = &e->client.entries[i];
        bool names_it = entry->reason != NULL && strncmp(entry->reason, "fallback_key_", 13) == 0;
        if (entry->action == LEDGER_FAILED && names_it && inside(fault, entry->wall_ns))
            meet(m, LEDGER_AUDIT, entry->line);
    }
}

/* One row per kind of fault. `without` is the verdict when nobody met it: a process that is gone
 * cannot count, so nothing can be said then. */
static const struct {
    void (*meet)(const struct evidence *e, const struct runner_fault *fault, struct meeting *m);
    bool by_client; /* the trail is the evidence, else the journal */
    enum verdict without;
    const char *wanted;
} kinds[] = {
    [VERB_FAULT_RULE] = {meet_rule, false, VERDICT_NOT_EXERCISED, "a request that the rule took"},
    [VERB_FAULT_SEALED] = {meet_sealed, false, VERDICT_NOT_EXERCISED,
                           "a sign request that was answered 503"},
    [VERB_FAULT_REFUSED] = {meet_refused, true, VERDICT_UNKNOWN,
                            "an audited attempt that was refused"},
    [VERB_FAULT_DEAD] = {meet_refused, true, VERDICT_UNKNOWN,
                         "an audited attempt that was refused"},
    [VERB_FAULT_HELD] = {meet_held, false, VERDICT_NOT_EXERCISED,
                         "a sign request that was not answered"},
    [VERB_FAULT_FROZEN] = {meet_silence, true, VERDICT_UNKNOWN,
                           "an audited attempt that timed out"},
    [VERB_FAULT_RESTARTED] = {meet_restarted, false, VERDICT_NOT_EXERCISED,
                              "a sign request that reached the new process"},
    [VERB_FAULT_KEY] = {meet_key, false, VERDICT_NOT_EXERCISED, "a sign request behind it"},
    [VERB_FAULT_FALLBACK_KEY] = {meet_fallback_key, true, VERDICT_NOT_EXERCISED,
                                 "an audited refusal that names the fallback key"},
};

static void judge_fault(struct runner *run, const struct evidence *e, struct runner_fault *fault)
{
    struct meeting m = {0};
    const char *file = kinds[fault->kind].by_client ? LEDGER_AUDIT : LEDGER_JOURNAL;
    kinds[fault->kind].meet(e, fault, &m);
    fault->hits = m.hits;
    if (m.hits > 0) {
        fault->evidence = pool_format(&run->pool, "%s:%zu", m.file, m.line);
        return;
    }
    bool found = kinds[fault->kind].by_client ? e->client.found : e->server.found;
    enum verdict flag = found ? kinds[fault->kind].without : VERDICT_UNKNOWN;
    fault->evidence = pool_format(&run->pool, "%s shows none", file);
    verdict_add(&run->findings, &run->pool, flag, "fault", fault->plan->number,
                "step %zu (line %zu, %s): expected %s while it lasted, %s shows none",
                fault->plan->number, fault->plan->step->line, fault->plan->text,
                kinds[fault->kind].wanted, file);
}

void exercise_judge(struct runner *run, const struct evidence *evidence)
{
    for (size_t i = 0; i < run->fault_count; i++)
        if (!run->faults[i].implied)
            judge_fault(run, evidence, &run->faults[i]);
}
