/*
 * verb_stack: the fields of a scenario outside its steps. Data behind verb.h.
 */
#pragma once

#include "chaos/core/language/verb.h"

extern const struct verb_field verb_stack_scenario[]; /* ends with a NULL name */
