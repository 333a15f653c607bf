/*
 * waits: how much of a run was waiting by design, as the trail tells it.
 *
 * Before each attempt lies the wait that was asked for, and an attempt that
 * lasted as long as it may is a wait, too. Calls that ran at the same time
 * waited at the same time: what counts is the union, within the run.
 *
 *     one   |-wait-|attempt|---wait---|       8 + 10, from 0 and from 12
 *     two       |-wait-|                      8, from 4
 *     union |----------|   |----------|       12 + 10
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/subject/subject.h"

/* Sets *out to the milliseconds of waiting in from_ns..to_ns (wall clock), at most as many as that
 * is long. ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc waits_measure(struct slice trail, const struct subject *subject, int64_t from_ns,
                                 int64_t to_ns, int64_t *out, struct errc_why *why);
