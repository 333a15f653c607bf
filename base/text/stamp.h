/*
 * stamp: points in time as RFC 3339 text in UTC, and back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text/slice.h"

#define STAMP_BYTES 40 /* longest text with its NUL */

enum stamp_style {
    STAMP_NANO,    /* 2026-11-23T18:11:46.081212230Z: always nine digits; sorts as
                      text */
    STAMP_GO_NANO, /* Go's RFC3339Nano: trailing zeros of the fraction dropped,
                      also the point */
    STAMP_MILLI,   /* 2026-11-23T18:11:46.081Z */
};

/* Writes wall_ns (nanoseconds since 1970, years 1970..9999). */
void stamp_format(int64_t wall_ns, enum stamp_style style, char out[static STAMP_BYTES]);

/* Reads any of the styles, and numeric offsets. False when it is none. */
bool stamp_parse(struct slice text, int64_t *wall_ns);
