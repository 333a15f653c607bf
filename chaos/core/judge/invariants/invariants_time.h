/*
 * invariants_time: whether the stamps of the trail can be true, held against the
 * journal and the callers. See invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

/* Looks whether the client's clock is off by the same time throughout; then that is one finding,
 * and the stamps of its entries are set right for all that is judged later. Before all others. */
void invariants_time_clock(struct invariants_case *c, struct evidence *evidence);

void invariants_time_entries(struct invariants_case *c);
void invariants_time_attempts(struct invariants_case *c);
