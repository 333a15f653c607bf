/*
 * token_lookup: what the API tells of a token (vault-api.md 3.1).
 */
#pragma once

#include "fakevault/core/call.h"

/* Answers with the properties of a token; `id` is what the caller named it by, or empty. */
void token_lookup_answer(struct vault_job *job, const struct token *token, struct slice id);

/* Writes JSON, or null when it is empty. */
void token_lookup_json(struct jsonwrite *w, const char *key, struct slice json);

/* Writes a list of texts. */
void token_lookup_list(struct jsonwrite *w, const char *key, const struct slice *items,
                       size_t count);
