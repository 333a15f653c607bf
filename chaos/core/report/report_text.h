/*
 * report_text: a run for people: timeline.txt, and the findings by themselves.
 */
#pragma once

#include "base/text/buf.h"
#include "chaos/core/judge/judgement.h"

void report_text_timeline(const struct judgement *run, struct buf *out);
void report_text_findings(const struct judgement *run, struct buf *out);
