/*
 * buf: bytes that grow, born with a maximum.
 *
 * A failed append (over the maximum, or out of memory) changes nothing but sets
 * `failed`; later appends do nothing, so that a writer may append a whole
 * document and ask once at the end. What a buf leaves behind, also when it grows, is wiped, all of
 * its memory: it may have carried a key, and no caller has to think of that. buf_take hands the
 * bytes over. A buf is always NUL-terminated behind its bytes when ptr is not NULL.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"

struct buf {
    char *ptr; /* NULL while empty */
    size_t len;
    size_t cap;
    size_t max; /* bytes without the NUL */
    bool failed;
};

/* Starts an empty buf that may hold max bytes; allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Wipes and frees the bytes; b is empty again with the same maximum. NULL allowed. Fits
 * CLEANUP(buf_done). */
void buf_done(struct buf *b);

/* Empties b and keeps its memory; clears `failed`. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_add_int(struct buf *b, int64_t value); /* in decimal */
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Makes room for len more bytes and returns where they go, or NULL. Follow with
 * buf_commit. */
char *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);

/* ERRC_OK, or ERRC_TOO_BIG / ERRC_NOMEM once any append failed. */
MUST_USE enum errc buf_status(const struct buf *b, struct errc_why *why);

/* Borrows what is in b; valid until the next change. */
struct slice buf_slice(const struct buf *b);

/* Returns the text with its NUL ("" when empty); valid until the next change.
 */
const char *buf_text(const struct buf *b);

/* Hands the bytes over; the caller frees them. b is empty afterwards. NULL when
 * a previous append failed or out of memory. */
char *buf_take(struct buf *b, size_t *len);
