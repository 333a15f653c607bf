/*
 * scenario_check: what relates two places of a scenario, which no schema of
 * single fields can tell: names that must have been given before, verbs that do
 * not belong in a phase, arguments that exclude each other.
 */
#pragma once

#include "chaos/core/scenario/check/lint.h"
#include "chaos/core/scenario/scenario.h"

/* Adds what it finds to lint. values: those of verb_scenario_fields(). Requires that the memory
 * sufficed so far. */
void scenario_check(const struct scenario *scenario, const struct scenario_value *values,
                    struct lint *lint);
