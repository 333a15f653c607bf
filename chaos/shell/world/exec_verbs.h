/*
 * exec_verbs: how the verbs of the actors (chaos/core/actors/actors.h) are carried out on
 * real processes: one file per actor that does something (do_vault.c...), with a row and a
 * function per verb.
 */
#pragma once

#include "base/errc.h"
#include "chaos/core/world.h"
#include "chaos/shell/stack/stack.h"
#include "chaos/shell/world/gather.h"
#include "chaos/shell/world/signcall.h"

struct exec_verbs {
    struct stack *stack;
    struct signcalls *calls;
    struct gather_watch *watch;
};

/* One step under way. */
struct exec_run {
    struct exec_verbs *exec;
    struct stack *stack;
    const struct world_step *at;
    const struct scenario_step *step;
    struct world_outcome *out;
};

struct exec_verb {
    const char *name; /* as in the actor's table; NULL: its only one */
    enum errc (*run)(const struct exec_run *r, struct errc_why *why);
};

struct exec_actor {
    const char *name;
    const struct exec_verb *verbs;
    size_t verb_count;
    bool needs_vault; /* acts on Vault: what a row needs and excludes is Vault's condition */
};

extern const struct exec_actor do_vault, do_service, do_command, do_trust, do_fallback_key,
    do_trail, do_publish, do_sign, do_wait_for, do_status;

/* Carries out a step (world.h, act). */
MUST_USE enum errc exec_verbs_run(struct exec_verbs *exec, const struct world_step *step,
                                  struct world_outcome *out, struct errc_why *why);

/* Returns one of those that act, in no particular order; NULL: there are no more. */
const struct exec_actor *exec_verbs_actor(size_t i);

/* What a verb of several calls reports: ERRC_STATE means that nothing was done (world.h, act), and
 * behind the first call that cannot be said any more. */
MUST_USE enum errc exec_verbs_on_the_way(enum errc code);

/* Writes what happened, in a few words. */
void exec_verbs_note(const struct exec_run *r, const char *format, ...) PRINTF_LIKE(2, 3);
