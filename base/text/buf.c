#include "base/text/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/wipe.h"

void buf_init(struct buf *b, size_t max)
{
    CHECK(max < SIZE_MAX / 2);
    *b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
    if (b == NULL)
        return;
    wipe_free(b->ptr);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->ptr != NULL)
        b->ptr[0] = '\0';
}

static bool grow(struct buf *b, size_t need)
{
    size_t cap = b->cap == 0 ? 128 : b->cap;
    while (cap < need)
        cap *= 2;
    char *ptr = wipe_realloc(b->ptr, cap);
    if (ptr == NULL)
        return false;
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

char *buf_reserve(struct buf *b, size_t len)
{
    if (b->failed)
        return NULL;
    if (len > b->max - b->len || (b->len + len + 1 > b->cap && !grow(b, b->len + len + 1))) {
        b->failed = true;
        return NULL;
    }
    return b->ptr + b->len;
}

void buf_commit(struct buf *b, size_t len)
{
    CHECK(b->len + len < b->cap);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *room = buf_reserve(b, len);
    if (room == NULL)
        return;
    if (len > 0)
        memcpy(room, bytes, len);
    buf_commit(b, len);
}

void buf_add_slice(struct buf *b, struct slice s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_add_int(struct buf *b, int64_t value)
{
    char digits[20]; /* of 2^63 with its sign */
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(b, digits + at, sizeof digits - at);
}

/* Written where there is room already, which is nearly always enough. */
void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t spare = b->failed || b->ptr == NULL ? 0 : b->cap - b->len;
    char *end = spare == 0 ? NULL : b->ptr + b->len;
    int n = vsnprintf(end, spare, format, args);
    va_end(args);
    CHECK(n >= 0);
    char *room = buf_reserve(b, (size_t)n);
    if (room != NULL) {
        if ((size_t)n >= spare)
            (void)vsnprintf(room, (size_t)n + 1, format, again);
        buf_commit(b, (size_t)n);
    } else if (end != NULL) {
        *end = '\0'; /* what did not fit is not there */
    }
    va_end(again);
}

enum errc buf_status(const struct buf *b, struct errc_why *why)
{
    if (b->failed)
        return errc_fail(why, ERRC_TOO_BIG, "more than %zu bytes, or out of memory", b->max);
    return ERRC_OK;
}

struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->ptr, b->len};
}

const char *buf_text(const struct buf *b)
{
    return b->ptr == NULL ? "" : b->ptr;
}

char *buf_take(struct buf *b, size_t *len)
{
    if (b->failed || buf_reserve(b, 0) == NULL)
        return NULL;
    char *ptr = b->ptr;
    ptr[b->len] = '\0';
    if (len != NULL)
        *len = b->len;
    buf_init(b, b->max);
    return ptr;
}
