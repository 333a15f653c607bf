/*
 * logline: one log line of key=value pairs, e.g.
 *
 *     ts=2026-11-23T18:11:46.081Z level=info actor=api event=signed signing_mode=vault
 *
 * A value with a blank, quote, '=', or control character is written as a JSON string, in which what
 * a terminal would obey is escaped (printable.h). Writing it
 * out is the shell's.
 */
#pragma once

#include <stdint.h>

#include "base/text/buf.h"

struct logline {
    struct buf *out;
};

/* Starts a line; level and event are plain words. */
void logline_begin(struct logline *l, struct buf *out, int64_t wall_ns, const char *level,
                   const char *actor, const char *event);
void logline_add(struct logline *l, const char *key, const char *value); /* NULL adds nothing */
void logline_add_int(struct logline *l, const char *key, int64_t value);
/* Ends the line with its newline. */
void logline_end(struct logline *l);
