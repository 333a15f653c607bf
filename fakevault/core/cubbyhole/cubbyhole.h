/*
 * cubbyhole: what a token keeps for itself: names and JSON objects that only it can read, and that
 * end with it (token_store.h erases them).
 */
#pragma once

#include "fakevault/core/seal/barrier.h"
#include "fakevault/core/token/token.h"

/* Writes the name of the record of a path in the token's cubbyhole. False when it is too long. */
bool cubbyhole_name(const struct token *token, struct slice path, char out[static STORE_NAME_MAX]);
