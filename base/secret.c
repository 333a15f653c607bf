#include "base/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bug.h"

/* The arena is a row of blocks, each with a header; free neighbours are merged when a block is
 * looked for. The search goes on where the last one ended (next fit): thousands of keys that stay
 * must not be walked over for each short-lived one. */
struct block {
    size_t size; /* payload bytes, a multiple of ALIGN */
    size_t used; /* 0 or 1 */
};

#define ALIGN sizeof(struct block)

struct secret_arena {
    pthread_mutex_t lock;
    uint8_t *base;
    size_t bytes;
    size_t used;
    struct block *rover; /* where the next search starts */
};

static struct block *first(struct secret_arena *a)
{
    return (struct block *)(void *)a->base;
}

static struct block *next(struct secret_arena *a, struct block *b)
{
    uint8_t *end = (uint8_t *)(b + 1) + b->size;
    return end >= a->base + a->bytes ? NULL : (struct block *)(void *)end;
}

enum errc secret_arena_new(size_t bytes, struct secret_arena **out, bool *locked,
                           struct errc_why *why)
{
    bytes = (bytes + 4095) & ~(size_t)4095;
    struct secret_arena *a = calloc(1, sizeof *a);
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a == NULL || base == MAP_FAILED) {
        free(a);
        return errc_fail(why, ERRC_NOMEM, "cannot reserve %zu bytes for secrets", bytes);
    }
    /* A page is locked when it is first touched: what no secret has used is not resident. */
    bool ok = mlock2(base, bytes, MLOCK_ONFAULT) == 0 || mlock(base, bytes) == 0;
    (void)madvise(base, bytes, MADV_DONTDUMP);
    (void)madvise(base, bytes, MADV_DONTFORK);
    if (locked != NULL)
        *locked = ok;
    a->base = base;
    a->bytes = bytes;
    CHECK(pthread_mutex_init(&a->lock, NULL) == 0);
    *first(a) = (struct block){.size = bytes - sizeof(struct block)};
    a->rover = first(a);
    *out = a;
    return ERRC_OK;
}

void secret_arena_free(struct secret_arena *a)
{
    if (a == NULL)
        return;
    sodium_memzero(a->base, a->bytes);
    (void)munlock(a->base, a->bytes);
    (void)munmap(a->base, a->bytes);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

static void merge(struct secret_arena *a, struct block *b)
{
    for (struct block *n = next(a, b); n != NULL && !n->used; n = next(a, b)) {
        b->size += sizeof *n + n->size;
        if (a->rover == n)
            a->rover = b;
    }
}

static void split(struct block *b, size_t size)
{
    if (b->size < size + 2 * sizeof *b)
        return;
    struct block *rest = (struct block *)(void *)((uint8_t *)(b + 1) + size);
    *rest = (struct block){.size = b->size - size - sizeof *rest};
    b->size = size;
}

/* The first free block that is large enough, from `from` up to but without `to` (NULL, or merged on
 * the way: up to the end). */
static struct block *find(struct secret_arena *a, struct block *from, const struct block *to,
                          size_t size)
{
    for (struct block *b = from; b != NULL && b != to; b = next(a, b)) {
        if (b->used)
            continue;
        merge(a, b);
        if (b->size >= size)
            return b;
    }
    return NULL;
}

static struct block *take(struct secret_arena *a, size_t size)
{
    struct block *start = a->rover, *b = find(a, start, NULL, size);
    if (b == NULL)
        b = find(a, first(a), start, size);
    if (b == NULL)
        return NULL;
    split(b, size);
    b->used = 1;
    a->used += b->size;
    a->rover = b;
    return b;
}

enum errc secret_new(struct secret_arena *a, size_t len, struct secret *out)
{
    CHECK(a != NULL);
    if (len > a->bytes)
        return ERRC_NOMEM;
    size_t size = (len + ALIGN - 1) / ALIGN * ALIGN;
    (void)pthread_mutex_lock(&a->lock);
    struct block *b = take(a, size == 0 ? ALIGN : size);
    (void)pthread_mutex_unlock(&a->lock);
    if (b == NULL)
        return ERRC_NOMEM;
    memset(b + 1, 0, b->size);
    *out = (struct secret){.ptr = (uint8_t *)(b + 1), .len = len, .arena = a};
    return ERRC_OK;
}

enum errc secret_copy(struct secret_arena *a, struct slice bytes, struct secret *out)
{
    TRY(secret_new(a, bytes.len, out));
    if (bytes.len > 0)
        memcpy(out->ptr, bytes.ptr, bytes.len);
    return ERRC_OK;
}

void secret_done(struct secret *s)
{
    if (s == NULL || s->ptr == NULL)
        return;
    struct secret_arena *a = s->arena;
    struct block *b = (struct block *)(void *)s->ptr - 1;
    (void)pthread_mutex_lock(&a->lock);
    CHECK(b->used == 1);
    sodium_memzero(s->ptr, b->size);
    b->used = 0;
    a->used -= b->size;
    (void)pthread_mutex_unlock(&a->lock);
    *s = (struct secret){0};
}

struct slice secret_slice(const struct secret *s)
{
    return slice_bytes(s->ptr, s->len);
}

bool secret_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void secret_wipe(void *ptr, size_t len)
{
    sodium_memzero(ptr, len);
}

size_t secret_arena_size(const struct secret_arena *a)
{
    return a->bytes;
}

size_t secret_arena_used(struct secret_arena *a)
{
    (void)pthread_mutex_lock(&a->lock);
    size_t used = a->used;
    (void)pthread_mutex_unlock(&a->lock);
    return used;
}
