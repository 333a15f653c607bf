/*
 * token_use: a token with a number of uses, around the request that takes one.
 */
#pragma once

#include "fakevault/core/call.h"

/* Takes one use of the job's token, stored before the request is executed; failed requests count,
 * too. Answers when somebody else took the last one in the meantime, and for trouble. */
void token_use_begin(struct vault_job *job);

/* Revokes the token when that was its last use. */
void token_use_end(struct vault_job *job);
