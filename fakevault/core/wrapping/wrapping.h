/*
 * wrapping: an answer that is not given but laid into the cubbyhole of a new token, which can fetch
 * it once (vault-api.md 2.16).
 *
 *     cubbyhole/response   {"response":"<the answer's envelope>"}
 *     cubbyhole/wrapinfo   {"creation_path":"transit/keys/k","creation_time":"...",
 *                           "creation_ttl":60000000000}
 */
#pragma once

#include "fakevault/core/call.h"

#define WRAPPING_POLICY "response-wrapping"
#define WRAPPING_INVALID "wrapping token is not valid or does not exist"

/* Wraps the job's good answer when it is to be wrapped; trouble is answered instead of it. */
void wrapping_apply(struct vault_job *job);

/* What is to be wrapped. */
struct wrapping_content {
    struct slice response; /* the envelope */
    struct slice creation_path;
    int64_t ttl_ns;
};

/* Makes a wrapping token with that content and leaves "wrap_info" in the job; *out (may be NULL) is
 * lent. Answers nothing. ERRC_IO, ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc wrapping_make(struct vault_job *job, const struct wrapping_content *content,
                                 struct token **out, struct errc_why *why);

/* True for a token that wraps. */
bool wrapping_is_token(const struct token *token);

/* Replaces the job's answer by its "wrap_info". */
void wrapping_hide(struct vault_job *job);
