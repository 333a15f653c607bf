/*
 * invariants_key: who may sign when. See invariants.c for what it means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_key_lawful(struct invariants_case *c);
