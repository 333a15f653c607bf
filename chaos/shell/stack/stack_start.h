/*
 * stack_start: from an open stack to a healthy system.
 */
#pragma once

#include "base/errc.h"
#include "chaos/shell/stack/stack.h"

/* Starts everything, as patiently as set-up may take. */
MUST_USE enum errc stack_start(struct stack *stack, struct errc_why *why);
