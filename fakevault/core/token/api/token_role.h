/*
 * token_role: what tokens that are made by a role's name may be (vault-api.md 3.1).
 *
 * A role is stored as JSON, "sys/token/roles/<name>", and has the members that a read shows.
 */
#pragma once

#include <jansson.h>

#include "fakevault/core/call.h"

/* Reads a role; the caller drops *out. ERRC_NOT_FOUND, else as barrier_get. */
MUST_USE enum errc token_role_load(struct vault *v, struct slice name, json_t **out,
                                   struct errc_why *why);

/* Members of a role; one that is missing is 0, false or empty. */
struct slice token_role_text(const json_t *role, const char *member);
int64_t token_role_ns(const json_t *role, const char *member); /* of a number of seconds */
bool token_role_flag(const json_t *role, const char *member);
