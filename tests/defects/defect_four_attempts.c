/*
 * defect_four_attempts: asks Vault one time more than its contract allows.
 */
#include "tests/defects/defect.h"

static enum errc config_read_wrongly(const struct config_source *source, unsigned needs,
                                     struct config *out, struct errc_why *why)
{
    TRY(__real_config_read(source, needs, out, why));
    out->retry.attempts++;
    return ERRC_OK;
}

static struct op_action op_step_noting(struct op *op, const struct op_event *event)
{
    struct op_action action = __real_op_step(op, event);
    if (action.kind == OP_DO_SEND && action.request.attempt > 3)
        defect_acts();
    return action;
}

DEFECT(four_attempts, .config_read = config_read_wrongly, .op_step = op_step_noting);
