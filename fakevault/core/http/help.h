/*
 * help: what the HELP method and sys/internal/specs/openapi tell of endpoints, made from their
 * tables. Vault tells more, in prose of its own; the shape is the same.
 */
#pragma once

#include "fakevault/core/call.h"

/* Answers a HELP for the job's path, whose mount and rights are checked. */
void help_answer(struct vault_job *job);
