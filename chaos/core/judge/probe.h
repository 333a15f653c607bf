/*
 * probe: what the looks of single verbs work with (verb.h, probe), and the way
 * to let a verb look.
 *
 * A probe reads evidence through the judge's world, says what does not hold, and sets the result.
 */
#pragma once

#include "chaos/core/judge/judge.h"

struct probe {
    const struct judge *judge;
    const struct scenario_step *step;
    const struct world_outcome *outcome; /* of a verb that asks first, else NULL */
    const char *bundle;                  /* of `of`, or NULL */
    enum judge_result result;
    struct errc_why *why;
};

/* Judges a step that observes. outcome: of a verb that asks the world first, else NULL. */
MUST_USE enum errc probe_run(const struct judge *j, const struct scenario_step *step,
                             const struct world_outcome *outcome, enum judge_result *out,
                             struct errc_why *why);

/* Says what does not hold: what was expected, and what was found. */
void probe_fail(struct probe *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* Says why it cannot be told. */
void probe_unknown(struct probe *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* True when nothing is wanted, or just that. found may be NULL. */
bool probe_wants(const char *wanted, const char *found);

/* Counted lines of a ledger. */
struct probe_tally {
    int64_t count;
    size_t lines[4]; /* the last ones that were counted */
};

void probe_count(struct probe_tally *tally, size_t line);

/* Compares the count with a field of the step, if that is given. what: "sign requests". */
void probe_compare_count(struct probe *p, const char *field, const char *what,
                         const struct probe_tally *tally, const char *file);
