/*
 * token_cidr: addresses and networks that a token may be used from: "10.0.0.0/8", "::1".
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/errc.h"
#include "base/text/slice.h"

/* Reads an array of texts (NULL: none) into one that has them as Vault shows them, a mask of all
 * bits dropped; the caller owns *out. ERRC_SYNTAX with Vault's sentence, ERRC_NOMEM. */
MUST_USE enum errc token_cidr_read(const json_t *texts, json_t **out, struct errc_why *why);

/* True when the address lies in the network. */
bool token_cidr_contains(struct slice network, struct slice address);
