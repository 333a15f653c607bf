/*
 * report: a run in words, for people and for machines. Writing files is the
 * shell's.
 */
#pragma once

#include <stddef.h>

#include "base/text/buf.h"
#include "chaos/core/judge/judgement.h"

#define REPORT_VERSION 1 /* of result.json */

/* result.json: indented by nothing, one object and a newline. */
void report_format_result(const struct judgement *run, struct buf *out);

/* history.ndjson: one line per step start, step end, call and finding, in the order of time. */
void report_format_history(const struct judgement *run, struct buf *out);

/* timeline.txt: time offset, actor, what happened, and where the ledgers say so. */
void report_format_timeline(const struct judgement *run, struct buf *out);

/* junit.xml: one suite, one case per step and one for the invariants. */
void report_format_junit(const struct judgement *run, struct buf *out);

/* What a person reads first when a run did not pass: one line per finding, worst first. Empty for a
 * pass. */
void report_format_findings(const struct judgement *run, struct buf *out);
