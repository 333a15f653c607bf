/*
 * report_junit: a run as JUnit XML, one suite. Every case is there once, whatever was run twice; a
 * finding about the run as a whole has a case of its own.
 *
 * It is made from what result.json holds, so that a run that is over can be told again from there
 * (report_result.h), in the same words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text/buf.h"
#include "chaos/core/judge/judgement.h"

#define REPORT_JUNIT_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

struct report_junit_step {
    size_t number; /* in the plan */
    bool again, skipped;
    const char *text;
    int64_t took_ms;
};

struct report_junit_run {
    const char *scenario;
    const char *verdict; /* verdict_name */
    const char *seed;    /* in decimal */
    const char *started; /* RFC 3339 */
    int64_t took_ms;
    const struct report_junit_step *steps;
    size_t step_count;
    const struct verdict_finding *findings;
    size_t finding_count;
};

/* Appends the suite, without white space before it. */
void report_junit_suite(const struct report_junit_run *run, struct buf *out);

/* Appends a suite for a scenario without a result: its one case is skipped, or an error. */
void report_junit_substitute(const char *scenario, enum verdict verdict, struct buf *out);

/* Appends junit.xml of one run. */
void report_junit_document(const struct judgement *judgement, struct buf *out);
