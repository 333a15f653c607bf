#include "fakevault/core/seal/genroot.h"

bool genroot_started(const struct genroot *g)
{
    return g->otp.len > 0;
}

void genroot_reset(struct genroot *g)
{
    quorum_reset(&g->given);
    secret_done(&g->otp);
    g->nonce[0] = '\0';
}
