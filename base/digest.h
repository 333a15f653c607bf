/*
 * digest: SHA-256, the one hash that files and ledgers of the project share, and HMAC over it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text/slice.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX_BYTES 65 /* hex text with its NUL */

void digest_sha256(struct slice data, uint8_t out[static DIGEST_BYTES]);

/* The same as lower-case hex. */
void digest_sha256_hex(struct slice data, char out[static DIGEST_HEX_BYTES]);

/* HMAC-SHA-256 under a key of any length. */
void digest_hmac_sha256(struct slice key, struct slice data, uint8_t out[static DIGEST_BYTES]);

/* Compares two digests in constant time. */
bool digest_equal(const uint8_t a[static DIGEST_BYTES], const uint8_t b[static DIGEST_BYTES]);
