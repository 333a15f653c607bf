/*
 * summary: what a whole `chaos run` leaves for machines: one JUnit file, one
 * JSON document.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/shell/run/schedule.h"

/* Appends one JUnit document of all scenarios: the suites that the runs wrote, and one with an
 * error for a run that could not write its own. ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc summary_format_junit(const struct schedule *schedule, struct buf *out,
                                        struct errc_why *why);

/* Appends {"version","exit","seed","wall_ms","scenarios":[{"name","file","purpose","verdict",
 * "wall_ms","wait_ms","folder","result":{result.json}}]} and a newline. */
MUST_USE enum errc summary_format_json(const struct schedule *schedule, int exit_code,
                                       uint64_t seed, int64_t wall_ms, struct buf *out,
                                       struct errc_why *why);
