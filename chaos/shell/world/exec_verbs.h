/*
 * exec_verbs: how each verb of the table (chaos/core/language/verb.h) is carried out on
 * real processes. One row and one function per verb that does something.
 */
#pragma once

#include "base/errc.h"
#include "chaos/core/world.h"
#include "chaos/shell/run/gather.h"
#include "chaos/shell/stack/stack.h"
#include "chaos/shell/world/signcall.h"

struct exec_verbs {
    struct stack *stack;
    struct signcalls *calls;
    struct gather_watch *watch;
};

/* Carries out a step (world.h, act). */
MUST_USE enum errc exec_verbs_run(struct exec_verbs *exec, const struct world_step *step,
                                  struct world_outcome *out, struct errc_why *why);

/* True when there is a function for the verb; all but those that only read evidence have one. */
bool exec_verbs_known(enum verb_id id);
