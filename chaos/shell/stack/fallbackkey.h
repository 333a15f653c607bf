/*
 * fallbackkey: the fallback key file as DocuGen's scripts write it: an Ed25519
 * seed, {"signingKey": "<base64 of 32 bytes>"}, mode 0600.
 */
#pragma once

#include <stdint.h>

#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/buf.h"

#define FALLBACKKEY_SEED_BYTES 32u
#define FALLBACKKEY_TEXT_BYTES 45u /* base64 of the seed with its NUL */

/* What chaos has to know about a key that it wrote. */
struct fallbackkey {
    char text[FALLBACKKEY_TEXT_BYTES];    /* secret: to be looked for where it must not be */
    uint8_t seed[FALLBACKKEY_SEED_BYTES]; /* secret */
};

/* Draws a seed and replaces the file by it. ERRC_IO, ERRC_CRYPTO. */
MUST_USE enum errc fallbackkey_write(const char *path, const struct entropy *entropy,
                                     struct fallbackkey *out, struct errc_why *why);

/* Replaces the file by a key that was written before. ERRC_IO. */
MUST_USE enum errc fallbackkey_put(const char *path, const struct fallbackkey *key,
                                   struct errc_why *why);

/* Appends the public half as PEM (SubjectPublicKeyInfo). ERRC_CRYPTO. */
MUST_USE enum errc fallbackkey_public(const struct fallbackkey *key, struct buf *pem,
                                      struct errc_why *why);
