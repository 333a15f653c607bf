/*
 * invariants_claim: whether the trail's entries are what they must be: whole, about what was asked
 * for, and without contradiction in themselves. See invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants_case.h"

void invariants_claim_fields(const struct invariants_case *c);
void invariants_claim_asked(const struct invariants_case *c);
void invariants_claim_classes(const struct invariants_case *c);
