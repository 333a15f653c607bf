#include "fakevault/core/seal/quorum.h"

#include "base/bug.h"

bool quorum_has(const struct quorum *q, struct slice share)
{
    bool found = false;
    for (unsigned i = 0; i < q->count; i++)
        found |= secret_equal(secret_slice(&q->given[i]), share);
    return found;
}

enum errc quorum_give(struct quorum *q, struct secret_arena *arena, struct slice share)
{
    CHECK(q->count < SHAMIR_SHARES_MAX);
    TRY(secret_copy(arena, share, &q->given[q->count]));
    q->count++;
    return ERRC_OK;
}

enum errc quorum_join(const struct quorum *q, unsigned threshold, struct secret_arena *arena,
                      struct secret *out, struct errc_why *why)
{
    CHECK(q->count > 0 && q->count >= threshold);
    if (threshold == 1)
        return secret_copy(arena, secret_slice(&q->given[0]), out);
    struct slice shares[SHAMIR_SHARES_MAX];
    for (unsigned i = 0; i < q->count; i++)
        shares[i] = secret_slice(&q->given[i]);
    TRY(secret_new(arena, shares[0].len - 1, out));
    enum errc code = shamir_combine(shares, q->count, out->ptr, why);
    if (code != ERRC_OK)
        secret_done(out);
    return code;
}

void quorum_reset(struct quorum *q)
{
    for (unsigned i = 0; i < q->count; i++)
        secret_done(&q->given[i]);
    q->count = 0;
}
