/*
 * invariants_server: whether the server's ledger and the client's tell the same
 * story. See invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants_case.h"

void invariants_server_explained(const struct invariants_case *c);
void invariants_server_reached(const struct invariants_case *c);
void invariants_server_statuses(const struct invariants_case *c);
void invariants_server_executed(const struct invariants_case *c);
