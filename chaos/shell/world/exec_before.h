/*
 * exec_before: whether Vault is such that a verb can be carried out at all: what its row needs and
 * excludes (verb.h), compared with what is so.
 *
 * It is asked before anything is done, so that a step that cannot be is told from one that failed.
 */
#pragma once

#include "base/errc.h"
#include "chaos/core/language/verb.h"
#include "chaos/shell/stack/stack.h"

/* ERRC_STATE with a sentence when it is not; else what asking Vault's control says. */
MUST_USE enum errc exec_before_vault(struct stack *stack, const struct verb *verb,
                                     struct errc_why *why);
