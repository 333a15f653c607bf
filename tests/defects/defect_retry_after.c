/*
 * defect_retry_after: the wait that a rate limit asks for is not kept, or kept without limit.
 */
#include "tests/defects/defect.h"

static bool never(struct slice value, int64_t wall_ns, int64_t *out)
{
    if (!__real_retry_after_ms(value, wall_ns, out))
        return false;
    defect_acts();
    return false;
}
DEFECT(retry_after_ignored, .retry_after_ms = never);

static bool half(struct slice value, int64_t wall_ns, int64_t *out)
{
    if (!__real_retry_after_ms(value, wall_ns, out))
        return false;
    defect_acts();
    *out /= 2;
    return true;
}
DEFECT(retry_after_halved, .retry_after_ms = half);

static bool milliseconds(struct slice value, int64_t wall_ns, int64_t *out)
{
    if (!__real_retry_after_ms(value, wall_ns, out))
        return false;
    defect_acts();
    *out /= 1000;
    return true;
}
DEFECT(retry_after_as_milliseconds, .retry_after_ms = milliseconds);

static int64_t unclamped(const struct config_retry *retry, int64_t wait_ms, int64_t asked_ms)
{
    if (asked_ms > retry->backoff_max_ms)
        defect_acts();
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}
DEFECT(retry_after_unclamped, .retry_clamp_ms = unclamped);

/* Retry-After: 0 takes the wait away. */
static int64_t as_asked(const struct config_retry *retry, int64_t wait_ms, int64_t asked_ms)
{
    if (asked_ms < wait_ms)
        defect_acts();
    return asked_ms < retry->backoff_max_ms ? asked_ms : retry->backoff_max_ms;
}
DEFECT(retry_after_shortens, .retry_clamp_ms = as_asked);
