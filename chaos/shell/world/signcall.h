/*
 * signcall: has bundles signed, by a service or by the command, and tells what
 * the signer told its caller.
 *
 * A call may stay in the background; it is found again by its bundle. Bundles
 * are made from the run's seed: the same seed, the same bundles.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "base/prng.h"
#include "chaos/core/world.h"
#include "chaos/shell/stack/stack.h"

#define SIGNCALL_MAX 512u /* sign calls of one run that are remembered */

struct signcall {
    bool used;
    char via[16];
    struct world_call told;
    struct proc command; /* of the command while it runs */
    char out_path[LIMIT_PATH_BYTES];
    uint64_t journal_bytes; /* length of Vault's journal when the call began */
};

struct signcalls {
    struct stack *stack;
    struct prng prng; /* of the bundles */
    struct signcall *items;
    size_t count;
};

MUST_USE enum errc signcall_open(struct signcalls *calls, struct stack *stack,
                                 struct errc_why *why);
void signcall_close(struct signcalls *calls); /* ends commands that still run */

/*
 * Carries out a sign step; `bundle` names an earlier one to be signed again (NULL: a new one).
 * Waits for its end unless the step says background. A refusal is an outcome. ERRC_UNAVAILABLE: the
 * service does not answer; ERRC_TIMEOUT: no end within the signer's own total time and some grace.
 */
MUST_USE enum errc signcall_begin(struct signcalls *calls, const struct scenario_step *step,
                                  const char *bundle, struct world_call *out, struct errc_why *why);

/* Waits for the end of the last call for that bundle. ERRC_TIMEOUT, ERRC_UNAVAILABLE,
 * ERRC_NOT_FOUND. */
MUST_USE enum errc signcall_await(struct signcalls *calls, const char *bundle, int64_t deadline_ns,
                                  struct world_call *out, struct errc_why *why);

/* The last call for that bundle, NULL when there is none. */
const struct signcall *signcall_find(const struct signcalls *calls, const char *bundle);

/* Appends what was asked to be signed (WORLD_ASKED). ERRC_NOT_FOUND. */
MUST_USE enum errc signcall_asked(const struct signcalls *calls, const char *bundle,
                                  struct buf *out, struct errc_why *why);
