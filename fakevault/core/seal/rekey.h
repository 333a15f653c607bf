/*
 * rekey: how far a change of the unseal key has come. It is memory alone: a seal or a crash leaves
 * the old key and its shares as they were.
 *
 *     started -> shares of the old key are given -> new key -> shares handed out
 *
 * The new key is stored at once, or, with `verify`, when enough of the new shares were given back.
 */
#pragma once

#include "base/entropy.h"
#include "fakevault/core/seal/quorum.h"

struct rekey {
    bool started;
    unsigned shares; /* of the new key */
    unsigned threshold;
    bool verify;
    char nonce[ENTROPY_UUID_BYTES];
    struct quorum given;                   /* shares of the old key */
    struct secret key;                     /* the new one, while it waits to be verified */
    char verify_nonce[ENTROPY_UUID_BYTES]; /* "" before that */
    struct quorum verified;                /* shares of the new key */
};

/* True while the new key waits to be verified. */
bool rekey_waits(const struct rekey *r);

/* Forgets all; a zeroed rekey is one that was not started. */
void rekey_reset(struct rekey *r);
