/*
 * invariants_secret: what must stand in no file and no answer. See invariants.c
 * for what it means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_secret_none(struct invariants_case *c);
