#include "chaos/core/judge/invariants/invariants_try.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "chaos/core/judge/backoff.h"

/* --- how often --- */

static void check_numbers(struct invariants_case *c, const struct ledger_entry *e, size_t step)
{
    for (size_t i = 0; i < e->attempt_count; i++) {
        const struct ledger_attempt *attempt = &e->attempts[i];
        bool last = i + 1 == e->attempt_count;
        if (attempt->n != (int64_t)i + 1)
            invariants_case_violated(
                c, step, "expected attempt %zu, found number %" PRId64 " (" LEDGER_AUDIT ":%zu)",
                i + 1, attempt->n, e->line);
        if (!last &&
            (strcmp(attempt->class, "ok") == 0 || invariants_case_is_refusal(attempt->class)))
            invariants_case_violated(c, step,
                                     "expected no attempt behind number %zu, which ended %s, found "
                                     "another (" LEDGER_AUDIT ":%zu)",
                                     i + 1, attempt->class, e->line);
    }
}

/* Who gave up: the last attempt neither succeeded nor was refused, so that another one was due. */
static bool gave_up(const struct ledger_entry *e)
{
    const char *last = e->attempt_count == 0 ? NULL : e->attempts[e->attempt_count - 1].class;
    return last != NULL && strcmp(last, "ok") != 0 && !invariants_case_is_refusal(last) &&
           !invariants_case_was_interrupted(e) &&
           (e->reason == NULL || strcmp(e->reason, "internal") != 0);
}

/* Fewer attempts than the contract has are enough only when there is no time for another: the next
 * wait, the longest that may be drawn, would end behind the deadline of the whole. */
static bool had_time(const struct join_run *run, const struct ledger_entry *e,
                     const struct record_contract *contract)
{
    int64_t low = 0, high = 0;
    int64_t begun_ns = run->intent != NULL ? run->intent->wall_ns : e->attempts[0].started_ns;
    backoff_bounds(contract, (int64_t)e->attempt_count + 1, &low, &high);
    if (strcmp(e->attempts[e->attempt_count - 1].class, "rate_limited") == 0)
        high = contract->max_ms; /* Retry-After may ask for so much */
    int64_t elapsed_ms = (e->wall_ns - begun_ns) / NS_PER_MS;
    return elapsed_ms + high + INVARIANTS_SLACK_MS < contract->total_timeout_ms;
}

static void check_attempts(struct invariants_case *c, const struct join_bundle *b,
                           const struct join_run *run)
{
    struct record_contract contract;
    const struct ledger_entry *e = run->result;
    if (e == NULL || !invariants_case_contract(c, b, e, &contract))
        return;
    size_t step = invariants_case_step(b, e);
    if ((int64_t)e->attempt_count > contract.attempts_max)
        invariants_case_violated(c, step,
                                 "expected at most %" PRId64 " attempts, the trail has %zu "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 contract.attempts_max, e->attempt_count, e->line);
    check_numbers(c, e, step);
    if ((int64_t)e->attempt_count < contract.attempts_max && gave_up(e) &&
        had_time(run, e, &contract))
        invariants_case_violated(c, step,
                                 "expected %" PRId64 " attempts before %s, since there was time "
                                 "for more, the trail has %zu (" LEDGER_AUDIT ":%zu)",
                                 contract.attempts_max,
                                 e->action == LEDGER_SIGNED ? "fallback" : "giving up",
                                 e->attempt_count, e->line);
}

void invariants_try_attempts(struct invariants_case *c)
{
    invariants_case_each_run(c, check_attempts);
}

/* --- each wait --- */

static void check_waits(struct invariants_case *c, const struct join_bundle *b,
                        const struct join_run *run)
{
    struct record_contract contract;
    struct errc_why why = {{0}};
    const struct ledger_entry *e = run->result;
    if (e != NULL && invariants_case_contract(c, b, e, &contract) &&
        backoff_check(run, &contract, c->record, &why) != ERRC_OK)
        invariants_case_violated(c, invariants_case_step(b, e), "%s (" LEDGER_AUDIT ":%zu)",
                                 why.text, e->line);
}

void invariants_try_backoff(struct invariants_case *c)
{
    invariants_case_each_run(c, check_waits);
}

/* --- all waits together --- */

/* Chance has a pattern once in ten million runs: what is rarer is no chance. */
#define UNLIKELY_PARTS 10000000.0
#define WAITS_MAX 256u
#define DOORS_MAX 8u

/* Waits that were drawn for one number of attempt under one contract. */
struct draw {
    int64_t n, low_ms, high_ms, wait_ms;
    size_t line;
};

struct draws {
    const char *via; /* NULL: of all doors */
    struct draw items[WAITS_MAX];
    size_t count;
    size_t step;
};

static void note_draws(struct draws *d, const struct join_bundle *b, const struct join_run *run,
                       const struct record_contract *contract)
{
    const struct ledger_entry *e = run->result;
    for (size_t i = 1; i < e->attempt_count && d->count < WAITS_MAX; i++) {
        struct draw draw = {
            .n = (int64_t)i + 1, .wait_ms = e->attempts[i].wait_ms, .line = e->line};
        backoff_bounds(contract, draw.n, &draw.low_ms, &draw.high_ms);
        /* one that is longer than it may be was asked for by the server, or is a case of its own */
        if (draw.wait_ms < draw.low_ms || draw.wait_ms > draw.high_ms ||
            draw.high_ms == draw.low_ms)
            continue;
        d->step = d->count == 0 ? invariants_case_step(b, e) : d->step;
        d->items[d->count++] = draw;
    }
}

/* One over the chance that all draws of one attempt number are the same; *groups: numbers that were
 * drawn more than once. */
static double same_per_number(const struct draws *d, size_t *same)
{
    double odds = 1;
    *same = 0;
    for (size_t i = 0; i < d->count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct draw *a = &d->items[k], *b = &d->items[i];
            if (a->n != b->n || a->low_ms != b->low_ms || a->high_ms != b->high_ms)
                continue;
            if (a->wait_ms != b->wait_ms)
                return 0;
            odds *= (double)(b->high_ms - b->low_ms + 1);
            (*same)++;
            break;
        }
    return odds;
}

/* One over the chance that all draws lie at the same place between their bounds, 0 when they do
 * not: a wait is low + place * (high - low), rounded. */
static double same_place(const struct draws *d)
{
    double odds = 1, least = 0, most = 1;
    for (size_t i = 0; i < d->count; i++) {
        const struct draw *w = &d->items[i];
        double range = (double)(w->high_ms - w->low_ms);
        double from = ((double)(w->wait_ms - w->low_ms) - 1) / range;
        double to = ((double)(w->wait_ms - w->low_ms) + 1) / range;
        least = from > least ? from : least;
        most = to < most ? to : most;
        if (least > most)
            return 0;
        odds *= i == 0 ? 1 : range / 3;
    }
    return odds;
}

static void check_draws(struct invariants_case *c, const struct draws *d)
{
    size_t same = 0;
    if (d->count < 2)
        return;
    const struct draw *first = &d->items[0];
    if (same_per_number(d, &same) > UNLIKELY_PARTS)
        invariants_case_violated(
            c, d->step,
            "expected jitter: waits that differ from call to call%s%s, all %zu "
            "of them are the same for the same attempt, %" PRId64 " ms before attempt %" PRId64
            " (" LEDGER_AUDIT ":%zu)",
            d->via == NULL ? "" : " of ", d->via == NULL ? "" : d->via, d->count, first->wait_ms,
            first->n, first->line);
    else if (same_place(d) > UNLIKELY_PARTS)
        invariants_case_violated(c, d->step,
                                 "expected jitter: each wait drawn anew%s%s, all %zu of them lie "
                                 "at the same place between their bounds, the first is %" PRId64
                                 " of %" PRId64 "..%" PRId64 " ms (" LEDGER_AUDIT ":%zu)",
                                 d->via == NULL ? "" : " by ", d->via == NULL ? "" : d->via,
                                 d->count, first->wait_ms, first->low_ms, first->high_ms,
                                 first->line);
}

static struct draws *draws_of(struct draws *all, size_t *count, const char *via)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(all[i].via, via) == 0)
            return &all[i];
    if (*count == DOORS_MAX)
        return NULL;
    all[*count] = (struct draws){.via = via};
    return &all[(*count)++];
}

/* A wait within its bounds says little; many of them say whether they are drawn at all, and whether
 * they are drawn anew: for all clients together, and for each door (a command that begins with the
 * same seed each time). */
void invariants_try_spread(struct invariants_case *c)
{
    const struct join *join = &c->evidence->join;
    struct pool pool CLEANUP(pool_done);
    size_t doors = 0;
    pool_init(&pool, 4u << 20);
    struct draws *all = pool_new(&pool, sizeof *all);
    struct draws *by_door = pool_array(&pool, DOORS_MAX, sizeof *by_door);
    if (pool.failed) {
        c->out->findings.failed = true;
        return;
    }
    for (size_t i = 0; i < join->bundle_count; i++)
        for (size_t k = 0; k < join->bundles[i].run_count; k++) {
            const struct join_bundle *b = &join->bundles[i];
            struct record_contract contract;
            if (b->runs[k].result == NULL ||
                !invariants_case_contract(c, b, b->runs[k].result, &contract))
                continue;
            struct draws *door = draws_of(by_door, &doors, contract.via);
            note_draws(all, b, &b->runs[k], &contract);
            if (door != NULL)
                note_draws(door, b, &b->runs[k], &contract);
        }
    check_draws(c, all);
    for (size_t i = 0; i < doors && c->cause_count == 0; i++)
        check_draws(c, &by_door[i]);
}

/* --- how long --- */

/* A busy machine makes things late, never early: what is too long is judged with patience, what is
 * too short with none. */
#define PATIENCE_MS 2000
#define WAIT_PATIENCE_MS 1000 /* between two attempts nothing is written and nobody is asked */
#define LATE_TIMES_TEN 16     /* all attempts take 1.6 times as long as they may: no chance */
#define LATE_COUNT 3

/* How long an attempt took, as far as the trail says: up to the next one's wait, or the result. */
static int64_t took_ms(const struct ledger_entry *e, size_t i)
{
    const struct ledger_attempt *a = &e->attempts[i];
    if (i + 1 < e->attempt_count)
        return (a[1].started_ns - a->started_ns) / NS_PER_MS - a[1].wait_ms;
    return (e->wall_ns - a->started_ns) / NS_PER_MS;
}

/* What was left of the whole operation's time when the attempt began. */
static int64_t left_ms(const struct join_run *run, const struct record_contract *contract, size_t i)
{
    int64_t begun_ns =
        run->intent != NULL ? run->intent->wall_ns : run->result->attempts[0].started_ns;
    int64_t gone_ms = (run->result->attempts[i].started_ns - begun_ns) / NS_PER_MS;
    return contract->total_timeout_ms - gone_ms;
}

/* What was left of it at least: an operation begins ahead of its intent, whose writing takes time,
 * and behind the call that asked for it. */
static int64_t left_at_least_ms(const struct join_bundle *b, const struct join_run *run,
                                const struct record_contract *contract, size_t i)
{
    const struct ledger_attempt *a = &run->result->attempts[i];
    const struct record_call *call = invariants_case_call(b, a->started_ns);
    int64_t left = left_ms(run, contract, i);
    if (call == NULL)
        return left;
    int64_t least =
        contract->total_timeout_ms - (a->started_ns - call->told.started.wall_ns) / NS_PER_MS;
    return least < left ? least : left;
}

static void check_attempt_time(struct invariants_case *c, const struct join_bundle *b,
                               const struct join_run *run, const struct record_contract *contract,
                               size_t i)
{
    const struct ledger_entry *e = run->result;
    int64_t took = took_ms(e, i), left = left_at_least_ms(b, run, contract, i);
    int64_t timeout = contract->attempt_timeout_ms;
    int64_t due = left < timeout ? left : timeout;
    bool silent = strcmp(e->attempts[i].class, "timeout") == 0 && e->attempts[i].status == 0;
    if (silent && took + 2 * INVARIANTS_SLACK_MS < due)
        invariants_case_caused(c, "given up early", invariants_case_step(b, e),
                               "expected attempt %zu to be given %" PRId64 " ms before it is "
                               "called a timeout, the next step began after %" PRId64
                               " ms, its own wait not counted (" LEDGER_AUDIT ":%zu)",
                               i + 1, due, took, e->line);
    if (took > 2 * timeout + PATIENCE_MS)
        invariants_case_caused(c, "attempt timeout", invariants_case_step(b, e),
                               "expected attempt %zu to be over after %" PRId64
                               " ms, it took %" PRId64 " ms (" LEDGER_AUDIT ":%zu)",
                               i + 1, timeout, took, e->line);
}

/* A request reaches a Vault that is there soon behind the beginning of its attempt. */
static void check_sent_late(struct invariants_case *c, const struct join_bundle *b,
                            const struct join_run *run, size_t i)
{
    const struct ledger_entry *e = run->result;
    const struct ledger_request *r = run->attempts[i].first;
    int64_t late_ms = (r->wall_ns - e->attempts[i].started_ns) / NS_PER_MS;
    if (late_ms > PATIENCE_MS &&
        !judgement_overlap(c->out, CONDITION_AWAY, e->attempts[i].started_ns, r->wall_ns))
        invariants_case_caused(c, "sent late", invariants_case_step(b, e),
                               "expected Vault to have the request soon behind the beginning of "
                               "attempt %zu (" LEDGER_AUDIT ":%zu), it came %" PRId64
                               " ms behind it (" LEDGER_JOURNAL ":%zu)",
                               i + 1, e->line, late_ms, r->line);
}

/* Nothing is done for long beside the attempts and their waits: from the intent to the first one,
 * from Vault's answer to the next one or to the result. */
static void check_dawdling(struct invariants_case *c, const struct join_bundle *b,
                           const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    int64_t before = run->intent == NULL || e->attempt_count == 0
                         ? 0
                         : (e->attempts[0].started_ns - run->intent->wall_ns) / NS_PER_MS;
    if (before > PATIENCE_MS)
        invariants_case_caused(c, "dawdling before", invariants_case_step(b, e),
                               "expected the first attempt soon behind the intent (" LEDGER_AUDIT
                               ":%zu), it began %" PRId64 " ms behind it (" LEDGER_AUDIT ":%zu)",
                               run->intent->line, before, e->line);
    for (size_t i = 0; i < e->attempt_count; i++) {
        const struct ledger_request *r = run->attempts[i].last;
        bool last = i + 1 == e->attempt_count;
        if (r != NULL && r == run->attempts[i].first)
            check_sent_late(c, b, run, i);
        if (r == NULL || !r->sent || e->attempts[i].status == 0)
            continue;
        int64_t due_ns = r->reply_wall_ns + (last ? 0 : e->attempts[i + 1].wait_ms * NS_PER_MS);
        int64_t late_ns = (last ? e->wall_ns : e->attempts[i + 1].started_ns) - due_ns;
        if (late_ns / NS_PER_MS > (last ? PATIENCE_MS : WAIT_PATIENCE_MS))
            invariants_case_caused(
                c, last ? "dawdling behind" : "waiting longer", invariants_case_step(b, e),
                "expected %s %" PRId64 " ms behind Vault's answer to attempt %zu "
                "(" LEDGER_JOURNAL ":%zu), as the trail tells, it came %" PRId64
                " ms later than that (" LEDGER_AUDIT ":%zu)",
                last ? "the result" : "the next attempt", last ? 0 : e->attempts[i + 1].wait_ms,
                i + 1, r->reply_line, late_ns / NS_PER_MS, e->line);
    }
}

/* Whoever was told of a signature was told soon. */
static void check_told_late(struct invariants_case *c, const struct join_bundle *b)
{
    const struct ledger_entry *e = join_signed_of(b);
    const struct world_call *told = b->call_count != 1 ? NULL : &b->calls[0]->told;
    if (e == NULL || told == NULL || !told->finished || told->mode[0] == '\0' ||
        b->calls[0]->in_background)
        return;
    int64_t late_ms = (told->ended.wall_ns - e->wall_ns) / NS_PER_MS;
    if (late_ms > PATIENCE_MS + WAIT_PATIENCE_MS / 2)
        invariants_case_caused(c, "told late", b->calls[0]->plan->number,
                               "expected the caller to be told soon behind the signature, it was "
                               "told %" PRId64 " ms behind it (" LEDGER_AUDIT ":%zu)",
                               late_ms, e->line);
}

/* One attempt may be late on a busy machine; that all are late by one measure is the client. */
struct lateness {
    size_t count, line, step;
    int64_t least_ms, timeout_ms; /* of the attempt that was over soonest */
};

static void note_lateness(struct invariants_case *c, const struct join_bundle *b,
                          const struct join_run *run, struct lateness *l)
{
    struct record_contract contract;
    const struct ledger_entry *e = run->result;
    if (e == NULL || !invariants_case_contract(c, b, e, &contract) ||
        contract.attempt_timeout_ms < 50)
        return;
    for (size_t i = 0; i < e->attempt_count; i++) {
        if (strcmp(e->attempts[i].class, "timeout") != 0 || e->attempts[i].status != 0)
            continue;
        int64_t took = took_ms(e, i), timeout = contract.attempt_timeout_ms;
        if (l->count == 0 || took * l->timeout_ms < l->least_ms * timeout) {
            l->least_ms = took;
            l->timeout_ms = timeout;
            l->line = e->line;
            l->step = invariants_case_step(b, e);
        }
        l->count++;
    }
}

static void check_lateness(struct invariants_case *c)
{
    struct lateness l = {0};
    const struct join *join = &c->evidence->join;
    for (size_t i = 0; i < join->bundle_count; i++)
        for (size_t k = 0; k < join->bundles[i].run_count; k++)
            note_lateness(c, &join->bundles[i], &join->bundles[i].runs[k], &l);
    if (l.count >= LATE_COUNT && l.least_ms * 10 >= l.timeout_ms * LATE_TIMES_TEN)
        invariants_case_caused(c, "attempt timeout", l.step,
                               "expected attempts to be over after %" PRId64 " ms, the shortest of "
                               "%zu that timed out took %" PRId64 " ms (" LEDGER_AUDIT ":%zu)",
                               l.timeout_ms, l.count, l.least_ms, l.line);
}

static void check_durations(struct invariants_case *c, const struct join_bundle *b,
                            const struct join_run *run)
{
    struct record_contract contract;
    const struct ledger_entry *e = run->result;
    if (e == NULL || invariants_case_was_interrupted(e) ||
        !invariants_case_contract(c, b, e, &contract))
        return;
    for (size_t i = 0; i < e->attempt_count; i++)
        check_attempt_time(c, b, run, &contract, i);
    check_dawdling(c, b, run);
    if (run->intent == NULL)
        return;
    int64_t took = (e->wall_ns - run->intent->wall_ns) / NS_PER_MS;
    if (took > contract.total_timeout_ms + contract.total_timeout_ms / 2 + PATIENCE_MS)
        invariants_case_caused(c, "total timeout", invariants_case_step(b, e),
                               "expected the operation to be over after %" PRId64 " ms, it took "
                               "%" PRId64 " ms (" LEDGER_AUDIT ":%zu, " LEDGER_AUDIT ":%zu)",
                               contract.total_timeout_ms, took, run->intent->line, e->line);
    else if (e->attempt_count > 1)
        for (size_t i = 1; i < e->attempt_count; i++)
            if (left_ms(run, &contract, i) < -PATIENCE_MS)
                invariants_case_caused(c, "attempt behind the deadline", invariants_case_step(b, e),
                                       "expected no attempt behind the %" PRId64
                                       " ms of the whole operation, attempt %zu began %" PRId64
                                       " ms behind them (" LEDGER_AUDIT ":%zu)",
                                       contract.total_timeout_ms, i + 1,
                                       -left_ms(run, &contract, i), e->line);
}

void invariants_try_durations(struct invariants_case *c)
{
    invariants_case_each_run(c, check_durations);
    for (size_t i = 0; i < c->evidence->join.bundle_count; i++)
        check_told_late(c, &c->evidence->join.bundles[i]);
    check_lateness(c);
}
