#include "chaos/core/scenario/pool.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 4096u
#define ALIGNMENT alignof(max_align_t)

struct pool_chunk {
    struct pool_chunk *next;
    size_t used, size; /* of the bytes behind this head */
    alignas(max_align_t) char bytes[];
};

void pool_init(struct pool *p, size_t max)
{
    *p = (struct pool){.max = max};
}

void pool_done(struct pool *p)
{
    if (p == NULL)
        return;
    while (p->chunks != NULL) {
        struct pool_chunk *next = p->chunks->next;
        free(p->chunks);
        p->chunks = next;
    }
    pool_init(p, p->max);
}

static struct pool_chunk *chunk_for(struct pool *p, size_t size)
{
    struct pool_chunk *chunk = p->chunks;
    if (chunk != NULL && chunk->size - chunk->used >= size)
        return chunk;
    size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    chunk = calloc(1, sizeof *chunk + room);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct pool_chunk){.next = p->chunks, .size = room};
    p->chunks = chunk;
    return chunk;
}

void *pool_new(struct pool *p, size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (p->failed || rounded < size || rounded > p->max - p->used) {
        p->failed = true;
        return NULL;
    }
    struct pool_chunk *chunk = chunk_for(p, rounded);
    if (chunk == NULL) {
        p->failed = true;
        return NULL;
    }
    void *out = chunk->bytes + chunk->used;
    chunk->used += rounded;
    p->used += rounded;
    return out;
}

void *pool_array(struct pool *p, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        p->failed = true;
        return NULL;
    }
    return pool_new(p, bytes == 0 ? 1 : bytes);
}

char *pool_text(struct pool *p, struct slice text)
{
    char *out = text.len == SIZE_MAX ? NULL : pool_new(p, text.len + 1);
    if (out != NULL && text.len > 0)
        memcpy(out, text.ptr, text.len);
    return out;
}

char *pool_format(struct pool *p, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *out = len < 0 ? NULL : pool_new(p, (size_t)len + 1);
    if (out != NULL)
        (void)vsnprintf(out, (size_t)len + 1, format, again);
    va_end(again);
    return out;
}

enum errc pool_status(const struct pool *p, struct errc_why *why)
{
    if (!p->failed)
        return ERRC_OK;
    if (p->used >= p->max / 2)
        return errc_fail(why, ERRC_TOO_BIG, "needs more than %zu bytes of memory", p->max);
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}
