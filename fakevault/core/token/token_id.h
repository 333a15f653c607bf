/*
 * token_id: the ids of tokens as Vault 1.14 makes them, and what is kept instead of an id.
 *
 *     root     "hvs." and 24 letters and digits
 *     service  "hvs." and 91 characters of base64url: 24 letters and digits, signed
 *     batch    "hvb." and the whole token, sealed (token_batch.h)
 *
 * An id is written nowhere. What is kept is HMAC-SHA-256 of it under a salt of this vault; finding
 * a token compares these, so that the time it takes tells nothing of an id.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/entropy.h"
#include "base/text/slice.h"

#define TOKEN_ID_BYTES 96u /* of the longest made-up service id, with NUL */
#define TOKEN_ID_SALT_BYTES 32u
#define TOKEN_ID_RANDOM_BYTES 25u /* 24 letters and digits, and NUL */

/* Writes 24 letters and digits. */
void token_id_random(const struct entropy *entropy, char out[static TOKEN_ID_RANDOM_BYTES]);

/* Writes a new id; the caller wipes it. */
void token_id_root(const struct entropy *entropy, char out[static TOKEN_ID_BYTES]);
void token_id_service(const struct entropy *entropy, const uint8_t salt[static TOKEN_ID_SALT_BYTES],
                      char out[static TOKEN_ID_BYTES]);

/* What is kept of an id of any length. */
void token_id_digest(struct slice id, const uint8_t salt[static TOKEN_ID_SALT_BYTES],
                     uint8_t out[static DIGEST_BYTES]);

/* True when the id claims to be a signed one and is not: Vault turns that down with another error
 * than one that it does not know (any more). */
bool token_id_forged(struct slice id, const uint8_t salt[static TOKEN_ID_SALT_BYTES]);
