/*
 * invariants_mode: which key signed, and whether it might. See invariants.c for
 * what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants_case.h"

void invariants_mode_true(const struct invariants_case *c);
void invariants_mode_fallback(const struct invariants_case *c);
void invariants_mode_refusal(const struct invariants_case *c);
void invariants_mode_recovery(const struct invariants_case *c);
void invariants_mode_fingerprint(const struct invariants_case *c);
void invariants_mode_secrets(const struct invariants_case *c);
