/*
 * knownkeys: the public keys of this run, when each of them might lawfully sign,
 * and the secrets that must be found in none of its files.
 *
 * A key is known from when it exists, and lawful from when it is pinned (Vault's)
 * or put in place (the fallback's): one that nobody pinned can be named as that.
 * Append-only: a key that is replaced stays, for what it signed stays; one that
 * comes back stands there twice.
 */
#pragma once

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/world.h"

#define KNOWNKEYS_MAX 256u      /* keys, each time that they are lawful */
#define KNOWNKEYS_SECRETS 4096u /* 255 shares as text and as bytes, tokens, seeds, of a few wipes */

struct knownkeys {
    struct pool pool; /* the texts */
    struct world_key keys[KNOWNKEYS_MAX];
    size_t key_count;
    struct world_canary secrets[KNOWNKEYS_SECRETS];
    size_t secret_count;
};

void knownkeys_init(struct knownkeys *known);
void knownkeys_done(struct knownkeys *known); /* wipes the secrets */

/* Adds a key that nobody pinned yet, unless the same PEM is known with the same version.
 * ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc knownkeys_add(struct knownkeys *known, bool fallback, int version,
                                 const char *pem, struct errc_why *why);

/* The key is lawful from since_wall_ns on, unless it is already; adds it when it is not known. As
 * above. */
MUST_USE enum errc knownkeys_begin(struct knownkeys *known, bool fallback, int version,
                                   const char *pem, int64_t since_wall_ns, struct errc_why *why);

/* At until_wall_ns the lawful keys of a kind end, except the one with this PEM and version (pem
 * NULL: all of them). */
void knownkeys_end(struct knownkeys *known, bool fallback, int version, const char *pem,
                   int64_t until_wall_ns);

/* Adds a secret; name is copied. ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc knownkeys_add_secret(struct knownkeys *known, const char *name,
                                        struct slice bytes, struct errc_why *why);
