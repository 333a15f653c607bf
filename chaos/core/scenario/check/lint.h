/*
 * lint: what is wrong with a scenario, place by place.
 *
 * A finding prints as `file:line:column: field: reason`, the form that editors
 * and CI understand, e.g.
 *     sealed.yaml:14:25: method[1].sign.expect.mode: "fallbck" is unknown, did you mean "fallback"?
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/text/buf.h"

#define LINT_MAX 50u /* findings of one file; behind them one line says how many more */
#define LINT_FIELD_BYTES 160u

struct lint_finding {
    size_t line, column;          /* from 1; column counts characters */
    char field[LINT_FIELD_BYTES]; /* dotted path; empty for the file as a whole */
    struct errc_why reason;
};

struct lint {
    struct lint_finding *items;
    size_t count;
    size_t dropped; /* beyond LINT_MAX */
    bool failed;    /* out of memory */
};

/* A zeroed struct is an empty lint. */
void lint_done(struct lint *lint);

/* Adds a finding. */
void lint_add(struct lint *lint, size_t line, size_t column, const char *field, const char *format,
              ...) PRINTF_LIKE(5, 6);

/* Puts the findings in the order of the file. */
void lint_sort(struct lint *lint);

/* Appends one line per finding. */
void lint_format(const struct lint *lint, const char *file, struct buf *out);
