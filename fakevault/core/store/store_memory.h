/*
 * store_memory: the store that forgets with its process, as Vault's "inmem".
 */
#pragma once

#include "fakevault/core/store/store.h"

/* Fills *out; the caller closes it with store_close. ERRC_NOMEM. */
MUST_USE enum errc store_memory_new(struct store *out, struct errc_why *why);
