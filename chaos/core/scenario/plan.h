/*
 * plan: the resolved steps of a scenario in the order in which they are run.
 *
 *     sealed: a sealed Vault makes the signer fall back
 *     stack: vault (storage file, 3 of 5 shares), api, worker
 *
 *     steady state
 *       1  line 10  sign via api, expect mode vault, attempts 1
 *     method
 *       2  line 12  vault seal                                    fault: sealed
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/scenario/scenario.h"

struct plan_step {
    size_t number; /* from 1; the steady state keeps its numbers when it is run again */
    const struct scenario_step *step;
    const char *text; /* one line, without the number */
};

struct plan {
    struct plan_step *steps; /* steady state, method, rollback, expect */
    size_t count;
};

/* Resolves a scenario; what it makes lives in the scenario's pool. ERRC_NOMEM. */
MUST_USE enum errc plan_make(struct scenario *scenario, struct plan *out, struct errc_why *why);

/* Appends the plan as text for people. */
void plan_format(const struct plan *plan, const struct scenario *scenario, struct buf *out);

/* Returns the index of the sign step that is called `name`, or plan->count. */
size_t plan_find_sign(const struct plan *plan, const char *name);
