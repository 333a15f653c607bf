/*
 * invariants_metric: the metrics of a service count what its trail has.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_metric_counted(struct invariants_case *c);
