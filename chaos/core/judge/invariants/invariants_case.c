#include "chaos/core/judge/invariants/invariants_case.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/subject/subjects.h"

#define TEXT_BYTES_MAX 1024

static struct invariants_cause *find_cause(struct invariants_case *c, const char *cause)
{
    for (size_t i = 0; i < c->cause_count; i++)
        if (strcmp(c->causes[i].cause, cause) == 0)
            return &c->causes[i];
    return NULL;
}

static void violated(struct invariants_case *c, const char *cause, size_t step, const char *format,
                     va_list args)
{
    char text[TEXT_BYTES_MAX];
    struct invariants_cause *known = find_cause(c, cause);
    if (known != NULL) {
        known->more++;
        return;
    }
    if (c->cause_count < INVARIANTS_CAUSES_MAX)
        c->causes[c->cause_count++] =
            (struct invariants_cause){.cause = cause, .finding = c->out->findings.count};
    (void)vsnprintf(text, sizeof text, format, args);
    judgement_add(c->out, VERDICT_FAIL, c->name, step, "%s", text);
}

void invariants_case_violated(struct invariants_case *c, size_t step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    violated(c, format, step, format, args);
    va_end(args);
}

void invariants_case_caused(struct invariants_case *c, const char *cause, size_t step,
                            const char *format, ...)
{
    va_list args;
    va_start(args, format);
    violated(c, cause, step, format, args);
    va_end(args);
}

void invariants_case_end(struct invariants_case *c)
{
    for (size_t i = 0; i < c->cause_count; i++) {
        const struct invariants_cause *cause = &c->causes[i];
        if (cause->more == 0 || cause->finding >= c->out->findings.count)
            continue;
        struct verdict_finding *finding = &c->out->findings.items[cause->finding];
        const char *text =
            pool_format(&c->out->pool, "%s (and %zu more like it)", finding->text, cause->more);
        if (text != NULL)
            finding->text = text;
    }
}

const struct record_call *invariants_case_call(const struct join_bundle *bundle, int64_t wall_ns)
{
    const struct record_call *found = bundle->call_count == 0 ? NULL : bundle->calls[0];
    for (size_t i = 1; i < bundle->call_count; i++)
        if (bundle->calls[i]->told.started.wall_ns <= wall_ns)
            found = bundle->calls[i];
    return found;
}

size_t invariants_case_step(const struct join_bundle *bundle, const struct ledger_entry *entry)
{
    const struct record_call *call = invariants_case_call(bundle, entry->wall_ns);
    return call == NULL ? 0 : call->plan->number;
}

/* Returns how many of the contracts, which are in the order of time, were made by then. */
static size_t contracts_until(const struct record *record, int64_t wall_ns)
{
    size_t low = 0, high = record->contract_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (record->contracts[middle].from_ns <= wall_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A service takes bundles up again by itself when it starts, so what it runs with at that time
 * counts, not what it ran with when it was asked. A command has one environment per call. */
bool invariants_case_contract(const struct invariants_case *c, const struct join_bundle *bundle,
                              const struct ledger_entry *entry, struct record_contract *out)
{
    const struct record_call *call = invariants_case_call(bundle, entry->wall_ns);
    if (call == NULL)
        return false;
    *out = call->contract;
    if (subject_is_command(c->record->scenario->stack.subject, call->via))
        return true;
    for (size_t i = contracts_until(c->record, entry->wall_ns); i > 0; i--) {
        if (strcmp(c->record->contracts[i - 1].via, call->via) != 0)
            continue;
        *out = c->record->contracts[i - 1];
        break;
    }
    return true;
}

bool invariants_case_is_outage(const char *class)
{
    return subject_says(subjects_default(), class) == SUBJECT_SAYS_OUTAGE;
}

bool invariants_case_is_refusal(const char *class)
{
    return subject_says(subjects_default(), class) == SUBJECT_SAYS_REFUSAL;
}

bool invariants_case_was_interrupted(const struct ledger_entry *entry)
{
    return entry->reason != NULL && strcmp(entry->reason, "interrupted") == 0;
}

void invariants_case_each_run(struct invariants_case *c,
                              void (*visit)(struct invariants_case *c,
                                            const struct join_bundle *bundle,
                                            const struct join_run *run))
{
    const struct join *join = &c->evidence->join;
    for (size_t i = 0; i < join->bundle_count; i++)
        for (size_t k = 0; k < join->bundles[i].run_count; k++)
            visit(c, &join->bundles[i], &join->bundles[i].runs[k]);
}

void invariants_case_each_entry(struct invariants_case *c,
                                void (*visit)(struct invariants_case *c,
                                              const struct join_bundle *bundle,
                                              const struct ledger_entry *entry))
{
    const struct join *join = &c->evidence->join;
    for (size_t i = 0; i < join->bundle_count; i++)
        for (size_t k = 0; k < join->bundles[i].entry_count; k++)
            visit(c, &join->bundles[i], join->bundles[i].entries[k]);
}
