/*
 * invariants_log: what a signer logs is what its trail has.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_log_lines(struct invariants_case *c);
