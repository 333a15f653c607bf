/*
 * token_auth: the "auth" block of an answer that hands out or renews a token (vault-api.md 1.4).
 */
#pragma once

#include "fakevault/core/call.h"

/* Answers with the token, named by `id` (empty: hidden), and how long it lives from now on. */
void token_auth_answer(struct vault_job *job, const struct token *token, struct slice id,
                       int64_t ttl_ns);

/* What the client may do with tokens beyond its policies: root, or sudo on the path. */
bool token_auth_sudo(struct vault_job *job);

/* True when the token may be used from this address. One that never ends may be everywhere. */
bool token_auth_place(const struct token *token, struct slice address);

/* Returns the service or batch token that an id from a request's body names, spent or not; NULL
 * when there is none. A new reference, which the caller releases. */
struct token *token_auth_find(struct vault_job *job, struct slice id);
