/*
 * extras: parameters of a request that its endpoint does not take, which Vault tells of in a
 * warning (vault-api.md 1.5).
 */
#pragma once

#include "fakevault/core/call.h"

/* Warns of unknown parameters, and of those that the path gives already, on a good answer of an
 * endpoint that has a table of parameters. */
void extras_warn(struct vault_job *job);
