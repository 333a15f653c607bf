/*
 * invariants_mode: which key signed, and whether it was allowed to. See
 * invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_mode_true(struct invariants_case *c);
void invariants_mode_fallback(struct invariants_case *c);
void invariants_mode_refusal(struct invariants_case *c);
void invariants_mode_recovery(struct invariants_case *c);
