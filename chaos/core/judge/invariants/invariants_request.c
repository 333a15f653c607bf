#include "chaos/core/judge/invariants/invariants_request.h"

#include <inttypes.h>
#include <string.h>

#include "base/bug.h"
#include "base/units.h"

#define POLLS_PER_START 8 /* what nobody is blamed for: starts, re-sends of the library */
#define POLLS_PER_ASKING 3
#define PINS_PER_ASKING 3
#define NAMES_MAX 32u /* of keys in a run; with that many, any will do */

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

/* A row of the subject's table, and what came of it. */
struct row {
    const struct subject_asking *asking;
    const char *names[NAMES_MAX]; /* that the last part of the path may be; none: any will do */
    size_t name_count;
    int64_t requests;
    const struct ledger_request *last;
};

static bool has_name(const struct row *row, const char *name)
{
    for (size_t i = 0; i < row->name_count; i++)
        if (strcmp(row->names[i], name) == 0)
            return true;
    return row->name_count == 0 || row->name_count == NAMES_MAX;
}

/* The names of keys that some signer was told. */
static void note_names(const struct record *record, struct row *row)
{
    for (size_t i = 0; row->asking->key != NULL && i < record->contract_count; i++) {
        const char *value = value_of(&record->contracts[i], row->asking->key);
        if (value != NULL && (row->name_count == 0 || !has_name(row, value)))
            row->names[row->name_count++] = value;
    }
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static struct row *row_of(struct row *rows, size_t count, const struct ledger_request *r)
{
    for (size_t i = 0; r->path != NULL && i < count; i++) {
        const struct subject_asking *a = rows[i].asking;
        if (has_method(a->methods, r->method) && slice_glob(slice_of(a->path), slice_of(r->path)) &&
            has_name(&rows[i], last_part(r->path)))
            return &rows[i];
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

static void check_rate(struct invariants_case *c, const struct row *row)
{
    const struct subject_asking *asking = row->asking;
    int64_t allowed = asking->when == SUBJECT_WHEN_POLLING
                          ? polls_allowed(c, asking)
                          : PINS_PER_ASKING * (1 + (int64_t)count_steps(c->record, "trust"));
    if (row->last != NULL && row->requests > allowed)
        invariants_case_caused(c, asking->path, 0,
                               "expected at most %" PRId64 " requests %s %s in this run, Vault got "
                               "%" PRId64 " (" LEDGER_JOURNAL ":%zu)",
                               allowed, asking->methods, asking->path, row->requests,
                               row->last->line);
}

static void check_request(struct invariants_case *c, struct row *row,
                          const struct ledger_request *r)
{
    if (row == NULL) {
        tell_unasked(c, r);
        return;
    }
    row->requests++;
    row->last = r;
    if (row->asking->when == SUBJECT_WHEN_PINNING && !is_pinning(c->record, r->wall_ns))
        tell_unpinned(c, r);
}

void invariants_request_unasked(struct invariants_case *c)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    struct row rows[SUBJECT_ASKINGS_MAX] = {0};
    CHECK(subject->asking_count <= SUBJECT_ASKINGS_MAX);
    for (size_t i = 0; i < subject->asking_count; i++) {
        rows[i].asking = &subject->askings[i];
        note_names(c->record, &rows[i]);
    }
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (!is_own(c, r))
            check_request(c, row_of(rows, subject->asking_count, r), r);
    }
    for (size_t i = 0; i < subject->asking_count; i++)
        if (rows[i].asking->when != SUBJECT_WHEN_SIGNING)
            check_rate(c, &rows[i]);
}
