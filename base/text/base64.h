/*
 * base64: RFC 4648 sections 4 and 5, read as strictly and reported as exactly
 * as Go's encoding/base64 does (vault-api.md 1.7), because that is what a Vault
 * client sees.
 *
 * Reading: CR and LF are skipped; padding is mandatory with BASE64_STANDARD and
 * forbidden with BASE64_URL_RAW; unused trailing bits may be set. On
 * ERRC_SYNTAX, *bad_at is the offset that Go prints in "illegal base64 data at
 * input byte N": "foobar" -> 4   "YQ" -> 0   "YQ=" -> 3   "YQ==x" -> 4 "YWJj="
 * -> 4   "%%" -> 0
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"

enum base64_alphabet {
    BASE64_STANDARD, /* + and /, padded */
    BASE64_URL_RAW,  /* - and _, not padded (JWS) */
};

/* Appends the encoding of bytes. */
void base64_format(struct slice bytes, enum base64_alphabet alphabet, struct buf *out);

/* Appends the decoded bytes. ERRC_SYNTAX (out unchanged, *bad_at set; bad_at
 * may be NULL) or ERRC_TOO_BIG. */
MUST_USE enum errc base64_parse(struct slice text, enum base64_alphabet alphabet, struct buf *out,
                                size_t *bad_at);
