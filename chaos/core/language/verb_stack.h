/*
 * verb_stack: the fields of a scenario outside its steps.
 */
#pragma once

#include "chaos/core/language/verb.h"

/* The fields of a whole scenario: version, purpose, tags, stack, and the four lists of steps. */
const struct verb_field *verb_scenario_fields(void);
