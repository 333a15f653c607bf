/*
 * invariants_try: how a client tries: how often, how long, and what it waits in
 * between. See invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_try_attempts(struct invariants_case *c);
void invariants_try_backoff(struct invariants_case *c);
void invariants_try_spread(struct invariants_case *c);
void invariants_try_durations(struct invariants_case *c);
