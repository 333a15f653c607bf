#include "chaos/core/judge/invariants_request.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

#define POLLS_PER_START 8 /* what nobody is blamed for: starts, re-sends of the library */
#define POLLS_PER_ASKING 3
#define PINS_PER_ASKING 3

/* chaos's own, which has its mark; else it is the client's. */
static bool is_own(const struct invariants_case *c, const struct ledger_request *r)
{
    return c->evidence->mark != NULL && r->test != NULL && strcmp(r->test, c->evidence->mark) == 0;
}

/* --- which row of the subject's table a request is --- */

static bool has_method(const char *methods, const char *method)
{
    struct slice rest = slice_of(methods);
    while (rest.len > 0)
        if (slice_equal_text(slice_cut(&rest, ' '), method))
            return true;
    return method[0] == '\0'; /* the journal does not tell */
}

static const char *value_of(const struct record_contract *contract, const char *variable)
{
    for (size_t i = 0; i < contract->environment_count; i++)
        if (strcmp(contract->environment[i].name, variable) == 0)
            return contract->environment[i].value;
    return NULL;
}

/* True when the last part of the path is what some signer was told; also when none was told. */
static bool names_key(const struct record *record, const char *variable, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    bool told = false;
    for (size_t i = 0; variable != NULL && i < record->contract_count; i++) {
        const char *value = value_of(&record->contracts[i], variable);
        told |= value != NULL;
        if (value != NULL && strcmp(value, name) == 0)
            return true;
    }
    return !told;
}

static const struct subject_asking *asking_of(const struct invariants_case *c,
                                              const struct ledger_request *r)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    for (size_t i = 0; r->path != NULL && i < subject->asking_count; i++) {
        const struct subject_asking *a = &subject->askings[i];
        if (has_method(a->methods, r->method) && slice_glob(slice_of(a->path), slice_of(r->path)) &&
            names_key(c->record, a->key, r->path))
            return a;
    }
    return NULL;
}

/* --- when it may be asked --- */

/* Steps in which somebody was told to do this. */
static bool is_step_of(const struct record_step *step, const char *actor)
{
    return step->result != RECORD_SKIPPED && strcmp(step->plan->step->actor->name, actor) == 0;
}

static size_t count_steps(const struct record *record, const char *actor)
{
    size_t count = 0;
    for (size_t i = 0; i < record->step_count; i++)
        count += is_step_of(&record->steps[i], actor);
    return count;
}

/* Set-up pins, too. */
static bool is_pinning(const struct record *record, int64_t wall_ns)
{
    const int64_t slack_ns = INVARIANTS_SLACK_MS * NS_PER_MS;
    if (record->step_count == 0 || wall_ns <= record->steps[0].started.wall_ns + slack_ns)
        return true;
    for (size_t i = 0; i < record->step_count; i++) {
        const struct record_step *step = &record->steps[i];
        if (is_step_of(step, "trust") && wall_ns >= step->started.wall_ns - slack_ns &&
            wall_ns <= step->ended.wall_ns + slack_ns)
            return true;
    }
    return false;
}

static int64_t interval_ms(const struct subject *subject, const char *variable,
                           const struct record_contract *contract)
{
    uint64_t ms = 0;
    const char *value = value_of(contract, variable);
    const struct variable *known = variable_find(&subject->variables, variable);
    if (value != NULL && slice_to_u64(slice_of(value), &ms) && ms > 0 && ms < INT64_MAX)
        return (int64_t)ms;
    return known == NULL || known->standard <= 0 ? 1 : known->standard;
}

/* How many polls there may have been by the end: each service asks for as long as the run lasted,
 * at twice the rate that it was configured to, and some more per start. What was held up on the way
 * may come late and at once, so only the sum says anything. */
static int64_t polls_allowed(const struct invariants_case *c, const struct subject_asking *asking)
{
    const struct record *record = c->record;
    const struct subject *subject = record->scenario->stack.subject;
    int64_t run_ms = (record->ended.mono_ns - record->started.mono_ns) / NS_PER_MS;
    int64_t allowed = (int64_t)count_steps(record, "status") * POLLS_PER_ASKING;
    for (size_t i = 0; i < subject->door_count; i++) {
        int64_t shortest = INT64_MAX;
        for (size_t k = 0; k < record->contract_count; k++) {
            const struct record_contract *contract = &record->contracts[k];
            if (subject->doors[i].kind != SUBJECT_SERVICE ||
                strcmp(contract->via, subject->doors[i].name) != 0)
                continue;
            int64_t ms = interval_ms(subject, asking->interval, contract);
            shortest = ms < shortest ? ms : shortest;
            allowed += POLLS_PER_START;
        }
        allowed += 2 * run_ms / shortest;
    }
    return allowed;
}

/* --- the judgement --- */

struct count {
    int64_t requests;
    const struct ledger_request *last;
};

static void tell_unasked(struct invariants_case *c, const struct ledger_request *r)
{
    const char *cause = pool_format(&c->out->pool, "%s %s", r->method, r->path);
    invariants_case_caused(c, cause == NULL ? "unasked" : cause, 0,
                           "expected the client to ask Vault only for what it was asked to do, it "
                           "sent %s %s (" LEDGER_JOURNAL ":%zu)",
                           r->method, r->path, r->line);
}

static void tell_unpinned(struct invariants_case *c, const struct ledger_request *r)
{
    invariants_case_caused(c, "pinning", 0,
                           "expected the client to ask Vault for a key only while it was told to "
                           "pin it, it sent %s %s (" LEDGER_JOURNAL ":%zu)",
                           r->method, r->path, r->line);
}

/* Adds up the requests of one row. */
static struct count count_asked(struct invariants_case *c, const struct subject_asking *asking)
{
    struct count count = {0};
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (is_own(c, r) || asking_of(c, r) != asking)
            continue;
        count.requests++;
        count.last = r;
    }
    return count;
}

static void check_rate(struct invariants_case *c, const struct subject_asking *asking)
{
    int64_t allowed = asking->when == SUBJECT_WHEN_POLLING
                          ? polls_allowed(c, asking)
                          : PINS_PER_ASKING * (1 + (int64_t)count_steps(c->record, "trust"));
    struct count count = count_asked(c, asking);
    if (count.requests > allowed)
        invariants_case_caused(c, asking->path, 0,
                               "expected at most %" PRId64 " requests %s %s in this run, Vault got "
                               "%" PRId64 " (" LEDGER_JOURNAL ":%zu)",
                               allowed, asking->methods, asking->path, count.requests,
                               count.last->line);
}

void invariants_request_unasked(struct invariants_case *c)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        const struct subject_asking *asking = is_own(c, r) ? NULL : asking_of(c, r);
        if (asking == NULL && !is_own(c, r))
            tell_unasked(c, r);
        else if (asking != NULL && asking->when == SUBJECT_WHEN_PINNING &&
                 !is_pinning(c->record, r->wall_ns))
            tell_unpinned(c, r);
    }
    for (size_t i = 0; i < subject->asking_count; i++)
        if (subject->askings[i].when != SUBJECT_WHEN_SIGNING)
            check_rate(c, &subject->askings[i]);
}
