/*
 * knownkeys: the public keys that may lawfully verify a manifest of this run,
 * and the secrets that must be found in none of its files.
 *
 * Append-only: a key that is replaced stays, for what it signed stays.
 */
#pragma once

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/world.h"

#define KNOWNKEYS_MAX 64u      /* keys */
#define KNOWNKEYS_SECRETS 300u /* 255 shares, tokens, seeds */

struct knownkeys {
    struct pool pool; /* the texts */
    struct world_key keys[KNOWNKEYS_MAX];
    size_t key_count;
    struct world_canary secrets[KNOWNKEYS_SECRETS];
    size_t secret_count;
};

void knownkeys_init(struct knownkeys *known);
void knownkeys_done(struct knownkeys *known); /* wipes the secrets */

/* Adds a key unless the same PEM is known with the same version. ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc knownkeys_add(struct knownkeys *known, bool fallback, int version,
                                 const char *pem, int64_t since_wall_ns, struct errc_why *why);

/* Adds a secret; name is copied. ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc knownkeys_add_secret(struct knownkeys *known, const char *name,
                                        struct slice bytes, struct errc_why *why);
