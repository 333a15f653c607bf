/*
 * defect_answered: Vault answered in time, and the trail says that it did not.
 */
#include <stdatomic.h>

#include "tests/defects/defect.h"

static struct op_action step_as(struct op *op, const struct op_event *event, int status,
                                enum transport_outcome outcome)
{
    if (event->kind != OP_REPLY || event->reply->status != status)
        return __real_op_step(op, event);
    struct transport_reply lie = {.outcome = outcome, .resends = event->reply->resends};
    struct op_event changed = *event;
    changed.reply = &lie;
    defect_acts();
    return __real_op_step(op, &changed);
}

#define ANSWERED(id, status, outcome)                                                              \
    static struct op_action step_##id(struct op *op, const struct op_event *event)                 \
    {                                                                                              \
        return step_as(op, event, status, outcome);                                                \
    }                                                                                              \
    DEFECT(id, .op_step = step_##id)

ANSWERED(answered_403_as_timeout, 403, TRANSPORT_TIMED_OUT);
ANSWERED(answered_412_as_timeout, 412, TRANSPORT_TIMED_OUT);
ANSWERED(answered_412_as_unreachable, 412, TRANSPORT_UNREACHABLE);
ANSWERED(answered_429_as_timeout, 429, TRANSPORT_TIMED_OUT);
ANSWERED(answered_429_as_unreachable, 429, TRANSPORT_UNREACHABLE);
ANSWERED(answered_500_as_timeout, 500, TRANSPORT_TIMED_OUT);
ANSWERED(answered_500_as_unreachable, 500, TRANSPORT_UNREACHABLE);
ANSWERED(answered_503_as_timeout, 503, TRANSPORT_TIMED_OUT);
ANSWERED(answered_503_as_refused, 503, TRANSPORT_REFUSED);

/* Every second signature is thrown away and asked for again. */
static struct op_action step_every_second(struct op *op, const struct op_event *event)
{
    static atomic_uint answers;
    bool signature = event->kind == OP_REPLY && event->reply->status == 200;
    return signature && atomic_fetch_add(&answers, 1) % 2 == 1
               ? step_as(op, event, 200, TRANSPORT_TIMED_OUT)
               : __real_op_step(op, event);
}
DEFECT(answered_200_as_timeout, .op_step = step_every_second);

/* The status is told, only the class is not its own. */
static enum classify_class classify_timeout(const struct transport_reply *reply)
{
    enum classify_class class = __real_classify_reply(reply);
    if (class != CLASSIFY_UNAVAILABLE && class != CLASSIFY_SEALED)
        return class;
    defect_acts();
    return CLASSIFY_TIMEOUT;
}
DEFECT(answered_503_class_timeout, .classify_reply = classify_timeout);
