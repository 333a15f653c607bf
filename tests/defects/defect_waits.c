/*
 * defect_waits: the waits between attempts do not grow, do not differ, or are not those that the
 * trail tells.
 */
#include "tests/defects/defect.h"

#define NS_PER_MS INT64_C(1000000)

static int64_t constant(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    (void)n;
    defect_acts();
    return __real_retry_wait_ms(retry, 1, prng);
}
DEFECT(wait_constant, .retry_wait_ms = constant);

static int64_t exactly_cap(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    (void)prng;
    defect_acts();
    return retry_cap_ms(retry, n);
}
DEFECT(wait_without_jitter, .retry_wait_ms = exactly_cap);

static int64_t exactly_half(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    (void)prng;
    defect_acts();
    return retry_cap_ms(retry, n) - retry_cap_ms(retry, n) / 2;
}
DEFECT(wait_always_shortest, .retry_wait_ms = exactly_half);

static int64_t full_jitter(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    defect_acts();
    return (int64_t)prng_below(prng, (uint64_t)retry_cap_ms(retry, n) + 1);
}
DEFECT(wait_full_jitter, .retry_wait_ms = full_jitter);

static int64_t shrinking(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    defect_acts();
    return __real_retry_wait_ms(retry, retry->attempts - n, prng);
}
DEFECT(wait_shrinks, .retry_wait_ms = shrinking);

static int64_t tripled(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    defect_acts();
    return 3 * __real_retry_wait_ms(retry, n, prng);
}
DEFECT(wait_tripled, .retry_wait_ms = tripled);

/* The same seed for every operation: a hundred clients come back in step. */
static enum errc new_with_seed(const struct op_setup *setup, struct instant now, struct op **out,
                               struct errc_why *why)
{
    struct op_setup changed = *setup;
    changed.seed = 42;
    return __real_op_new(&changed, now, out, why);
}
static int64_t noted(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    defect_acts();
    return __real_retry_wait_ms(retry, n, prng);
}
DEFECT(wait_same_jitter, .op_new = new_with_seed, .retry_wait_ms = noted);

/* The time that the attempt took is taken off the wait; the trail has the whole wait. */
static struct op_action step_off(struct op *op, const struct op_event *event)
{
    static _Thread_local int64_t sent_ns;
    struct op_action action = __real_op_step(op, event);
    if (action.kind == OP_DO_SEND)
        sent_ns = event->now.mono_ns;
    if (action.kind == OP_DO_WAIT) {
        if (event->now.mono_ns - sent_ns > 100 * NS_PER_MS)
            defect_acts();
        action.wake_ns -= event->now.mono_ns - sent_ns;
    }
    return action;
}
DEFECT(wait_counts_attempt, .op_step = step_off);

static struct op_action step_half(struct op *op, const struct op_event *event)
{
    struct op_action action = __real_op_step(op, event);
    if (action.kind == OP_DO_WAIT) {
        defect_acts();
        action.wake_ns -= (action.wake_ns - event->now.mono_ns) / 2;
    }
    return action;
}
DEFECT(wait_half_of_told, .op_step = step_half);

static struct op_action step_longer(struct op *op, const struct op_event *event)
{
    struct op_action action = __real_op_step(op, event);
    if (action.kind == OP_DO_WAIT) {
        defect_acts();
        action.wake_ns += 1500 * NS_PER_MS;
    }
    return action;
}
DEFECT(wait_longer_than_told, .op_step = step_longer);
