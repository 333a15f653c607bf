/*
 * invariants_time: whether the trail's times can be true. Only what follows from cause and effect
 * is asked: a request is journaled behind the start of its attempt and before the end of the wait
 * behind its answer, however late anybody was scheduled. See invariants.c.
 */
#pragma once

#include "chaos/core/judge/invariants_case.h"

void invariants_time_entries(const struct invariants_case *c);
void invariants_time_attempts(const struct invariants_case *c);
