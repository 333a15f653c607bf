/*
 * invariants_input: what a client must refuse without asking Vault: bundles that contradict
 * themselves or what was asked before, and an environment that is none. See invariants.c for what
 * they mean.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_input_refused(struct invariants_case *c);
void invariants_input_environment(struct invariants_case *c);
