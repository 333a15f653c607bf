/*
 * invariants_surface: what is told beside the ledgers is so: health, runs and manifests over HTTP,
 * the verdict over a manifest, the pin.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_surface_true(struct invariants_case *c);
