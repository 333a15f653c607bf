/*
 * world_live: the world of real processes on loopback (chaos/core/world.h).
 */
#pragma once

#include "base/errc.h"
#include "chaos/core/world.h"
#include "chaos/shell/run/runfiles.h"
#include "chaos/shell/stack/stack.h"
#include "chaos/shell/world/exec_verbs.h"
#include "chaos/shell/world/gather.h"
#include "chaos/shell/world/growth.h"
#include "chaos/shell/world/signcall.h"
#include "chaos/shell/world/survey.h"

struct world_live {
    struct stack_options options;
    struct stack stack;
    struct signcalls calls;
    struct gather_watch watch;
    struct survey survey;
    struct exec_verbs exec;
    struct runfiles files;
    struct growth growth;
    struct scenario_pair environment[ENVMAP_MAX]; /* lent to the core */
    int interrupts;                               /* noticed so far */
    bool open;                                    /* stack and calls are to be closed */
    void (*progress)(void *context, const struct world_progress *progress);
    void *progress_context;
};

/* Fills the port; the options are lent until close. */
void world_live_init(struct world_live *live, const struct stack_options *options,
                     struct world *port);

/* Ends what still runs and frees. */
void world_live_close(struct world_live *live);
