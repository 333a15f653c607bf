/*
 * token_store: what happens to tokens, stored before it is known.
 *
 * A service token is one record under the digest of its id, "sys/token/id/<hex>", which names its
 * parent's digest. Revoking a tree erases the record of its root: whatever hangs below a record
 * that is gone is no token any more. The records below are cleared away afterwards, and what a
 * crash left of them at the next unseal.
 *
 * Requires an open barrier throughout. After a failure nothing has changed, unless said otherwise.
 */
#pragma once

#include "fakevault/core/seal/barrier.h"
#include "fakevault/core/token/token_table.h"

#define TOKEN_STORE_CUBBYHOLE "cubbyhole/" /* then the token's accessor, '/', a path */

/* Makes a new salt, for an init; adds it to the batch. */
void token_store_salt(struct token_table *t, struct barrier *b, struct barrier_batch *batch);

/* Reads salt and tokens, and clears away what a crash left. Errors as barrier_get. */
MUST_USE enum errc token_store_load(struct token_table *t, struct barrier *b, struct errc_why *why);

/* Makes a service token of a draft, which lacks only digest and accessor: adds its
 * record to the batch and room for it to the table. Once the batch is committed, token_store_adopt
 * makes it known; before, token_release drops it. ERRC_NOMEM. */
MUST_USE enum errc token_store_draw(struct token_table *t, struct barrier *b,
                                    const struct token *draft, struct slice id,
                                    struct barrier_batch *batch, struct token **out);
void token_store_adopt(struct token_table *t, struct token *token);

/* All of that in one; *out is lent and may be NULL. */
MUST_USE enum errc token_store_create(struct token_table *t, struct barrier *b,
                                      const struct token *draft, struct slice id,
                                      struct token **out, struct errc_why *why);

/* Takes one use; the last leaves the token spent. A token without a limit stays as it is. */
MUST_USE enum errc token_store_use(struct token_table *t, struct barrier *b, struct token *token,
                                   struct errc_why *why);

/* Lends a token that expires anew, from now on. */
MUST_USE enum errc token_store_renew(struct token_table *t, struct barrier *b, struct token *token,
                                     int64_t lease_ns, int64_t wall_ns, struct errc_why *why);

/* Revokes a token, all below it, and their cubbyholes. */
MUST_USE enum errc token_store_revoke(struct token_table *t, struct barrier *b, struct token *token,
                                      struct errc_why *why);

/* Revokes a token alone; its children become orphans (some of them, after a failure). */
MUST_USE enum errc token_store_revoke_alone(struct token_table *t, struct barrier *b,
                                            struct token *token, struct errc_why *why);

/* Erases the cubbyholes of tokens that are no more, which a crash may leave. Errors as store_list,
 * and those of erasing. */
MUST_USE enum errc token_store_tidy(const struct token_table *t, struct barrier *b,
                                    struct errc_why *why);

/* Revokes what has expired at this wall time, a few trees per call. What could not be erased is
 * left for the next one. */
void token_store_reap(struct token_table *t, struct barrier *b, int64_t wall_ns);
