/*
 * stderrlog: one log line, one write(2), so that lines of several threads and processes do not
 * mix. Levels: info, warn, error.
 */
#pragma once

#include "base/clock.h"
#include "base/text/buf.h"
#include "base/text/logline.h"

struct stderrlog {
    struct clock clock;
    const char *actor; /* "cli", "api", "worker" */
};

/* A line under way; owned by the caller, between begin and end. */
struct stderrlog_line {
    struct buf text;
    struct logline line;
};

void stderrlog_begin(const struct stderrlog *log, struct stderrlog_line *line, const char *level,
                     const char *event);
/* Writes the line and frees it. A log that cannot be written stops nothing. */
void stderrlog_end(struct stderrlog_line *line);
