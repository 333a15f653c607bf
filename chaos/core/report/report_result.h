/*
 * report_result: reads back from a result.json what other reports of the run are made from.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/report/report_junit.h"
#include "chaos/core/scenario/pool.h"

struct report_result {
    json_t *root; /* owns the texts */
    struct pool pool;
    struct report_junit_run run;
};

/* Fills *out, whose report_result_done is due in any case. ERRC_SYNTAX, ERRC_SCHEMA, ERRC_NOMEM. */
MUST_USE enum errc report_result_read(struct slice text, struct report_result *out,
                                      struct errc_why *why);

/* Fits CLEANUP. */
void report_result_done(struct report_result *result);
