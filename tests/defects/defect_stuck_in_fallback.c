/*
 * defect_stuck_in_fallback: never asks Vault again, once the local key has signed in this process.
 */
#include <stdatomic.h>

#include "tests/defects/defect.h"

static atomic_bool stuck;

static enum errc op_use_fallback_wrongly(struct op *op, const struct keyport_public *key,
                                         struct errc_why *why)
{
    atomic_store(&stuck, true);
    return __real_op_use_fallback(op, key, why);
}

static enum classify_class classify_reply_wrongly(const struct transport_reply *reply)
{
    if (!atomic_load(&stuck))
        return __real_classify_reply(reply);
    defect_acts();
    return CLASSIFY_SEALED;
}

DEFECT(stuck_in_fallback, .op_use_fallback = op_use_fallback_wrongly,
       .classify_reply = classify_reply_wrongly);
