/*
 * invariants_decoy: where no client has any business. See invariants.c for what it means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_decoy_lonely(struct invariants_case *c);
