/*
 * invariants_claim: what the entries of the trail claim, field by field. See
 * invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_claim_fields(struct invariants_case *c);
void invariants_claim_values(struct invariants_case *c);
void invariants_claim_reason(struct invariants_case *c);
void invariants_claim_asked(struct invariants_case *c);
void invariants_claim_classes(struct invariants_case *c);
