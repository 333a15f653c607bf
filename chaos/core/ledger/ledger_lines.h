/*
 * ledger_lines: what reading the two ledgers has in common: a file that grows,
 * of which each line is read once, and fields that may be absent but not of
 * another type.
 */
#pragma once

#include <jansson.h>

#include "base/text/buf.h"
#include "chaos/core/ledger/ledger_problems.h"

#define LEDGER_LINES_TAIL_MAX (16u << 20) /* bytes of a line that is not whole yet */

struct ledger_lines {
    const char *file;
    struct pool *pool;
    struct ledger_problems *problems;
    size_t line;       /* of the current one, from 1 */
    uint64_t at, end;  /* byte offsets of the current one, behind its newline */
    uint64_t consumed; /* bytes that were fed: where the next reading begins */
    struct buf tail;   /* a line that has no newline yet */
};

/* Starts at the beginning of the file; pool and problems are lent. */
void ledger_lines_init(struct ledger_lines *l, const char *file, struct pool *pool,
                       struct ledger_problems *problems);
void ledger_lines_done(struct ledger_lines *l);

/* Takes what the file has grown by, and calls `read` for each line that is whole, without its
 * newline, until it says no. ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc ledger_lines_feed(struct ledger_lines *l, struct slice bytes,
                                     enum errc (*read)(void *context, struct slice line),
                                     void *context);

/* Parses a line as an object, which the caller frees. False when it is none; *code tells a lack of
 * memory. */
bool ledger_lines_object(struct slice line, json_t **out, enum errc *code);

/* Makes room for one item more in an array on the heap. ERRC_NOMEM. */
MUST_USE enum errc ledger_lines_room(void **items, size_t *room, size_t count, size_t size);

/* Adds a problem of the current line. */
#define ledger_lines_problem(l, ...)                                                               \
    ledger_problems_add((l)->problems, (l)->pool, (l)->file, (l)->line, __VA_ARGS__)

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
