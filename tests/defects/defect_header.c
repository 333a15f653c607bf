/*
 * defect_header: X-Signer-Attempt does not tell Vault which attempt a request is.
 */
#include "tests/defects/defect.h"

static struct op_action step_numbered(struct op *op, const struct op_event *event, int base,
                                      int times)
{
    struct op_action action = __real_op_step(op, event);
    int number = base + times * action.request.attempt;
    if (action.kind != OP_DO_SEND || number == action.request.attempt)
        return action;
    defect_acts();
    action.request.attempt = number;
    return action;
}

static struct op_action step_unnumbered(struct op *op, const struct op_event *event)
{
    return step_numbered(op, event, 0, 0);
}
DEFECT(attempt_header_missing, .op_step = step_unnumbered);

static struct op_action step_always_one(struct op *op, const struct op_event *event)
{
    return step_numbered(op, event, 1, 0);
}
DEFECT(attempt_header_one, .op_step = step_always_one);

static struct op_action step_one_ahead(struct op *op, const struct op_event *event)
{
    return step_numbered(op, event, 1, 1);
}
DEFECT(attempt_header_ahead, .op_step = step_one_ahead);
