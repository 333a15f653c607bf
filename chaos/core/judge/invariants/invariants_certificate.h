/*
 * invariants_certificate: a Vault that cannot prove who it is. See invariants.c for what it means.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_certificate_distrusted(struct invariants_case *c);
