/*
 * token_id: the ids of tokens as Vault 1.14 makes them, and what is kept instead of an id.
 *
 *     root     "hvs." and 24 letters and digits
 *     service  "hvs." and 91 characters of base64url: an id as above, signed
 *     custom   what the creator wanted, without '.'
 *     batch    "hvb." and the whole token, sealed (token_batch.h)
 *
 * A service token can be named by the signed id and by the short one inside it, as in Vault.
 *
 * An id is written nowhere. What is kept is the HMAC-SHA-256 of the short one under a salt of this
 * vault; finding a token compares these, so that the time it takes tells nothing of an id.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/entropy.h"
#include "base/text/slice.h"

#define TOKEN_ID_BYTES                                                                             \
    104u /* of the longest made-up service id (95), with NUL and room to encode */
#define TOKEN_ID_SALT_BYTES 32u
#define TOKEN_ID_RANDOM_BYTES 25u /* 24 letters and digits, and NUL */

struct token_id_keys {
    uint8_t salt[TOKEN_ID_SALT_BYTES];
    uint8_t signing[DIGEST_BYTES]; /* follows from the salt */
};

enum token_id_kind {
    TOKEN_ID_PLAIN,
    TOKEN_ID_SIGNED,
    TOKEN_ID_FORGED, /* says to be signed, and is not: Vault has another error for it */
};

/* Sets the keys from a salt, which lies in them already. */
void token_id_derive(struct token_id_keys *keys);

/* Writes 24 letters and digits. */
void token_id_random(const struct entropy *entropy, char out[static TOKEN_ID_RANDOM_BYTES]);

/* Writes a new id; the caller wipes it. */
void token_id_root(const struct entropy *entropy, char out[static TOKEN_ID_BYTES]);
void token_id_service(const struct entropy *entropy, const struct token_id_keys *keys,
                      char out[static TOKEN_ID_BYTES]);

/* Says of which kind an id is, and writes the short one that it stands for: out borrows from `id`
 * or from `inner`, which the caller wipes. */
enum token_id_kind token_id_open(struct slice id, const struct token_id_keys *keys,
                                 char inner[static TOKEN_ID_BYTES], struct slice *out);

/* What is kept of an id of any kind. False for a forged one. */
bool token_id_digest(struct slice id, const struct token_id_keys *keys,
                     uint8_t out[static DIGEST_BYTES]);
