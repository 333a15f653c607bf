/*
 * attempt_text: what a failed attempt met, in the words that people look for in a log:
 *
 *     connection refused: Failed to connect to 127.0.0.1 port 8200 …
 *     status 503: Vault is sealed
 *     timed out after 2000 ms
 *
 * One line, without control characters; no secret, since a request is not in it.
 */
#pragma once

#include "base/limits.h"
#include "signer/core/attempt/classify.h"

/* Writes the words; class is that of the attempt, which is not CLASSIFY_OK. timeout_ms is what the
 * attempt had, for a port that does not say when it gave up. */
void attempt_text_format(const struct transport_reply *reply, enum classify_class class,
                         int64_t timeout_ms, char out[static LIMIT_MESSAGE_BYTES]);
