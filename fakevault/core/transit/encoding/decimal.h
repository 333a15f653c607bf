/*
 * decimal: numbers of any size as decimal text, as Go's big.Int has them in JSON, and back.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"

#define DECIMAL_BYTES_MAX 1024u /* of a number: RSA-4096 has 512 */

/* Appends a big-endian number of at most DECIMAL_BYTES_MAX bytes; no bytes are 0. */
void decimal_format(struct slice big_endian, struct buf *out);

/* Fills out with the number, big-endian, with zeros in front. ERRC_SYNTAX: these are no digits;
 * ERRC_TOO_BIG: it does not fit. */
MUST_USE enum errc decimal_parse(struct slice text, uint8_t *out, size_t size);

/* How many bytes a number of so many digits has at most. */
static inline size_t decimal_bytes(size_t digits)
{
    return digits * 5 / 12 + 1; /* log(10) / log(256) is 0.4153 */
}
