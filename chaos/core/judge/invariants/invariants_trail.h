/*
 * invariants_trail: what the audit trail must be in itself and towards the
 * callers. See invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_trail_intent(struct invariants_case *c);
void invariants_trail_told(struct invariants_case *c);
void invariants_trail_chain(struct invariants_case *c);
void invariants_trail_tried(struct invariants_case *c);

/* The code of the error that a FAILED entry must be told as; NULL: any. */
const char *invariants_trail_error_of(const struct ledger_entry *entry);
