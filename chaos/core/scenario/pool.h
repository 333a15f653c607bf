/*
 * pool: many small things with one end: they are freed together.
 *
 * A scenario, a plan, the ledgers of a run each own one. It has a maximum, so
 * that no input can make it grow without bound; when the maximum or the memory
 * is reached, it says NULL from then on and remembers that it failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/text/slice.h"

struct pool_chunk;

struct pool {
    struct pool_chunk *chunks;
    size_t used; /* bytes handed out */
    size_t max;
    bool failed;
};

/* Starts an empty pool of at most max bytes; allocates nothing. */
void pool_init(struct pool *p, size_t max);

/* Frees everything; the pool is empty again. NULL allowed. Fits CLEANUP(pool_done). */
void pool_done(struct pool *p);

/* Returns `size` zeroed bytes, aligned for anything, or NULL. */
void *pool_new(struct pool *p, size_t size);

/* Returns room for `count` zeroed items of `size` bytes, or NULL. */
void *pool_array(struct pool *p, size_t count, size_t size);

/* Returns a copy with a NUL, or NULL. */
char *pool_text(struct pool *p, struct slice text);

/* Returns formatted text, or NULL. */
char *pool_format(struct pool *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* ERRC_OK, or ERRC_TOO_BIG / ERRC_NOMEM once anything was refused. */
MUST_USE enum errc pool_status(const struct pool *p, struct errc_why *why);
