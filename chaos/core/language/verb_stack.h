/*
 * verb_stack: the fields of a scenario outside its steps, and the variables
 * that a signer knows. Data behind verb.h.
 */
#pragma once

#include "chaos/core/language/verb.h"

extern const struct verb_field verb_stack_scenario[]; /* ends with a NULL name */
extern const char *const verb_stack_variables[];      /* ends with NULL */
