/*
 * stack_vault: fakevault's life in a stack, and what an operator does to it.
 */
#pragma once

#include "base/errc.h"
#include "chaos/shell/stack/stack.h"

/* Sets what any subject gets of our own environment: a PATH and, for a test build, the options of
 * the sanitizers; nothing else. */
MUST_USE enum errc stack_vault_common(struct envmap *map, struct errc_why *why);

/* Starts the process and waits until it serves. ERRC_STATE when it runs already. */
MUST_USE enum errc stack_vault_start(struct stack *stack, struct errc_why *why);

/* The first start: initialises a server with storage, writes the root token and the unseal keys to
 * private files, unseals. A dev server needs none of it. */
MUST_USE enum errc stack_vault_set_up(struct stack *stack, struct errc_why *why);

/* Removes the storage of a server that does not run. */
MUST_USE enum errc stack_vault_wipe(struct stack *stack, struct errc_why *why);

/* Enters `count` unseal keys. */
MUST_USE enum errc stack_vault_unseal(struct stack *stack, size_t count, bool *sealed,
                                      int64_t *progress, struct errc_why *why);

/* What DocuGen's script does: transit, the key, the fallback key file, each if absent. */
MUST_USE enum errc stack_vault_bootstrap(struct stack *stack, struct errc_why *why);

/* Makes Vault's present key versions lawful from now on. */
MUST_USE enum errc stack_vault_learn_keys(struct stack *stack, struct errc_why *why);

/* Writes a fresh fallback key, lawful from now on; *out gets it. */
MUST_USE enum errc stack_vault_new_fallback(struct stack *stack, struct fallbackkey *out,
                                            struct errc_why *why);
