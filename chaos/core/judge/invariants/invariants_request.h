/*
 * invariants_request: what else a client does to Vault while nobody asked it to.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_request_unasked(struct invariants_case *c);
