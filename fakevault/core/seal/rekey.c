#include "fakevault/core/seal/rekey.h"

bool rekey_waits(const struct rekey *r)
{
    return r->key.len > 0;
}

void rekey_reset(struct rekey *r)
{
    quorum_reset(&r->given);
    quorum_reset(&r->verified);
    secret_done(&r->key);
    *r = (struct rekey){0};
}
