/*
 * exec_before: whether Vault is such that a verb can be carried out at all: what its row needs and
 * excludes (verb.h), compared with what is so.
 *
 * It is asked before anything is done, so that a step that cannot be is told from one that failed.
 */
#pragma once

#include "chaos/shell/world/exec_verbs.h"

/* ERRC_STATE with a sentence when it is not; else what asking Vault's control says. */
MUST_USE enum errc exec_before_vault(const struct exec_run *r, struct errc_why *why);
