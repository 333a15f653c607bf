#include "chaos/core/judge/invariants/service_view.h"

#include <string.h>

#include "base/units.h"
#include "chaos/core/subject/subject.h"

#define SLACK_NS ((int64_t)INVARIANTS_SLACK_MS * NS_PER_MS)
#define PATIENCE_MS 3000   /* for a poll's thread to get its turn */
#define SHORT_POLL_MS 1000 /* a poll that may take less than that fails on a busy machine */
#define FIRST_POLL_SPARE_MS 200
#define SLOW_POLL_MS 300 /* far below what a poll may take */
#define HEALTHY_STATUS 200
#define SEALED_STATUS 503

/* --- what was done --- */

static bool is_by(const struct ledger_entry *e, const char *door)
{
    return e->actor != NULL && strcmp(e->actor, door) == 0;
}

/* When the caller that the operation was for heard of it. One of a signature must have been told
 * that it is signed: a manifest that cannot be written is no signature yet. */
static int64_t told_ns(const struct join_bundle *b, const struct ledger_entry *e)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < b->call_count; i++) {
        const struct world_call *told = &b->calls[i]->told;
        bool heard = told->finished && told->signal == 0 && is_by(e, b->calls[i]->via) &&
                     (e->action != LEDGER_SIGNED || told->mode[0] != '\0');
        if (heard && e->wall_ns >= told->started.wall_ns && e->wall_ns <= told->ended.wall_ns &&
            told->ended.wall_ns < first)
            first = told->ended.wall_ns;
    }
    return first;
}

static void add_run(struct service_view *view, const struct join_bundle *b,
                    const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    bool ended = e != NULL && !invariants_case_was_interrupted(e);
    if (ended)
        view->done[view->done_count++] = (struct service_view_done){
            .entry = e,
            .intent_ns = run->intent == NULL ? INT64_MIN : run->intent->wall_ns,
            .told_ns = told_ns(b, e)};
    else if (run->intent != NULL)
        view->unended[view->unended_count++] = run->intent;
}

struct service_view service_view_make(struct invariants_case *c)
{
    const struct join *join = &c->evidence->join;
    struct service_view view = {.c = c};
    size_t runs = 0;
    for (size_t i = 0; i < join->bundle_count; i++)
        runs += join->bundles[i].run_count;
    view.done = pool_array(&c->out->pool, runs, sizeof *view.done);
    view.unended = pool_array(&c->out->pool, runs, sizeof(struct ledger_entry *));
    for (size_t i = 0; view.done != NULL && view.unended != NULL && i < join->bundle_count; i++)
        for (size_t k = 0; k < join->bundles[i].run_count; k++)
            add_run(&view, &join->bundles[i], &join->bundles[i].runs[k]);
    return view;
}

enum service_view_part service_view_part(const struct world_sample *sample,
                                         const struct service_view_done *done)
{
    int64_t at = done->entry->wall_ns;
    if (!is_by(done->entry, sample->door) || at < sample->since_ns - SLACK_NS ||
        at > sample->to_ns + SLACK_NS)
        return SERVICE_VIEW_NOT;
    return at >= sample->since_ns && done->told_ns <= sample->from_ns ? SERVICE_VIEW_CERTAIN
                                                                      : SERVICE_VIEW_MAYBE;
}

bool service_view_has_unended(const struct service_view *view, const struct world_sample *sample)
{
    for (size_t i = 0; i < view->unended_count; i++) {
        const struct ledger_entry *e = view->unended[i];
        if (is_by(e, sample->door) && e->wall_ns >= sample->since_ns - SLACK_NS &&
            e->wall_ns <= sample->to_ns + SLACK_NS)
            return true;
    }
    return false;
}

/* Another signature was begun when this one was told already. */
static bool is_superseded(const struct service_view *view, const struct world_sample *sample,
                          const struct service_view_done *one)
{
    for (size_t i = 0; i < view->done_count; i++)
        if (view->done[i].entry->action == LEDGER_SIGNED &&
            service_view_part(sample, &view->done[i]) == SERVICE_VIEW_CERTAIN &&
            view->done[i].intent_ns > one->told_ns)
            return true;
    return false;
}

int service_view_fallback(const struct service_view *view, const struct world_sample *sample)
{
    bool local = false, other = false, certain = false;
    for (size_t i = 0; i < view->done_count; i++) {
        const struct service_view_done *done = &view->done[i];
        enum service_view_part part = service_view_part(sample, done);
        if (done->entry->action != LEDGER_SIGNED || part == SERVICE_VIEW_NOT ||
            is_superseded(view, sample, done))
            continue;
        certain |= part == SERVICE_VIEW_CERTAIN;
        local |= done->entry->mode == LEDGER_MODE_FALLBACK;
        other |= done->entry->mode != LEDGER_MODE_FALLBACK;
    }
    other |= !certain; /* none may have been made yet: not active */
    return local && other ? -1 : local;
}

/* --- what it was bound to --- */

const struct record_contract *service_view_contract(const struct invariants_case *c,
                                                    const struct world_sample *sample)
{
    const struct record_contract *found = NULL;
    for (size_t i = 0; i < c->record->contract_count; i++) {
        const struct record_contract *contract = &c->record->contracts[i];
        if (strcmp(contract->via, sample->door) == 0 && contract->from_ns <= sample->from_ns)
            found = contract;
    }
    return found;
}

size_t service_view_step(const struct invariants_case *c, const struct world_sample *sample)
{
    size_t number = 0;
    for (size_t i = 0; i < c->record->step_count; i++)
        if (c->record->steps[i].started.wall_ns <= sample->from_ns)
            number = c->record->steps[i].plan->number;
    return number;
}

/* --- Vault, as a service that asks for its health must see it --- */

/* What was so throughout, up to the sample. */
struct state {
    bool known;
    unsigned bits;
    int64_t since_ns;
};

static void later(int64_t *since_ns, int64_t ns)
{
    if (ns > *since_ns)
        *since_ns = ns;
}

/* A step that acts on Vault, and what a rule of it did later, both end what was known. */
static struct state state_at(const struct invariants_case *c, const struct world_sample *sample)
{
    struct state state = {.known = true, .since_ns = sample->since_ns};
    for (size_t i = 0; i < c->record->change_count; i++) {
        const struct condition_change *change = &c->record->changes[i];
        if (change->from_ns > sample->to_ns)
            continue;
        later(&state.since_ns, change->to_ns);
        state.known &= change->to_ns <= sample->from_ns;
    }
    for (size_t i = 0; i < c->out->fault_count; i++) {
        const struct condition_window *window = &c->out->faults[i].window;
        if (window->from_ns > sample->to_ns || (window->bit & CONDITION_OUTAGE) == 0)
            continue;
        later(&state.since_ns, window->made_ns);
        if (window->to_ns <= sample->from_ns) {
            later(&state.since_ns, window->to_ns);
            continue;
        }
        state.bits |= window->bit;
        state.known &= window->made_ns <= sample->from_ns && window->ending_ns > sample->to_ns;
    }
    return state;
}

static int64_t interval_ms(const struct subject *subject, const struct record_contract *contract)
{
    uint64_t ms = 0;
    const struct variable *known = variable_find(&subject->variables, subject->poll_interval);
    for (size_t i = 0; i < contract->environment_count; i++)
        if (strcmp(contract->environment[i].name, subject->poll_interval) == 0 &&
            slice_to_u64(slice_of(contract->environment[i].value), &ms) && ms < INT32_MAX)
            return (int64_t)ms;
    return known == NULL ? INT32_MAX : known->standard;
}

/* A service is ready once it has asked, unless that takes long. */
static bool is_of_the_start(const struct subject *subject, const struct world_sample *sample,
                            const struct state *state)
{
    int64_t took_ms = (sample->ready_ns - sample->since_ns) / NS_PER_MS;
    return state->since_ns == sample->since_ns &&
           took_ms < subject->poll_first_ms - FIRST_POLL_SPARE_MS;
}

static bool is_poll(const struct subject *subject, const struct ledger_request *r)
{
    for (size_t i = 0; r->path != NULL && i < subject->asking_count; i++)
        if (subject->askings[i].when == SUBJECT_WHEN_POLLING &&
            slice_glob(slice_of(subject->askings[i].path), slice_of(r->path)))
            return true;
    return false;
}

/* True when the poll was answered so, and asked again on its connection: then it is known what the
 * answer said. */
static bool is_known_answer(const struct invariants_case *c, size_t i, int status, int64_t by_ns)
{
    const struct ledger_server *server = &c->evidence->server;
    const struct ledger_request *r = &server->requests[i];
    for (size_t k = i + 1; r->status == status && k < server->request_count; k++) {
        const struct ledger_request *next = &server->requests[k];
        if (next->wall_ns > by_ns)
            return false;
        if (next->conn == r->conn && next->boot == r->boot)
            return true;
    }
    return false;
}

/* True when the journal shows that each service has learned of this status since: as many
 * connections of polls as there are services, and no poll that was answered otherwise. */
static bool have_learned(const struct invariants_case *c, const struct world_sample *sample,
                         int64_t since_ns, int status)
{
    const struct scenario_stack *stack = &c->record->scenario->stack;
    const struct ledger_server *server = &c->evidence->server;
    int64_t known[SUBJECT_DOORS_MAX];
    size_t known_count = 0, services = 0;
    for (size_t i = 0; i < stack->subject->door_count; i++)
        services += stack->services[i];
    for (size_t i = 0; i < server->request_count && known_count < services; i++) {
        const struct ledger_request *r = &server->requests[i];
        bool is_new = true;
        if (r->wall_ns < since_ns || r->wall_ns > sample->from_ns || !is_poll(stack->subject, r))
            continue;
        if (r->reply_line != 0 && r->status != status)
            return false;
        for (size_t k = 0; k < known_count; k++)
            is_new &= known[k] != r->conn;
        if (is_new && is_known_answer(c, i, status, sample->from_ns))
            known[known_count++] = r->conn;
    }
    return services > 0 && known_count == services;
}

/* True when a poll waited long for its answer: the service may have given it up, and Vault looks
 * down. */
static bool had_slow_poll(const struct invariants_case *c, const struct world_sample *sample,
                          int64_t since_ns)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        bool answered = r->reply_line != 0 && r->reply_wall_ns <= sample->to_ns;
        int64_t until_ns = answered ? r->reply_wall_ns : sample->to_ns;
        if (r->wall_ns >= since_ns && r->wall_ns <= sample->to_ns && is_poll(subject, r) &&
            until_ns - r->wall_ns > (int64_t)SLOW_POLL_MS * NS_PER_MS)
            return true;
    }
    return false;
}

int service_view_vault(const struct invariants_case *c, const struct world_sample *sample)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    const struct record_contract *contract = service_view_contract(c, sample);
    const struct state state = state_at(c, sample);
    if (contract == NULL || subject->poll_interval == NULL || !state.known ||
        contract->attempt_timeout_ms < SHORT_POLL_MS)
        return -1;
    int64_t poll_ms = contract->attempt_timeout_ms < subject->poll_most_ms
                          ? contract->attempt_timeout_ms
                          : subject->poll_most_ms;
    int64_t quiet_ms = (sample->from_ns - state.since_ns) / NS_PER_MS;
    bool quiet = quiet_ms > 2 * interval_ms(subject, contract) + poll_ms + PATIENCE_MS;
    if (state.bits == CONDITION_SEALED)
        return quiet || have_learned(c, sample, state.since_ns, SEALED_STATUS) ? 0 : -1;
    if (state.bits == 0)
        return !had_slow_poll(c, sample, state.since_ns) &&
                       (quiet || is_of_the_start(subject, sample, &state) ||
                        have_learned(c, sample, state.since_ns, HEALTHY_STATUS))
                   ? 1
                   : -1;
    if ((state.bits & (CONDITION_HELD | CONDITION_RULED | CONDITION_RESTARTED)) != 0)
        return -1; /* not all requests need meet it */
    return quiet ? 0 : -1;
}
