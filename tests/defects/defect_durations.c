/*
 * defect_durations: an attempt or an operation takes longer, or is given up earlier, than the
 * contract says.
 */
#include <time.h>

#include "tests/defects/defect.h"

#define NS_PER_MS INT64_C(1000000)

static struct op_action step_timeout(struct op *op, const struct op_event *event, int64_t times,
                                     int64_t parts)
{
    static _Thread_local int64_t sent_ns, told_ms;
    struct op_action action = __real_op_step(op, event);
    if (event->kind == OP_REPLY && ((event->now.mono_ns - sent_ns) / NS_PER_MS > told_ms + 50 ||
                                    event->reply->outcome == TRANSPORT_TIMED_OUT))
        defect_acts();
    if (action.kind != OP_DO_SEND)
        return action;
    sent_ns = event->now.mono_ns;
    told_ms = action.request.timeout_ms;
    action.request.timeout_ms = told_ms * times < parts ? 1 : told_ms * times / parts;
    return action;
}

static struct op_action step_patient(struct op *op, const struct op_event *event)
{
    return step_timeout(op, event, 10, 1);
}
DEFECT(attempt_timeout_ignored, .op_step = step_patient);

static struct op_action step_twice(struct op *op, const struct op_event *event)
{
    return step_timeout(op, event, 2, 1);
}
DEFECT(attempt_timeout_doubled, .op_step = step_twice);

static struct op_action step_quarter(struct op *op, const struct op_event *event)
{
    return step_timeout(op, event, 1, 4);
}
DEFECT(attempt_given_up_early, .op_step = step_quarter);

static _Thread_local int64_t began_ns, shorter_ms;

/* It shows once the shorter of the two times is over. */
static struct op_action step_noting(struct op *op, const struct op_event *event)
{
    if ((event->now.mono_ns - began_ns) / NS_PER_MS > shorter_ms)
        defect_acts();
    return __real_op_step(op, event);
}

static enum errc new_with_total(const struct op_setup *setup, struct instant now, struct op **out,
                                struct errc_why *why, int64_t total_ms)
{
    static _Thread_local struct config_retry contract;
    struct op_setup changed = *setup;
    contract = *setup->retry;
    shorter_ms = total_ms < contract.total_timeout_ms ? total_ms : contract.total_timeout_ms;
    began_ns = now.mono_ns;
    contract.total_timeout_ms = total_ms;
    changed.retry = &contract;
    return __real_op_new(&changed, now, out, why);
}

static enum errc new_without_total(const struct op_setup *setup, struct instant now,
                                   struct op **out, struct errc_why *why)
{
    return new_with_total(setup, now, out, why, 3600000);
}
DEFECT(total_timeout_ignored, .op_new = new_without_total, .op_step = step_noting);

static enum errc new_with_a_tenth(const struct op_setup *setup, struct instant now, struct op **out,
                                  struct errc_why *why)
{
    return new_with_total(setup, now, out, why, setup->retry->total_timeout_ms / 10);
}
DEFECT(total_timeout_tenth, .op_new = new_with_a_tenth, .op_step = step_noting);

static void dawdle(int seconds)
{
    const struct timespec time = {.tv_sec = seconds};
    defect_acts();
    (void)nanosleep(&time, NULL);
}

static enum errc use_later(struct op *op, const struct keyport_public *key, struct errc_why *why)
{
    dawdle(3);
    return __real_op_use_fallback(op, key, why);
}
DEFECT(dawdles_before_fallback, .op_use_fallback = use_later);

static enum errc publish_later(const char *path, struct slice bytes, struct errc_why *why)
{
    dawdle(3);
    return __real_publish_file(path, bytes, why);
}
DEFECT(dawdles_before_manifest, .publish_file = publish_later);

/* Between the start's entry and the first request. */
static struct op_action step_later(struct op *op, const struct op_event *event)
{
    struct op_action action = __real_op_step(op, event);
    if (action.kind == OP_DO_SEND && action.request.attempt == 1)
        dawdle(3);
    return action;
}
DEFECT(dawdles_before_request, .op_step = step_later);
