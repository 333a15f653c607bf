/*
 * waits: how much of a run was waiting by design, as trail and record tell it.
 *
 * Before each attempt lies the wait that was asked for, and an attempt that
 * lasted as long as it may is a wait, too; so is a probe that the scenario lets
 * wait (`within_ms`). What happened at the same time counts once: the union,
 * within the run.
 *
 *     one   |-wait-|attempt|---wait---|       8 + 10, from 0 and from 12
 *     two       |-wait-|                      8, from 4
 *     union |----------|   |----------|       12 + 10
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/record.h"

/* Sets *out to the milliseconds of waiting in the run, at most as many as it lasted. ERRC_NOMEM,
 * ERRC_TOO_BIG. */
MUST_USE enum errc waits_measure(struct slice trail, const struct record *record, int64_t *out,
                                 struct errc_why *why);
