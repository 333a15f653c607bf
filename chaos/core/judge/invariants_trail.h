/*
 * invariants_trail: what the audit trail must be in itself and towards the
 * callers. See invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants_case.h"

void invariants_trail_intent(const struct invariants_case *c);
void invariants_trail_told(const struct invariants_case *c);
void invariants_trail_chain(const struct invariants_case *c);
void invariants_trail_attempts(const struct invariants_case *c);
void invariants_trail_backoff(const struct invariants_case *c);
void invariants_trail_tried(const struct invariants_case *c);
