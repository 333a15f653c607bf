/*
 * audit_lines: what is to be written for one request or one answer: a line for each device.
 */
#pragma once

#include "base/text/buf.h"
#include "fakevault/core/audit/audit_table.h"

struct audit_line {
    struct audit_device *device; /* a reference */
    struct buf text;
};

struct audit_lines {
    struct audit_line *items; /* NULL: nothing is to be written */
    size_t count;
};

/* A line for each device of the table; their texts are still empty. ERRC_NOMEM. */
MUST_USE enum errc audit_lines_new(const struct audit_table *t, struct audit_lines *out);

/* Blocks. Writes them all. True when there was nothing to write, or at least one device took it. */
bool audit_lines_write(const struct audit_lines *lines);

void audit_lines_done(struct audit_lines *lines);
