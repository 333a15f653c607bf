/*
 * token_table: all live service tokens of an unsealed vault: found by digest or accessor in O(1),
 * linked to parents and children, and ordered by when they expire.
 *
 * It only remembers: token_store.h writes the store first and then changes the table. Adding has
 * two halves, so that nothing can fail once the store has been written: token_table_reserve, then
 * token_table_add.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fakevault/core/token/token.h"
#include "fakevault/core/token/token_id.h"

struct token_table {
    struct token **by_digest, **by_accessor; /* chains */
    size_t buckets;                          /* of each; a power of two, or 0 */
    size_t count;
    struct token **heap; /* those that expire; heap[0] next */
    size_t heap_count, heap_room;
    struct token_id_keys keys;
};

void token_table_init(struct token_table *t);

/* Forgets all tokens and the salt, as sealing does. */
void token_table_done(struct token_table *t);

/* Makes room for one more. ERRC_NOMEM. */
MUST_USE enum errc token_table_reserve(struct token_table *t);

/* Takes over one reference; room was reserved. */
void token_table_add(struct token_table *t, struct token *token);

/* Hangs a token under its parent. False when the parent is not there. */
bool token_table_link(struct token_table *t, struct token *token);

/* Takes a token out, marks it dead and gives the table's reference back. Its children are left
 * without a parent in memory: the caller saw to them. */
void token_table_remove(struct token_table *t, struct token *token);

/* Moves a token to a new end, for a renewal. The table has room: it expired at some time before. */
void token_table_set_expiry(struct token_table *t, struct token *token, int64_t expires_ns);

/* Makes an orphan of a child. */
void token_table_unlink(struct token *child);

/* Returns the token with this id, digest or accessor, or NULL; lent until the table changes. Spent
 * and expired ones are returned, too. */
struct token *token_table_find(const struct token_table *t, struct slice id);
struct token *token_table_find_digest(const struct token_table *t,
                                      const uint8_t digest[static DIGEST_BYTES]);
struct token *token_table_find_accessor(const struct token_table *t, struct slice accessor);

/* Returns the token that expires first when that is over at this wall time, else NULL. */
struct token *token_table_due(const struct token_table *t, int64_t wall_ns);

/* Walks over all, in no order: the next after `token`, or the first for NULL. The table must not
 * change in between. */
struct token *token_table_next(const struct token_table *t, const struct token *token);
