/*
 * defect_signature_by_another_key: signs with a key of its own and names the local one.
 */
#include <sodium.h>

#include "signer/core/op.h"

struct op_action __real_op_step(struct op *op, const struct op_event *event);
struct op_action __wrap_op_step(struct op *op, const struct op_event *event);

struct op_action __wrap_op_step(struct op *op, const struct op_event *event)
{
    static const unsigned char seed[crypto_sign_SEEDBYTES] = "nobody trusts this key";
    unsigned char pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
    unsigned char signature[KEYPORT_ED25519_BYTES];
    struct op_event changed = *event;
    if (event->kind == OP_FALLBACK_SIGNED) {
        struct slice input = op_input(op);
        (void)crypto_sign_seed_keypair(pk, sk, seed);
        (void)crypto_sign_detached(signature, NULL, (const unsigned char *)input.ptr, input.len,
                                   sk);
        changed.signature = signature;
    }
    return __real_op_step(op, &changed);
}
