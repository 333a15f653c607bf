/*
 * quorum: shares of the unseal key that were given so far, for an unseal, a rekey or a new root
 * token. They lie in the arena until they are joined or forgotten. A zeroed quorum is empty.
 */
#pragma once

#include <stdbool.h>

#include "base/secret.h"
#include "fakevault/core/seal/shamir.h"

struct quorum {
    struct secret given[SHAMIR_SHARES_MAX];
    unsigned count;
};

/* True when this share was given before. */
bool quorum_has(const struct quorum *q, struct slice share);

/* Adds a share; there must be room. ERRC_NOMEM. */
MUST_USE enum errc quorum_give(struct quorum *q, struct secret_arena *arena, struct slice share);

/* Joins what was given, of which there must be enough: with a threshold of 1 a share is the key
 * itself. The caller ends *out. ERRC_SCHEMA with Vault's sentence for shares that cannot belong
 * together, ERRC_NOMEM. */
MUST_USE enum errc quorum_join(const struct quorum *q, unsigned threshold,
                               struct secret_arena *arena, struct secret *out,
                               struct errc_why *why);

/* Forgets all shares. */
void quorum_reset(struct quorum *q);
