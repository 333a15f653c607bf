/*
 * token_batch: batch tokens, which lie in their id alone: "hvb." and the record, sealed under the
 * barrier. They cost no store, cannot be listed, renewed or revoked, and end with their time or
 * with their parent.
 */
#pragma once

#include "fakevault/core/seal/barrier.h"
#include "fakevault/core/token/token_table.h"

/* True for an id that says to be one. */
bool token_batch_is(struct slice id);

/* Appends the id of a batch token; the caller wipes it. ERRC_NOMEM, ERRC_CRYPTO, ERRC_TOO_BIG. */
MUST_USE enum errc token_batch_format(struct barrier *b, const struct token *draft, struct buf *id,
                                      struct errc_why *why);

/* Opens an id into a new token with one reference, in no table. ERRC_NOT_FOUND when it is none, or
 * its parent is gone; ERRC_NOMEM. Whether its time is over is not looked at. */
MUST_USE enum errc token_batch_open(struct barrier *b, const struct token_table *t, struct slice id,
                                    int64_t wall_ns, struct token **out);
