/*
 * verdict: what a run is worth, and the exit code for it.
 *
 * A run collects findings; each raises one flag. The worst flag is the verdict
 * of the scenario; all stay visible. Over several scenarios the exit code is
 * that of the first that occurred in the order of docs/exit-codes.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/scenario/pool.h"

/* From best to worst. */
enum verdict {
    VERDICT_PASS,
    VERDICT_SKIPPED,       /* not selected, or not possible here */
    VERDICT_NOT_EXERCISED, /* a declared fault was never met */
    VERDICT_NOT_STARTED,   /* no steady state before the method */
    VERDICT_UNKNOWN,       /* evidence is missing */
    VERDICT_DIRTY,         /* the rollback did not restore the steady state */
    VERDICT_FAIL,          /* an expectation or an invariant does not hold */
    VERDICT_INTERRUPTED,   /* the user stopped it */
    VERDICT_INTERNAL,      /* trouble of chaos's own */
    VERDICT_COUNT
};

enum verdict_exit {
    VERDICT_EXIT_PASS = 0,
    VERDICT_EXIT_FAIL = 1,
    VERDICT_EXIT_UNKNOWN = 2,
    VERDICT_EXIT_NOT_STARTED = 3,
    VERDICT_EXIT_DIRTY = 4,
    VERDICT_EXIT_NOT_EXERCISED = 5,
    VERDICT_EXIT_USAGE = 64,
    VERDICT_EXIT_SCENARIO = 65,
    VERDICT_EXIT_INTERNAL = 70,
    VERDICT_EXIT_SKIPPED = 77,
    VERDICT_EXIT_INTERRUPTED = 130,
};

/* One reason for a flag. */
struct verdict_finding {
    enum verdict flag;
    const char *rule; /* what was broken: an invariant's name, "expectation", "step", "fault" */
    size_t step;      /* number in the plan; 0: the run as a whole */
    const char *text; /* expected, actual, where */
};

/* Findings of one run. The texts live in the pool of the run. */
struct verdict_list {
    struct verdict_finding *items;
    size_t count, cap;
    uint32_t flags; /* bit 1u << enum verdict */
    bool failed;    /* out of memory; the verdict then is VERDICT_INTERNAL */
};

/* Fits CLEANUP; a zeroed struct is an empty list. */
void verdict_done(struct verdict_list *list);

/* Adds a finding; its text is kept in pool. */
void verdict_add(struct verdict_list *list, struct pool *pool, enum verdict flag, const char *rule,
                 size_t step, const char *format, ...) PRINTF_LIKE(6, 7);

/* Returns the worst flag; VERDICT_PASS without any. */
enum verdict verdict_worst(const struct verdict_list *list);

/* "pass", "not exercised", … */
const char *verdict_name(enum verdict verdict);

/* One sentence on what it means. */
const char *verdict_meaning(enum verdict verdict);

/* The exit code of one scenario that ended so. */
int verdict_exit_code(enum verdict verdict);

/* The exit code over several; 77 when all were skipped, also for none. */
int verdict_exit_of_all(const enum verdict *all, size_t count);

/* Appends docs/exit-codes.md, made from the table. */
void verdict_format_exit_codes(struct buf *out);
