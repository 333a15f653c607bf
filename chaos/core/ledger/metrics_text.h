/*
 * metrics_text: finds a sample in Prometheus' text format.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text/slice.h"
#include "chaos/core/scenario/scenario.h"

/*
 * Finds the sample of that name that carries all the given labels (it may carry
 * more) and stores its value as text, e.g. "1" or "0.25". False without one.
 *
 *     signing_total{mode="vault"} 3     name signing_total, mode=vault -> "3"
 */
bool metrics_text_find(struct slice text, const char *name, const struct scenario_pair *labels,
                       size_t label_count, struct slice *value);
