/*
 * token: who may ask. Tokens are records in the store under the hash of their id; the id itself is
 * kept nowhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/errc.h"
#include "fakevault/core/seal/barrier.h"

#define TOKEN_SALT_BYTES 32u
#define TOKEN_ACCESSOR_BYTES 25u /* 24 characters and NUL */
#define TOKEN_ID_BYTES 29u       /* of a made-up id: "hvs.", 24 characters and NUL */
#define TOKEN_TEXT_BYTES 128u

struct token {
    char hash[DIGEST_HEX_BYTES]; /* of salt and id; the record's name ends with it */
    char accessor[TOKEN_ACCESSOR_BYTES];
    char policies[TOKEN_TEXT_BYTES]; /* comma-separated, sorted */
    char display_name[TOKEN_TEXT_BYTES];
    char path[TOKEN_TEXT_BYTES]; /* the API path that made it */
    int64_t created_ns;          /* wall time */
    bool orphan;
    bool issued; /* made by a request: has issue_time and renewable (vault-api.md 3.1) */
};

struct token_table {
    struct token *items; /* sorted by hash */
    size_t count;
    uint8_t salt[TOKEN_SALT_BYTES];
};

void token_table_init(struct token_table *t);

/* Forgets all tokens and the salt, as sealing does. */
void token_table_done(struct token_table *t);

/* Reads salt and tokens through an open barrier. Errors as barrier_get. */
MUST_USE enum errc token_table_load(struct token_table *t, struct barrier *b, struct errc_why *why);

/* Makes a new salt, for an init; adds it to the batch. */
void token_salt_batch(struct token_table *t, struct barrier *b, struct barrier_batch *batch);

/* Writes a made-up id, "hvs." and 24 letters and digits. */
void token_id(const struct entropy *entropy, char out[static TOKEN_ID_BYTES]);

/* Fills hash, accessor and creation time of a token whose id is given; the other fields are the
 * caller's. Adds its record to the batch. */
void token_batch(const struct token_table *t, struct token *token, struct slice id, int64_t wall_ns,
                 struct barrier *b, struct barrier_batch *batch);

/* Makes a stored token known. ERRC_NOMEM. */
MUST_USE enum errc token_table_add(struct token_table *t, const struct token *token);

/* Returns the token with this id, or NULL; lent until the table changes. */
const struct token *token_find(const struct token_table *t, struct slice id);

/* True when the token may do anything. */
bool token_is_root(const struct token *token);
