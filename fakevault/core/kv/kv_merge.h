/*
 * kv_merge: a JSON merge patch (RFC 7396), with the one peculiarity of the library that Vault uses:
 * what replaces a value that is no object keeps its nulls only where an object is replaced.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"

/* Changes `target` by `patch`; both are objects. Shares subtrees with patch, which may be changed
 * too. ERRC_NOMEM leaves target half changed. */
MUST_USE enum errc kv_merge_apply(json_t *target, json_t *patch);
