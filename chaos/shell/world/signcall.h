/*
 * signcall: has bundles signed, by a service or by the command, and tells what
 * the signer told its caller.
 *
 * A call may stay in the background; it is found again by its index in the
 * record, since two calls may be about one bundle. Bundles are made from the
 * run's seed: the same seed, the same bundles.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "base/prng.h"
#include "chaos/core/subject/subject_bundle.h"
#include "chaos/core/world.h"
#include "chaos/shell/stack/stack.h"

#define SIGNCALL_GRACE_MS 30000 /* beyond its own total time, before a signer counts as hanging */
#define SIGNCALL_PATIENCE_MAX_MS 300000 /* for one call, whatever its environment allows */

struct signcall {
    size_t id; /* world_step.call */
    char via[16];
    const struct scenario_step *step;
    bool first;                   /* that asked for this bundle */
    struct subject_bundle bundle; /* what is asked for */
    struct world_call told;
    int64_t allowed_ms;  /* by its environment */
    struct proc command; /* of the command while it runs */
    char out_path[LIMIT_PATH_BYTES];
};

/* Gets what a signer answered to a call, as it came; the sample is lent. */
struct signcall_watcher {
    void (*answered)(void *context, const struct world_sample *sample); /* NULL: nobody */
    void *context;
};

struct signcalls {
    struct stack *stack;
    struct signcall_watcher watcher;
    struct prng prng; /* of the bundles */
    struct signcall *items;
    size_t count, room;
};

MUST_USE enum errc signcall_open(struct signcalls *calls, struct stack *stack,
                                 struct errc_why *why);
void signcall_close(struct signcalls *calls); /* ends commands that still run */

/*
 * Carries out a sign step; its `bundle` names an earlier one to be signed again (NULL: a new one).
 * Waits for its end unless the step says background. A refusal is an outcome. ERRC_UNAVAILABLE: the
 * service does not answer; ERRC_TIMEOUT: no end within the signer's own total time and some grace,
 * or SIGNCALL_PATIENCE_MAX_MS.
 */
MUST_USE enum errc signcall_begin(struct signcalls *calls, const struct world_step *step,
                                  struct world_call *out, struct errc_why *why);

/* Waits for the end of a call (world_step.call). ERRC_TIMEOUT, ERRC_UNAVAILABLE, ERRC_NOT_FOUND. */
MUST_USE enum errc signcall_await(struct signcalls *calls, size_t id, int64_t deadline_ns,
                                  struct world_call *out, struct errc_why *why);

/* That call, NULL when there is none; valid until the next one begins. */
const struct signcall *signcall_find(const struct signcalls *calls, size_t id);

/* Appends what was asked to be signed (WORLD_ASKED). ERRC_NOT_FOUND. */
MUST_USE enum errc signcall_asked(const struct signcalls *calls, const char *bundle,
                                  struct buf *out, struct errc_why *why);
