#include "chaos/core/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/core/judge/exercise.h"
#include "chaos/core/judge/fault_windows.h"
#include "chaos/core/judge/invariants.h"
#include "chaos/core/judge/judge.h"
#include "chaos/core/language/variable.h"
#include "chaos/core/ledger/evidence.h"

#define MESSAGE_BYTES_MAX 4096u
#define STEP_POOL_MAX (4u * RUNNER_EVIDENCE_MAX)
#define NS_PER_MS 1000000

struct session {
    struct runner *run;
    const struct world *world;
    bool started;      /* the stack runs, so that there is something to judge */
    bool begun;        /* the method, too */
    bool rolling_back; /* the user's first stop no longer counts */
};

static const char *keep(struct session *s, const char *text)
{
    const char *copy = pool_text(&s->run->pool, slice_of(text));
    return copy == NULL ? "" : copy;
}

static bool must_stop(const struct session *s)
{
    return s->world->interrupted(s->world->context) >= (s->rolling_back ? 2 : 1);
}

static int64_t wall(const struct session *s)
{
    return s->world->now(s->world->context).wall_ns;
}

/* --- contracts --- */

/* The numbers of a contract. */
static const struct {
    const char *name;
    size_t offset;
} terms[] = {
    {"SIGNER_ATTEMPTS", offsetof(struct runner_contract, attempts_max)},
    {"SIGNER_BACKOFF_BASE_MS", offsetof(struct runner_contract, base_ms)},
    {"SIGNER_BACKOFF_MAX_MS", offsetof(struct runner_contract, max_ms)},
    {"SIGNER_ATTEMPT_TIMEOUT_MS", offsetof(struct runner_contract, attempt_timeout_ms)},
};

#define TERMS (sizeof terms / sizeof terms[0])

static void set_term(struct runner_contract *out, size_t i, int64_t value)
{
    memcpy((char *)out + terms[i].offset, &value, sizeof value);
}

static void take_variable(struct runner_contract *out, struct slice name, struct slice value)
{
    uint64_t n = 0;
    if (slice_equal_text(name, "ALLOW_FALLBACK_SIGNING"))
        out->fallback_allowed = slice_equal_text(value, "true");
    for (size_t i = 0; i < TERMS; i++)
        if (slice_equal_text(name, terms[i].name) && slice_to_u64(value, &n) && n < INT32_MAX)
            set_term(out, i, (int64_t)n);
}

/* What a signer is bound to, from the environment it was started with. */
static void parse_contract(struct slice text, struct runner_contract *out)
{
    for (size_t i = 0; i < TERMS; i++)
        set_term(out, i, variable_standard(terms[i].name));
    while (text.len > 0) {
        struct slice value = slice_cut(&text, '\n'), name = slice_cut(&value, '=');
        take_variable(out, name, value);
    }
}

/* Notes what `via` runs with from now on; nothing when the world does not know. */
static struct runner_contract note_contract(struct session *s, const char *via, int64_t from_ns)
{
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, 1u << 20);
    struct slice text = {0};
    struct runner_contract contract = {.via = via, .from_ns = from_ns};
    if (evidence_read_text(s->world, WORLD_ENVIRONMENT, via, &pool, &text, NULL) != ERRC_OK)
        text = (struct slice){0};
    parse_contract(text, &contract);
    if (text.ptr != NULL)
        s->run->contracts[s->run->contract_count++] = contract;
    return contract;
}

static void note_services(struct session *s, int64_t from_ns)
{
    if (s->run->scenario->stack.api)
        (void)note_contract(s, "api", from_ns);
    if (s->run->scenario->stack.worker)
        (void)note_contract(s, "worker", from_ns);
}

/* --- one step --- */

static struct runner_call *call_of_step(struct runner *run, const char *name)
{
    for (size_t i = run->call_count; i > 0; i--)
        if (run->calls[i - 1].name != NULL && strcmp(run->calls[i - 1].name, name) == 0)
            return &run->calls[i - 1];
    return NULL;
}

static void note_call(struct session *s, const struct runner_step *step,
                      const struct world_outcome *outcome)
{
    struct runner *run = s->run;
    const struct scenario_step *what = step->plan->step;
    const char *via = scenario_text(what, "via");
    run->calls[run->call_count++] = (struct runner_call){
        .plan = step->plan,
        .again = step->again,
        .name = scenario_text(what, "as"),
        .via = via,
        .told = outcome->call,
        .contract = note_contract(s, via, outcome->call.started.wall_ns),
    };
}

static enum judge_result judge_call(struct session *s, const struct judge *j,
                                    const struct runner_call *call, enum errc *code,
                                    struct errc_why *why)
{
    enum judge_result result = JUDGE_MET;
    (void)s;
    if (call->told.finished)
        *code = judge_sign(j, call->plan->step, &call->told, &result, why);
    return result;
}

static enum judge_result judge_wait(struct session *s, const struct judge *j,
                                    const struct scenario_step *step,
                                    const struct world_outcome *outcome, enum errc *code,
                                    struct errc_why *why)
{
    struct runner_call *call = call_of_step(s->run, scenario_text(step, "sign"));
    if (call == NULL || !outcome->call.finished || call->told.finished)
        return JUDGE_MET;
    call->told = outcome->call;
    return judge_call(s, j, call, code, why);
}

/* Probes again and again until it is met or `within_ms` is over. */
static enum judge_result judge_until(struct session *s, const struct judge *j,
                                     const struct scenario_step *step,
                                     const struct world_outcome *outcome, enum errc *code,
                                     struct errc_why *why)
{
    enum judge_result result = JUDGE_MET;
    const struct scenario_value *within = scenario_field(step, "within_ms");
    int64_t deadline = s->world->now(s->world->context).mono_ns +
                       (within == NULL ? 0 : within->number) * NS_PER_MS;
    for (;;) {
        buf_reset(j->message);
        *code = judge_probe(j, step, outcome, &result, why);
        if (*code != ERRC_OK || result == JUDGE_MET || must_stop(s) ||
            s->world->now(s->world->context).mono_ns >= deadline)
            return result;
        pool_done(j->pool);
        s->world->wait_change(s->world->context, deadline);
    }
}

static enum judge_result judge_step(struct session *s, const struct runner_step *step,
                                    const struct world_outcome *outcome, struct buf *message,
                                    enum errc *code, struct errc_why *why)
{
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, STEP_POOL_MAX);
    struct judge j = {.world = s->world, .run = s->run, .pool = &pool, .message = message};
    const struct scenario_step *what = step->plan->step;
    switch (what->verb->role) {
    case VERB_ACTS:
        return JUDGE_MET;
    case VERB_SIGNS:
        return judge_call(s, &j, &s->run->calls[s->run->call_count - 1], code, why);
    case VERB_WAITS:
        return judge_wait(s, &j, what, outcome, code, why);
    case VERB_OBSERVES:
        return judge_until(s, &j, what, outcome, code, why);
    }
    return JUDGE_UNKNOWN;
}

static const char *bundle_for(struct session *s, const struct scenario_step *step)
{
    const char *name = step->verb->id == VERB_SIGN       ? scenario_text(step, "retry")
                       : step->verb->id == VERB_WAIT_FOR ? scenario_text(step, "sign")
                                                         : NULL;
    return name == NULL ? NULL : judge_bundle_of(s->run, name);
}

static enum errc act(struct session *s, const struct runner_step *step,
                     struct world_outcome *outcome, struct errc_why *why)
{
    const struct plan_step *plan = step->plan;
    const struct verb *verb = plan->step->verb;
    if (verb->role == VERB_OBSERVES && verb->id != VERB_STATUS)
        return ERRC_OK;
    struct world_step order = {
        .step = plan->step, .number = plan->number, .bundle = bundle_for(s, plan->step)};
    (void)snprintf(order.rule, sizeof order.rule, "step-%zu", plan->number);
    int64_t from_ns = wall(s);
    TRY(s->world->act(s->world->context, &order, outcome, why));
    int64_t to_ns = wall(s);
    fault_windows_note(s->run, plan, keep(s, order.rule), from_ns, to_ns);
    if (strcmp(verb->actor, "service") == 0)
        note_services(s, from_ns);
    if (verb->key_event)
        s->run->key_events[s->run->key_event_count++] =
            (struct runner_key_event){.plan = plan, .from_ns = from_ns, .to_ns = to_ns};
    return ERRC_OK;
}

/* What it means for the run that this step did not hold. */
static enum verdict flag_for(const struct runner_step *step, enum judge_result result)
{
    enum verb_phase phase = step->plan->step->phase;
    if (phase == VERB_PHASE_STEADY && !step->again)
        return VERDICT_NOT_STARTED;
    if (result == JUDGE_UNKNOWN)
        return VERDICT_UNKNOWN;
    return phase == VERB_PHASE_STEADY || phase == VERB_PHASE_ROLLBACK ? VERDICT_DIRTY
                                                                      : VERDICT_FAIL;
}

static void add_finding(struct session *s, const struct runner_step *step, enum verdict flag,
                        const char *rule)
{
    verdict_add(&s->run->findings, &s->run->pool, flag, rule, step->plan->number,
                "step %zu%s (line %zu, %s): %s", step->plan->number, step->again ? " again" : "",
                step->plan->step->line, step->plan->text, step->message);
}

/* True when a step failed because the user asked to stop: that is the interruption's finding, not
 * one against the subject. The rollback still runs then, and what fails in it counts. */
static bool was_cut_short(struct session *s, const struct runner_step *step, enum errc code)
{
    return errc_class(code) != ERRC_CLASS_FATAL && step->plan->step->phase != VERB_PHASE_ROLLBACK &&
           s->world->interrupted(s->world->context) > 0;
}

static void settle(struct session *s, struct runner_step *step, enum errc code,
                   enum judge_result result, const char *message, const struct errc_why *why)
{
    if (code != ERRC_OK) {
        step->result = RUNNER_ERROR;
        step->message = keep(s, why->text[0] == '\0' ? errc_text(code) : why->text);
        bool ours = errc_class(code) == ERRC_CLASS_FATAL;
        if (!was_cut_short(s, step, code))
            add_finding(s, step, ours ? VERDICT_INTERNAL : flag_for(step, JUDGE_NOT_MET), "step");
    } else if (result != JUDGE_MET) {
        step->result = RUNNER_NOT_MET;
        step->message = keep(s, message);
        add_finding(s, step, flag_for(step, result), "expectation");
    } else {
        step->result = RUNNER_MET;
    }
}

static void tell_progress(struct session *s, const struct runner_step *step, bool finished)
{
    struct world_progress progress = {
        .number = step->plan->number,
        .total = s->run->plan->count,
        .phase = step->plan->step->phase,
        .again = step->again,
        .text = step->plan->text,
        .finished = finished,
        .met = finished && step->result == RUNNER_MET,
    };
    if (s->world->progress != NULL)
        s->world->progress(s->world->context, &progress);
}

/* skip: it is not reached any more, and only noted. */
static enum runner_result run_step(struct session *s, const struct plan_step *plan, bool again,
                                   bool skip)
{
    struct runner_step *step = &s->run->steps[s->run->step_count++];
    struct world_outcome outcome = {.call = {.exit = -1, .attempts = -1}};
    struct errc_why why = {{0}};
    struct buf message CLEANUP(buf_done);
    buf_init(&message, MESSAGE_BYTES_MAX);
    *step = (struct runner_step){
        .plan = plan, .again = again, .result = RUNNER_SKIPPED, .note = "", .message = ""};
    step->started = step->ended = s->world->now(s->world->context);
    if (skip || must_stop(s))
        return RUNNER_SKIPPED;
    tell_progress(s, step, false);
    enum judge_result result = JUDGE_MET;
    enum errc code = act(s, step, &outcome, &why);
    if (plan->step->verb->role == VERB_SIGNS && outcome.call.bundle[0] != '\0')
        note_call(s, step, &outcome); /* also of one that did not end: the bundle is under way */
    if (code == ERRC_OK)
        result = judge_step(s, step, &outcome, &message, &code, &why);
    step->ended = s->world->now(s->world->context);
    step->note = keep(s, outcome.note);
    settle(s, step, code, result, buf_text(&message), &why);
    tell_progress(s, step, true);
    return step->result;
}

/* --- phases --- */

/* Runs the steps of a phase. stop_at: the worst result that does not end it. */
static bool run_phase(struct session *s, enum verb_phase phase, bool again,
                      enum runner_result stop_at)
{
    bool good = true, stopped = false;
    for (size_t i = 0; i < s->run->plan->count; i++) {
        const struct plan_step *plan = &s->run->plan->steps[i];
        if (plan->step->phase != phase)
            continue;
        enum runner_result result = run_step(s, plan, again, stopped);
        good = good && result == RUNNER_MET;
        stopped = stopped || (result != RUNNER_SKIPPED && result > stop_at);
    }
    return good;
}

static bool start(struct session *s)
{
    struct errc_why why = {{0}};
    enum errc code = s->world->start(s->world->context, s->run->scenario, &why);
    if (code == ERRC_OK) {
        note_services(s, wall(s));
        return true;
    }
    bool stopped = s->world->interrupted(s->world->context) > 0;
    if (!stopped)
        verdict_add(&s->run->findings, &s->run->pool,
                    errc_class(code) == ERRC_CLASS_FATAL ? VERDICT_INTERNAL : VERDICT_NOT_STARTED,
                    "start", 0, "the stack did not start: %s",
                    why.text[0] == '\0' ? errc_text(code) : why.text);
    return false;
}

static void run_phases(struct session *s)
{
    s->started = start(s);
    if (!s->started || !run_phase(s, VERB_PHASE_STEADY, false, RUNNER_MET))
        return;
    s->begun = true;
    (void)run_phase(s, VERB_PHASE_METHOD, false, RUNNER_NOT_MET);
    s->rolling_back = true;
    (void)run_phase(s, VERB_PHASE_ROLLBACK, false, RUNNER_SKIPPED);
    (void)run_phase(s, VERB_PHASE_STEADY, true, RUNNER_SKIPPED);
    s->rolling_back = false;
    (void)run_phase(s, VERB_PHASE_EXPECT, false, RUNNER_SKIPPED);
}

/* --- judgement --- */

static void add_problems(struct runner *run, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->problems.count; i++) {
        const struct ledger_problem *p = &evidence->problems.items[i];
        char place[32] = "";
        if (p->line > 0)
            (void)snprintf(place, sizeof place, ":%zu", p->line);
        verdict_add(&run->findings, &run->pool, VERDICT_UNKNOWN, "evidence", 0, "%s%s: %s", p->file,
                    place, p->text);
    }
}

/* A run that was not begun left little behind; what it left must hold all the same. */
static void judge_run(struct session *s)
{
    struct runner *run = s->run;
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, STEP_POOL_MAX);
    struct evidence evidence;
    struct errc_why why = {{0}};
    enum errc code = evidence_collect(s->world, run, &pool, &evidence, &why);
    if (code != ERRC_OK) {
        verdict_add(&run->findings, &run->pool, VERDICT_INTERNAL, "evidence", 0,
                    "the evidence could not be read: %s", why.text);
        return;
    }
    if (s->begun)
        add_problems(run, &evidence);
    exercise_judge(run, &evidence);
    invariants_judge(run, &evidence);
}

static bool make_room(struct runner *run)
{
    size_t steps = 2 * run->plan->count + 1;
    run->steps = pool_array(&run->pool, steps, sizeof *run->steps);
    run->calls = pool_array(&run->pool, steps, sizeof *run->calls);
    run->faults = pool_array(&run->pool, 2 * steps, sizeof *run->faults);
    run->contracts = pool_array(&run->pool, 2 * steps + 2, sizeof *run->contracts);
    run->key_events = pool_array(&run->pool, steps, sizeof *run->key_events);
    return !run->pool.failed;
}

void runner_run(const struct scenario *scenario, const struct plan *plan, const struct world *world,
                uint64_t seed, struct runner *out)
{
    *out = (struct runner){.scenario = scenario, .plan = plan, .seed = seed};
    pool_init(&out->pool, RUNNER_POOL_MAX);
    struct session s = {.run = out, .world = world};
    out->started = world->now(world->context);
    if (make_room(out))
        run_phases(&s);
    if (world->interrupted(world->context) > 0)
        verdict_add(&out->findings, &out->pool, VERDICT_INTERRUPTED, "user", 0, "asked to stop%s",
                    world->interrupted(world->context) > 1 ? ", twice: nothing was rolled back"
                                                           : "");
    world->stop(world->context);
    out->ended = world->now(world->context); /* of what is judged */
    if (s.started)
        judge_run(&s);
    out->ended = world->now(world->context);
    if (out->pool.failed)
        out->findings.failed = true;
    out->verdict = verdict_worst(&out->findings);
}

void runner_done(struct runner *runner)
{
    if (runner == NULL)
        return;
    verdict_done(&runner->findings);
    pool_done(&runner->pool);
    *runner = (struct runner){0};
}
