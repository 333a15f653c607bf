/*
 * ledger_lines: what reading the two files has in common: lines, and fields
 * that may be absent but not of another type.
 */
#pragma once

#include <jansson.h>

#include "chaos/core/ledger/ledger.h"

struct ledger_lines {
    struct slice rest;
    const char *file;
    size_t line; /* of the current one, from 1 */
    struct pool *pool;
    struct ledger_problems *problems;
};

/* Counts the lines, to size an array by. */
size_t ledger_lines_count(struct slice text);

/* Cuts the next line off, without its newline; false at the end. *torn: it has no newline. */
bool ledger_lines_next(struct ledger_lines *l, struct slice *line, bool *torn);

/* Each stores object[field], copied into the pool; leaves *out alone when the field is absent or
 * null, and reports a problem when it is of another type. */
void ledger_lines_text(struct ledger_lines *l, const json_t *object, const char *field,
                       const char **out);
void ledger_lines_int(struct ledger_lines *l, const json_t *object, const char *field,
                      int64_t *out);
void ledger_lines_bool(struct ledger_lines *l, const json_t *object, const char *field, bool *out);
void ledger_lines_stamp(struct ledger_lines *l, const json_t *object, const char *field,
                        int64_t *out);
void ledger_lines_texts(struct ledger_lines *l, const json_t *object, const char *field,
                        const char ***out, size_t *count);

/* The same, but an absent field is a problem too; false then. */
bool ledger_lines_must(struct ledger_lines *l, const json_t *object, const char *field);
