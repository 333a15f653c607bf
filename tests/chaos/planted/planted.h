/*
 * planted: violations of the invariants, each with what its finding must say: one table per topic.
 */
#pragma once

#include <stdbool.h>

#include "tests/chaos/fake/fake_world.h"

struct planted {
    const char *name;     /* NULL: the end of a table */
    const char *rule;     /* that must be broken */
    const char *text;     /* that its finding must contain */
    const char *scenario; /* NULL: planted_sealed */
    void (*set)(struct fake_world *f);
    struct fake_world_edit edit;
    bool only; /* no other invariant is broken */
};

#define DROP(what, at)                                                                             \
    {                                                                                              \
        .file = what, .line = at, .from = NULL, .to = NULL                                         \
    }
#define SWAP(what, at, old, new)                                                                   \
    {                                                                                              \
        .file = what, .line = at, .from = old, .to = new                                           \
    }

/* Lines of the trail: 1, 2 steady state; 3, 4 the outage; 5, 6 steady state again. Of the journal:
 * 1 start; 2, 3 steady state; 4..9 three refusals; 10, 11 steady state again. */
extern const char planted_sealed[];
extern const char planted_sealed_off[];   /* without the fallback key */
extern const char planted_sealed_often[]; /* with four calls */

extern const struct planted planted_input[]; /* what was asked for, and of whom */
extern const struct planted planted_sign[];  /* with which key; secrets */
extern const struct planted planted_time[];  /* when, and for how long */
extern const struct planted planted_trail[]; /* entries, and what callers were told */
extern const struct planted planted_try[];   /* how often, why, and what followed */
