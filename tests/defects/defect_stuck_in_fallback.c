/*
 * defect_stuck_in_fallback: never asks Vault again, once the local key has signed in this process.
 */
#include <stdatomic.h>

#include "signer/core/attempt/classify.h"
#include "signer/core/attempt/op.h"

enum errc __real_op_use_fallback(struct op *op, const struct keyport_public *key,
                                 struct errc_why *why);
enum errc __wrap_op_use_fallback(struct op *op, const struct keyport_public *key,
                                 struct errc_why *why);
enum classify_class __real_classify_reply(const struct transport_reply *reply);
enum classify_class __wrap_classify_reply(const struct transport_reply *reply);

static atomic_bool stuck;

enum errc __wrap_op_use_fallback(struct op *op, const struct keyport_public *key,
                                 struct errc_why *why)
{
    atomic_store(&stuck, true);
    return __real_op_use_fallback(op, key, why);
}

enum classify_class __wrap_classify_reply(const struct transport_reply *reply)
{
    return atomic_load(&stuck) ? CLASSIFY_SEALED : __real_classify_reply(reply);
}
