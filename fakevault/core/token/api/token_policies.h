/*
 * token_policies: which policies a new token gets: what was asked for, as far as the parent or the
 * role allows it (vault-api.md 3.1).
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/token/token_names.h"

struct token_policies {
    struct vault_job *job;
    const struct token *parent;
    const json_t *role; /* NULL: none */
    bool sudo;
    enum token_type type;
    struct token_names names; /* the result; the caller's to end */
};

/* Fills names. False: refused, and answered. */
bool token_policies_choose(struct token_policies *p);

/* Warns of those that do not exist. */
void token_policies_warn(const struct token_policies *p);
