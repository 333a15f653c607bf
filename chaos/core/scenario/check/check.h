/*
 * check: what the checks of single verbs work with (verb.h, check): the
 * scenario around a step, and how to complain about one of its places.
 */
#pragma once

#include <stdbool.h>

#include "chaos/core/scenario/check/lint.h"
#include "chaos/core/scenario/scenario.h"

struct check {
    const struct scenario *scenario;
    struct lint *lint;
};

/* Complains at a value of a step: its verb's own argument, a field, or an expectation. */
void check_value(struct check *c, const struct scenario_step *step,
                 const struct scenario_value *value, const char *format, ...) PRINTF_LIKE(4, 5);

/* Complains at the step as a whole. */
void check_step(struct check *c, const struct scenario_step *step, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Complains at one pair of a map of the step. */
void check_pair(struct check *c, const struct scenario_step *step,
                const struct scenario_value *value, const struct scenario_pair *pair,
                const char *format, ...) PRINTF_LIKE(5, 6);

/* True when the step has the field and the file gives it. */
bool check_given(const struct scenario_step *step, const char *name);

/* Returns the last step ahead of this one, in the order of the file's sections, for which is(c,
 * step) holds, or NULL. */
const struct scenario_step *check_before(const struct check *c, const struct scenario_step *step,
                                         bool (*is)(const struct check *c,
                                                    const struct scenario_step *step));

/* Returns the sign step called name that comes before `until` (NULL: anywhere), or NULL. */
const struct scenario_step *check_named(const struct check *c, const char *name,
                                        const struct scenario_step *until);
