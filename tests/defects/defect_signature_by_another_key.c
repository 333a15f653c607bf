/*
 * defect_signature_by_another_key: signs with a key of its own, names the local one, and does not
 * look at its own signatures.
 */
#include <sodium.h>

#include "tests/defects/defect.h"

static enum errc believe(void *context, const struct keyport_public *key, struct slice message,
                         struct slice signature, struct errc_why *why)
{
    (void)context, (void)key, (void)message, (void)signature, (void)why;
    return ERRC_OK;
}

static enum errc op_new_wrongly(const struct op_setup *setup, struct instant now, struct op **out,
                                struct errc_why *why)
{
    static _Thread_local struct keyport blind; /* borrowed by the operation */
    struct op_setup changed = *setup;
    blind = *setup->keyport;
    blind.verify = believe;
    changed.keyport = &blind;
    return __real_op_new(&changed, now, out, why);
}

static struct op_action op_step_wrongly(struct op *op, const struct op_event *event)
{
    static const unsigned char seed[crypto_sign_SEEDBYTES] = "nobody trusts this key";
    unsigned char pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
    unsigned char signature[KEYPORT_ED25519_BYTES];
    struct op_event changed = *event;
    if (event->kind == OP_FALLBACK_SIGNED) {
        defect_acts();
        struct slice input = op_input(op);
        (void)crypto_sign_seed_keypair(pk, sk, seed);
        (void)crypto_sign_detached(signature, NULL, (const unsigned char *)input.ptr, input.len,
                                   sk);
        changed.signature = signature;
    }
    return __real_op_step(op, &changed);
}

DEFECT(signature_by_another_key, .op_new = op_new_wrongly, .op_step = op_step_wrongly);
