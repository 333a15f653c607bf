/*
 * invariants_server: what the server saw against what the client says of it. See
 * invariants.c for what each one means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_server_explained(struct invariants_case *c);
void invariants_server_numbered(struct invariants_case *c);
void invariants_server_reached(struct invariants_case *c);
void invariants_server_statuses(struct invariants_case *c);
void invariants_server_executed(struct invariants_case *c);
