/*
 * shamir: Shamir's secret sharing over GF(2^8), in the form of Vault's unseal keys.
 *
 * The field is AES's (polynomial x^8 + x^4 + x^3 + x + 1, generator 3). Every byte of the secret is
 * the constant term of a random polynomial of degree threshold - 1; a share is the polynomials'
 * values at its own x, followed by that x:
 *
 *     secret 32 bytes, 5 shares, threshold 3  ->  5 shares of 33 bytes, the last byte is x (1..255)
 *
 * No time depends on a secret byte: multiplication uses no table.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/slice.h"

#define SHAMIR_SHARES_MAX 255u
#define SHAMIR_SECRET_MAX 64u

/* Product and inverse (0 for 0) in the field. */
uint8_t shamir_multiply(uint8_t a, uint8_t b);
uint8_t shamir_invert(uint8_t a);

/* Splits secret into `shares` pieces of secret.len + 1 bytes each, written one after the other to
 * out. Requires 2 <= threshold <= shares <= SHAMIR_SHARES_MAX and 1 <= secret.len <=
 * SHAMIR_SECRET_MAX. The x are different and in random order. */
void shamir_split(struct slice secret, unsigned shares, unsigned threshold,
                  const struct entropy *entropy, uint8_t *out);

/* Joins `count` shares into out (length of a share minus one). Too few or foreign shares give a
 * wrong secret, not an error. ERRC_SCHEMA with Vault's sentence for shares that cannot belong
 * together. */
MUST_USE enum errc shamir_combine(const struct slice *shares, size_t count, uint8_t *out,
                                  struct errc_why *why);
