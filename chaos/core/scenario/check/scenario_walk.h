/*
 * scenario_walk: goes through method and rollback with the condition of Vault and of each service,
 * and says which steps make no sense where they stand: what they need is certainly not so
 * (verb.h, needs), or what excludes them certainly is.
 *
 * It begins healthy and takes every step to succeed. What a rule may have brought about
 * (condition.h, maybe) is never held against a step.
 *
 *     - vault: kill
 *     - vault: seal      vault does not run here (line 8 ended it): start it first
 */
#pragma once

#include "chaos/core/scenario/check/check.h"

/* Adds what it finds. Requires a scenario without any other mistake. */
void scenario_walk(struct check *c);
