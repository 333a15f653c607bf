#include "chaos/core/judge/invariants_case.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void invariants_case_violated(const struct invariants_case *c, size_t step, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    judgement_add(c->out, VERDICT_FAIL, c->name, step, "%s", text);
}

const struct record_call *invariants_case_call(const struct invariants_case *c, const char *bundle,
                                               int64_t wall_ns)
{
    for (size_t i = c->record->call_count; bundle != NULL && i > 0; i--) {
        const struct record_call *call = &c->record->calls[i - 1];
        if (strcmp(call->told.bundle, bundle) == 0 && call->told.started.wall_ns <= wall_ns)
            return call;
    }
    return NULL;
}

size_t invariants_case_step(const struct invariants_case *c, const struct ledger_entry *entry)
{
    const struct record_call *call = invariants_case_call(c, entry->bundle, INT64_MAX);
    return call == NULL ? 0 : call->plan->number;
}

/* A service takes bundles up again by itself when it starts, so what it runs with at that time
 * counts, not what it ran with when it was asked. A command has one environment per call. */
bool invariants_case_contract(const struct invariants_case *c, const struct ledger_entry *entry,
                              struct record_contract *out)
{
    const struct record_call *call = invariants_case_call(c, entry->bundle, INT64_MAX);
    if (call == NULL)
        return false;
    *out = call->contract;
    if (strcmp(call->via, "cli") == 0)
        return true;
    for (size_t i = 0; i < c->record->contract_count; i++) {
        const struct record_contract *contract = &c->record->contracts[i];
        if (strcmp(contract->via, call->via) == 0 && contract->from_ns <= entry->wall_ns)
            *out = *contract;
    }
    return true;
}

/* docs/architecture.md, "Classes of an attempt". ok, rate_limited and stale say neither. */
static const struct {
    const char *class;
    bool outage;
} classes[] = {
    {"refused", true},       {"unreachable", true}, {"timeout", true},   {"sealed", true},
    {"unavailable", true},   {"malformed", true},   {"denied", false},   {"bad_request", false},
    {"not_found", false},    {"key_state", false},  {"redirect", false}, {"certificate", false},
    {"key_mismatch", false},
};

static bool is(const char *class, bool outage)
{
    for (size_t i = 0; class != NULL && i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i].class, class) == 0)
            return classes[i].outage == outage;
    return false;
}

bool invariants_case_is_outage(const char *class)
{
    return is(class, true);
}

bool invariants_case_is_refusal(const char *class)
{
    return is(class, false);
}
