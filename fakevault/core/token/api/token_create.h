/*
 * token_create: making tokens by request.
 */
#pragma once

#include "fakevault/core/call.h"

extern const struct field_spec token_create_fields[];

void token_create_finish(struct vault_job *job);
void token_create_orphan_finish(struct vault_job *job);
void token_create_by_role_finish(struct vault_job *job);
