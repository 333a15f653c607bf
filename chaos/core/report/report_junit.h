/*
 * report_junit: runs as JUnit XML. Every case is there once, whatever was run
 * twice; a finding about the run as a whole has a case of its own.
 */
#pragma once

#include <stddef.h>

#include "base/text/buf.h"
#include "chaos/core/judge/judgement.h"

void report_junit_suites(const struct judgement *const runs[], size_t count, struct buf *out);
