/*
 * api_prefer: the `wait` preference of a request (RFC 7240 section 4.3).
 *
 *     Prefer: respond-async, Wait = "10"; x=y, wait=99      -> 10 (the first one counts)
 *     Prefer: wait=soon                                      -> none: a preference that is not
 *                                                               understood is ignored
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text/slice.h"

/* Reads the value of one or more Prefer headers (joined by commas). False when none asks to wait.
 * Seconds over `max` come back as `max`. */
bool api_prefer_wait(struct slice header, uint64_t max, uint64_t *seconds);
