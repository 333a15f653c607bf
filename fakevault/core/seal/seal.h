/*
 * seal: how many shares there are and how far an unseal has come.
 *
 * Its record "core/seal-config" is stored in clear, because it is needed while sealed: shares and
 * threshold. Shares given so far are held in the arena until the threshold is reached, the attempt
 * is reset or the vault is sealed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/entropy.h"
#include "base/errc.h"
#include "base/secret.h"
#include "fakevault/core/seal/barrier.h"
#include "fakevault/core/seal/quorum.h"

#define SEAL_CONFIG_NAME "core/seal-config"
#define SEAL_SHARE_BYTES_MIN 16u
#define SEAL_SHARE_BYTES_MAX (BARRIER_KEY_BYTES + 1)

struct seal {
    struct secret_arena *arena;
    unsigned shares;    /* 0 while uninitialised */
    unsigned threshold; /* 0 while uninitialised */
    struct quorum given;
    char nonce[ENTROPY_UUID_BYTES]; /* of the attempt; "" when there is none */
};

void seal_init(struct seal *s, struct secret_arena *arena);

/* Reads the record. ERRC_OK also when there is none (uninitialised); ERRC_SCHEMA when it is
 * damaged. */
MUST_USE enum errc seal_load(struct seal *s, const struct store *store, struct errc_why *why);

bool seal_initialized(const struct seal *s);

/* Checks numbers of an init or rekey. ERRC_SCHEMA with Vault's sentence. */
MUST_USE enum errc seal_check(int64_t shares, int64_t threshold, struct errc_why *why);

/* Adds the record to the batch of an init; seal_load or seal_adopt make it known. */
void seal_batch(unsigned shares, unsigned threshold, struct barrier_batch *batch);
void seal_adopt(struct seal *s, unsigned shares, unsigned threshold);

/* Splits the unseal key: out receives `shares` pieces of seal_share_bytes(shares) each. */
size_t seal_share_bytes(unsigned shares);
void seal_split(struct slice unseal_key, unsigned shares, unsigned threshold,
                const struct entropy *entropy, uint8_t *out);

/* Reads a share from hex or base64 text, as Vault does: hex counts only when it gives a length in
 * range. ERRC_SYNTAX with Vault's sentence. */
MUST_USE enum errc seal_parse_share(struct slice text, struct secret_arena *arena,
                                    struct secret *out, struct errc_why *why);

/* ERRC_RANGE with Vault's sentence when the length cannot be a share's. */
MUST_USE enum errc seal_check_share(struct slice share, struct errc_why *why);

/* Takes one more share; one that was given before changes nothing. ERRC_NOMEM. */
MUST_USE enum errc seal_give(struct seal *s, struct slice share, const struct entropy *entropy);

/* True when enough shares are there. */
bool seal_ready(const struct seal *s);

/* Joins them into the unseal key (one share is the key itself). ERRC_SCHEMA with Vault's sentence.
 */
MUST_USE enum errc seal_join(const struct seal *s, struct secret *out, struct errc_why *why);

/* Forgets all given shares and the nonce. */
void seal_reset(struct seal *s);
