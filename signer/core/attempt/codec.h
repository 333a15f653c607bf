/*
 * codec: Vault's JSON, out and in, as strict as a signature deserves.
 *
 * A 200 proves nothing (failures.md 0, items 3 and 4): a reply counts only when it is one whole
 * JSON object with data.signature "vault:vN:BASE64" and N and data.key_version (when given) are
 * the version that was asked for. Anything else is ERRC_SYNTAX or ERRC_SCHEMA: malformed.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "signer/core/attempt/transport.h"

#define CODEC_PATH_BYTES 600
#define CODEC_TYPE_BYTES 32

/* Writes "/v1/transit/sign/NAME"; NAME is escaped. ERRC_TOO_BIG. */
MUST_USE enum errc codec_sign_path(const char *key, char out[static CODEC_PATH_BYTES],
                                   struct errc_why *why);
MUST_USE enum errc codec_key_path(const char *key, char out[static CODEC_PATH_BYTES],
                                  struct errc_why *why);

/* Appends the body of a sign request for `message`, with the version pinned. */
void codec_sign_request(struct slice message, int64_t key_version, struct buf *out);

/* Reads a sign reply. Appends the text ("vault:v1:...") to text and the DER bytes to raw. */
MUST_USE enum errc codec_sign_reply(struct slice body, int64_t key_version, struct buf *text,
                                    struct buf *raw, struct errc_why *why);

/* Reads the answer of GET transit/keys/NAME: the newest version and its public key in PEM.
 * ERRC_SCHEMA when the key is not ecdsa-p256. */
MUST_USE enum errc codec_key_reply(struct slice body, int64_t *version, struct buf *pem,
                                   struct errc_why *why);

/* Appends what Vault gave as reason: the texts of {"errors":[...]}, joined by "; ", white space
 * and control characters as single blanks; an empty list appends nothing. ERRC_SCHEMA when the
 * body has not that shape, ERRC_NOMEM when that could not be found out (out is unchanged). */
MUST_USE enum errc codec_errors(struct slice body, struct buf *out);
