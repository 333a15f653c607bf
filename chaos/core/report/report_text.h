/*
 * report_text: a run for people: timeline.txt, and the findings by themselves.
 */
#pragma once

#include "base/text/buf.h"
#include "chaos/core/runner.h"

void report_text_timeline(const struct runner *run, struct buf *out);
void report_text_findings(const struct runner *run, struct buf *out);
