#include "chaos/core/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "chaos/core/judge/exercise.h"
#include "chaos/core/judge/invariants/invariants.h"
#include "chaos/core/judge/judge.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/ledger/evidence.h"
#include "chaos/core/ledger/evidence_leaks.h"
#include "chaos/core/subject/subject_contract.h"

#define MESSAGE_BYTES_MAX 4096u
#define STEP_POOL_MAX (2u * EVIDENCE_BYTES_MAX)

struct session {
    struct record *run;
    struct judgement *judged;
    const struct world *world;
    struct evidence evidence; /* of the run so far */
    bool started;             /* the stack runs, so that there is something to judge */
    bool rolling_back;        /* the user's first stop no longer counts */
    bool late;
};

static const char *keep(struct session *s, const char *text)
{
    const char *copy = pool_text(&s->run->pool, slice_of(text));
    return copy == NULL ? "" : copy;
}

/* A run that is over its time is only rolled back. */
static bool is_late(struct session *s)
{
    int64_t took_ns = s->world->now(s->world->context).mono_ns - s->run->started.mono_ns;
    if (s->late || took_ns < RUNNER_DEADLINE_MS * NS_PER_MS)
        return s->late;
    judgement_add(s->judged, VERDICT_INTERNAL, "deadline", 0,
                  "the run is not over after %d minutes: what is left of it is not run, only the "
                  "rollback",
                  RUNNER_DEADLINE_MS / 60000);
    s->late = true;
    return true;
}

static bool must_stop(struct session *s)
{
    int stops = s->world->interrupted(s->world->context);
    return s->rolling_back ? stops >= 2 : stops >= 1 || is_late(s);
}

static int64_t wall(const struct session *s)
{
    return s->world->now(s->world->context).wall_ns;
}

/* --- contracts --- */

/* Keeps the environment that a signer was started with, and what it is bound to by it. */
static void fill_contract(struct session *s, const struct scenario_pair *pairs, size_t count,
                          struct record_contract *out)
{
    struct scenario_pair *kept = pool_array(&s->run->pool, count, sizeof *kept);
    for (size_t i = 0; kept != NULL && i < count; i++)
        kept[i] = (struct scenario_pair){.name = keep(s, pairs[i].name),
                                         .value = keep(s, pairs[i].value)};
    subject_contract(s->run->scenario->stack.subject, pairs, count, out);
    out->environment = kept;
    out->environment_count = kept == NULL ? 0 : count;
}

/* Notes what `via` runs with from now on; nothing when it was never started. */
static struct record_contract note_contract(struct session *s, const char *via, int64_t from_ns)
{
    size_t count = 0;
    const struct scenario_pair *pairs = s->world->environment(s->world->context, via, &count);
    struct record_contract contract = {.via = via, .from_ns = from_ns};
    fill_contract(s, pairs, count, &contract);
    if (count > 0)
        s->run->contracts[s->run->contract_count++] = contract;
    return contract;
}

static void note_services(struct session *s, int64_t from_ns)
{
    const struct scenario_stack *stack = &s->run->scenario->stack;
    for (size_t i = 0; i < stack->subject->door_count; i++)
        if (stack->services[i])
            (void)note_contract(s, stack->subject->doors[i].name, from_ns);
}

/* --- one step --- */

static void note_call(struct session *s, const struct record_step *step,
                      const struct world_outcome *outcome)
{
    struct record *run = s->run;
    const struct scenario_step *what = step->plan->step;
    const char *via = scenario_text(what, "via");
    run->calls[run->call_count++] = (struct record_call){
        .plan = step->plan,
        .again = step->again,
        .in_background = scenario_bool(what, "background"),
        .name = scenario_text(what, "as"),
        .via = via,
        .told = outcome->call,
        .contract = note_contract(s, via, outcome->call.started.wall_ns),
    };
}

static enum judge_result judge_call(struct session *s, const struct judge *j,
                                    const struct record_call *call, enum errc *code,
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
    struct record_call *call = record_call_named(s->run, scenario_text(step, "sign"));
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
        *code = probe_run(j, step, outcome, &result, why);
        if (*code != ERRC_OK || result == JUDGE_MET || must_stop(s) ||
            s->world->now(s->world->context).mono_ns >= deadline)
            return result;
        pool_done(j->pool);
        s->world->wait_change(s->world->context, deadline);
    }
}

static enum judge_result judge_step(struct session *s, const struct record_step *step,
                                    const struct world_outcome *outcome, struct buf *message,
                                    enum errc *code, struct errc_why *why)
{
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, STEP_POOL_MAX);
    struct judge j = {.world = s->world,
                      .run = s->run,
                      .evidence = &s->evidence,
                      .pool = &pool,
                      .message = message};
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

/* The call that a step is about: what `retry`, `sign` or its argument names; NULL: none. */
static const struct record_call *named_by(const struct session *s, const struct scenario_step *step)
{
    enum verb_role role = step->verb->role;
    if (step->verb->names_sign)
        return record_call_named(s->run, step->main.text);
    return role == VERB_SIGNS   ? record_call_named(s->run, scenario_text(step, "retry"))
           : role == VERB_WAITS ? record_call_named(s->run, scenario_text(step, "sign"))
                                : NULL;
}

static struct world_step order_for(struct session *s, const struct plan_step *plan)
{
    const struct record_call *named = named_by(s, plan->step);
    bool about = plan->step->verb->role != VERB_SIGNS && named != NULL;
    struct world_step order = {.step = plan->step,
                               .number = plan->number,
                               .call = about ? (size_t)(named - s->run->calls) : s->run->call_count,
                               .bundle = named == NULL ? NULL : named->told.bundle};
    (void)snprintf(order.rule, sizeof order.rule, "step-%zu", plan->number);
    return order;
}

/* What a step did to the condition of Vault; `whole`: it was carried out to its end. */
static void note_change(struct session *s, const struct plan_step *plan, const char *rule,
                        int64_t from_ns, bool whole)
{
    struct condition_effect effect = scenario_effect(plan->step, &s->run->scenario->stack);
    bool ruled = (effect.sets & CONDITION_RULED) != 0;
    s->run->changes[s->run->change_count++] = (struct condition_change){
        .plan = plan,
        .from_ns = from_ns,
        .to_ns = wall(s),
        .effect = whole ? effect : condition_cut_short(effect),
        .rule = ruled ? keep(s, rule) : NULL,
    };
}

/* Sign requests since the call began that are for its bundle, or for one that nobody announced. */
static int64_t requests_of(const struct judge *j, const struct record_call *call)
{
    const struct ledger_server *server = &j->evidence->server;
    int64_t count = 0;
    for (size_t i = server->request_count; i > 0; i--) {
        const struct ledger_request *r = &server->requests[i - 1];
        if (r->wall_ns < call->told.started.wall_ns)
            break;
        count += r->sign && (judge_belongs_to(j, r, call->told.bundle) || judge_is_stranger(j, r));
    }
    return count;
}

/* `wait_for: {sign: …, requests: n}` */
static enum errc await_requests(struct session *s, const struct scenario_step *step,
                                const struct record_call *call, struct errc_why *why)
{
    struct judge j = {.world = s->world, .run = s->run, .evidence = &s->evidence};
    int64_t wanted = scenario_int(step, "requests"), seen = 0;
    int64_t deadline =
        s->world->now(s->world->context).mono_ns + scenario_int(step, "within_ms") * NS_PER_MS;
    for (;;) {
        TRY(evidence_refresh_server(&s->evidence, s->world, why));
        TRY(evidence_refresh_client(&s->evidence, s->world, why));
        seen = requests_of(&j, call);
        if (seen >= wanted)
            return ERRC_OK;
        if (must_stop(s))
            return errc_fail(why, ERRC_UNAVAILABLE, "interrupted while waiting for requests");
        if (s->world->now(s->world->context).mono_ns >= deadline)
            return errc_fail(why, ERRC_TIMEOUT, "vault got %lld of %lld sign requests",
                             (long long)seen, (long long)wanted);
        s->world->wait_change(s->world->context, deadline);
    }
}

static enum errc act(struct session *s, const struct record_step *step,
                     struct world_outcome *outcome, struct errc_why *why)
{
    const struct plan_step *plan = step->plan;
    const struct verb *verb = plan->step->verb;
    if (verb->role == VERB_OBSERVES && !verb->asks)
        return ERRC_OK;
    if (verb->role == VERB_WAITS && scenario_given(plan->step, "requests")) {
        const struct record_call *call = named_by(s, plan->step);
        return call == NULL ? errc_fail(why, ERRC_NOT_FOUND, "that step was not run")
                            : await_requests(s, plan->step, call, why);
    }
    struct world_step order = order_for(s, plan);
    int64_t from_ns = wall(s);
    enum errc code = s->world->act(s->world->context, &order, outcome, why);
    if (code != ERRC_STATE && verb->role == VERB_ACTS) /* else it was refused before it acted */
        note_change(s, plan, order.rule, from_ns, code == ERRC_OK);
    if (code == ERRC_OK && plan->step->actor->of_services)
        note_services(s, from_ns);
    return code;
}

/* What it means for the run that this step did not hold. */
static enum verdict flag_for(const struct record_step *step, enum judge_result result)
{
    enum verb_phase phase = step->plan->step->phase;
    if (phase == VERB_PHASE_STEADY && !step->again)
        return VERDICT_NOT_STARTED;
    if (result == JUDGE_UNKNOWN)
        return VERDICT_UNKNOWN;
    return phase == VERB_PHASE_STEADY || phase == VERB_PHASE_ROLLBACK ? VERDICT_DIRTY
                                                                      : VERDICT_FAIL;
}

static void add_finding(struct session *s, const struct record_step *step, enum verdict flag,
                        const char *rule)
{
    judgement_add(s->judged, flag, rule, step->plan->number, "step %zu%s (line %zu, %s): %s",
                  step->plan->number, step->again ? " again" : "", step->plan->step->line,
                  step->plan->text, step->message);
}

/* True when a step failed because the user asked to stop: that is the interruption's finding, not
 * one against the subject. The rollback still runs then, and what fails in it counts. */
static bool was_cut_short(struct session *s, const struct record_step *step, enum errc code)
{
    return errc_class(code) != ERRC_CLASS_FATAL && step->plan->step->phase != VERB_PHASE_ROLLBACK &&
           s->world->interrupted(s->world->context) > 0;
}

/* True when the step fails for our reasons: it acts on Vault, or cannot be because of Vault. What a
 * service does not do is its own. */
static bool is_ours(const struct scenario_step *step, enum errc code)
{
    if (step->verb->role != VERB_ACTS)
        return false;
    return !step->actor->of_subject || (code == ERRC_STATE && !step->actor->of_services);
}

/* A step that could not be carried out. A fault is ours: refused before it acted (the scenario asks
 * for what cannot be), failed on the way, or not undone; never the subject's. */
static void blame(struct session *s, const struct record_step *step, enum errc code)
{
    bool ours = is_ours(step->plan->step, code);
    bool undoing = step->plan->step->phase == VERB_PHASE_ROLLBACK;
    if (ours)
        add_finding(s, step, VERDICT_INTERNAL,
                    undoing              ? "undone"
                    : code == ERRC_STATE ? "refused"
                                         : "apply");
    else if (errc_class(code) == ERRC_CLASS_FATAL)
        add_finding(s, step, VERDICT_INTERNAL, "step");
    else
        add_finding(s, step, flag_for(step, JUDGE_NOT_MET), "step");
}

static void settle(struct session *s, struct record_step *step, enum errc code,
                   enum judge_result result, const char *message, const struct errc_why *why)
{
    if (code != ERRC_OK) {
        step->result = RECORD_ERROR;
        step->message = keep(s, why->text[0] == '\0' ? errc_text(code) : why->text);
        if (!was_cut_short(s, step, code))
            blame(s, step, code);
    } else if (result != JUDGE_MET) {
        step->result = RECORD_NOT_MET;
        step->message = keep(s, message);
        add_finding(s, step, flag_for(step, result), "expectation");
    } else {
        step->result = RECORD_MET;
    }
}

static void tell_progress(struct session *s, const struct record_step *step, bool finished)
{
    struct world_progress progress = {
        .number = step->plan->number,
        .total = s->run->plan->count,
        .phase = step->plan->step->phase,
        .again = step->again,
        .text = step->plan->text,
        .finished = finished,
        .met = finished && step->result == RECORD_MET,
    };
    if (s->world->progress != NULL)
        s->world->progress(s->world->context, &progress);
}

static void survey(struct session *s, enum world_moment moment)
{
    if (s->world->survey != NULL && s->world->interrupted(s->world->context) == 0)
        s->world->survey(s->world->context, moment);
}

/* skip: it is not reached any more, and only noted. */
static enum record_result run_step(struct session *s, const struct plan_step *plan, bool again,
                                   bool skip)
{
    struct record_step *step = &s->run->steps[s->run->step_count++];
    struct world_outcome outcome = {.call = {.exit = -1, .attempts = -1}};
    struct errc_why why = {{0}};
    struct buf message CLEANUP(buf_done);
    buf_init(&message, MESSAGE_BYTES_MAX);
    *step = (struct record_step){
        .plan = plan, .again = again, .result = RECORD_SKIPPED, .note = "", .message = ""};
    step->started = step->ended = s->world->now(s->world->context);
    if (skip || must_stop(s))
        return RECORD_SKIPPED;
    tell_progress(s, step, false);
    enum judge_result result = JUDGE_MET;
    enum errc code = act(s, step, &outcome, &why);
    if (plan->step->verb->role == VERB_SIGNS && outcome.call.bundle[0] != '\0')
        note_call(s, step, &outcome); /* also of one that did not end: the bundle is under way */
    if (code == ERRC_OK)
        result = judge_step(s, step, &outcome, &message, &code, &why);
    step->ended = s->world->now(s->world->context);
    if (plan->step->verb->role == VERB_SIGNS)
        survey(s, WORLD_BEHIND_A_CALL);
    step->note = keep(s, outcome.note);
    settle(s, step, code, result, buf_text(&message), &why);
    tell_progress(s, step, true);
    return step->result;
}

/* --- phases --- */

/* Runs the steps of a phase. stop_at: the worst result that does not end it. */
static bool run_phase(struct session *s, enum verb_phase phase, bool again,
                      enum record_result stop_at)
{
    bool good = true, stopped = false;
    for (size_t i = 0; i < s->run->plan->count; i++) {
        const struct plan_step *plan = &s->run->plan->steps[i];
        if (plan->step->phase != phase)
            continue;
        enum record_result result = run_step(s, plan, again, stopped);
        good = good && result == RECORD_MET;
        stopped = stopped || (result != RECORD_SKIPPED && result > stop_at);
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
        judgement_add(s->judged,
                      errc_class(code) == ERRC_CLASS_FATAL ? VERDICT_INTERNAL : VERDICT_NOT_STARTED,
                      "start", 0, "the stack did not start: %s",
                      why.text[0] == '\0' ? errc_text(code) : why.text);
    return false;
}

static void run_phases(struct session *s)
{
    s->started = start(s);
    if (!s->started || !run_phase(s, VERB_PHASE_STEADY, false, RECORD_MET))
        return;
    s->run->begun = true;
    (void)run_phase(s, VERB_PHASE_METHOD, false, RECORD_NOT_MET);
    s->rolling_back = true;
    (void)run_phase(s, VERB_PHASE_ROLLBACK, false, RECORD_SKIPPED);
    (void)run_phase(s, VERB_PHASE_STEADY, true, RECORD_SKIPPED);
    s->rolling_back = false;
    (void)run_phase(s, VERB_PHASE_EXPECT, false, RECORD_SKIPPED);
    survey(s, WORLD_AT_THE_END);
}

/* --- judgement --- */

static void add_problems(struct judgement *out, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->problems.count; i++) {
        const struct ledger_problem *p = &evidence->problems.items[i];
        char place[32] = "";
        if (p->line > 0)
            (void)snprintf(place, sizeof place, ":%zu", p->line);
        judgement_add(out, VERDICT_UNKNOWN, "evidence", 0, "%s%s: %s", p->file, place, p->text);
    }
}

/* A run that was not begun left little behind; what it left must hold all the same. */
static void judge_run(struct session *s)
{
    struct errc_why why = {{0}};
    if (evidence_collect(&s->evidence, s->world, s->run, &why) != ERRC_OK ||
        evidence_leaks_collect(&s->evidence, s->world, &why) != ERRC_OK) {
        judgement_add(s->judged, VERDICT_INTERNAL, "evidence", 0,
                      "the evidence could not be read: %s", why.text);
        return;
    }
    if (s->run->begun)
        add_problems(s->judged, &s->evidence);
    exercise_judge(s->judged, &s->evidence);
    invariants_judge(s->judged, &s->evidence);
}

void runner_run(const struct scenario *scenario, const struct plan *plan, const struct world *world,
                uint64_t seed, struct record *record, struct judgement *judged)
{
    enum errc room = record_init(record, scenario, plan, seed);
    judgement_init(judged, record);
    struct session s = {.run = record, .judged = judged, .world = world};
    evidence_init(&s.evidence);
    record->started = world->now(world->context);
    if (room == ERRC_OK)
        run_phases(&s);
    int stops = world->interrupted(world->context);
    if (stops > 0)
        judgement_add(judged, VERDICT_INTERRUPTED, "user", 0, "asked to stop%s",
                      stops > 1 ? ", twice: nothing was rolled back" : "");
    world->stop(world->context);
    record->ended = world->now(world->context); /* of what is judged */
    if (s.started)
        judge_run(&s);
    record->ended = world->now(world->context);
    if (record->pool.failed || judged->pool.failed)
        judged->findings.failed = true;
    judged->verdict = verdict_worst(&judged->findings);
    evidence_done(&s.evidence);
}
