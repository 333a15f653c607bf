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

/* Learns Vault's present key versions, so that one which nobody pinned can be named. What hinders
 * it but trouble of our own is no error: Vault may be under a fault. */
MUST_USE enum errc stack_vault_notice_keys(struct stack *stack, struct errc_why *why);

/* Vault's newest version has been pinned: it is lawful from from_ns on, the one before till now. */
MUST_USE enum errc stack_vault_pinned(struct stack *stack, int64_t from_ns, struct errc_why *why);

/* Writes a fresh fallback key, in place from now on; *out gets it. */
MUST_USE enum errc stack_vault_new_fallback(struct stack *stack, struct fallbackkey *out,
                                            struct errc_why *why);

/* Writes a key that was there before; in place from now on. */
MUST_USE enum errc stack_vault_put_fallback(struct stack *stack, const struct fallbackkey *key,
                                            struct errc_why *why);

/* The fallback key file is as it must be, from from_ns on; or it is gone, or open to others, from
 * now on. */
MUST_USE enum errc stack_vault_fallback_safe(struct stack *stack, bool safe, int64_t from_ns,
                                             struct errc_why *why);
