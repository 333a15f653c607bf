#include "fakevault/core/token/token_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/secret.h"

#define BUCKETS_MIN 64u
#define NOT_IN_HEAP SIZE_MAX

/* --- chains ----------------------------------------------------------------------------------- */

/* Digests are uniform, and depend on a secret: nobody can make chains long. */
static size_t digest_bucket(const struct token_table *t, const uint8_t digest[static DIGEST_BYTES])
{
    size_t hash;
    memcpy(&hash, digest, sizeof hash);
    return hash & (t->buckets - 1);
}

/* Accessors are random text. */
static size_t accessor_bucket(const struct token_table *t, struct slice accessor)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < accessor.len; i++)
        hash = (hash ^ (uint8_t)accessor.ptr[i]) * 1099511628211u;
    return (hash ^ hash >> 32) & (t->buckets - 1);
}

static void chain(struct token_table *t, struct token *token)
{
    struct token **d = &t->by_digest[digest_bucket(t, token->digest)];
    struct token **a = &t->by_accessor[accessor_bucket(t, slice_of(token->accessor))];
    token->next_by_digest = *d;
    token->next_by_accessor = *a;
    *d = *a = token;
}

static void unchain(struct token_table *t, struct token *token)
{
    struct token **d = &t->by_digest[digest_bucket(t, token->digest)];
    struct token **a = &t->by_accessor[accessor_bucket(t, slice_of(token->accessor))];
    while (*d != token)
        d = &(*d)->next_by_digest;
    while (*a != token)
        a = &(*a)->next_by_accessor;
    *d = token->next_by_digest;
    *a = token->next_by_accessor;
}

static enum errc grow_chains(struct token_table *t)
{
    struct token_table grown = *t;
    grown.buckets = t->buckets == 0 ? BUCKETS_MIN : 2 * t->buckets;
    grown.by_digest = calloc(grown.buckets, sizeof(struct token *));
    grown.by_accessor = calloc(grown.buckets, sizeof(struct token *));
    if (grown.by_digest == NULL || grown.by_accessor == NULL) {
        free(grown.by_digest);
        free(grown.by_accessor);
        return ERRC_NOMEM;
    }
    for (struct token *token = token_table_next(t, NULL), *next; token != NULL; token = next) {
        next = token_table_next(t, token);
        chain(&grown, token);
    }
    free(t->by_digest);
    free(t->by_accessor);
    *t = grown;
    return ERRC_OK;
}

/* --- heap: the earliest end on top ------------------------------------------------------------ */

static void heap_set(struct token_table *t, size_t at, struct token *token)
{
    t->heap[at] = token;
    token->heap_at = at;
}

static void heap_up(struct token_table *t, struct token *token, size_t at)
{
    for (; at > 0 && t->heap[(at - 1) / 2]->expires_ns > token->expires_ns; at = (at - 1) / 2)
        heap_set(t, at, t->heap[(at - 1) / 2]);
    heap_set(t, at, token);
}

static void heap_down(struct token_table *t, struct token *token, size_t at)
{
    for (size_t low = 2 * at + 1; low < t->heap_count; low = 2 * at + 1) {
        if (low + 1 < t->heap_count && t->heap[low + 1]->expires_ns < t->heap[low]->expires_ns)
            low++;
        if (t->heap[low]->expires_ns >= token->expires_ns)
            break;
        heap_set(t, at, t->heap[low]);
        at = low;
    }
    heap_set(t, at, token);
}

/* Lets a token find its place from `at`, which is free. */
static void heap_settle(struct token_table *t, struct token *token, size_t at)
{
    heap_up(t, token, at);
    heap_down(t, token, token->heap_at);
}

static void heap_remove(struct token_table *t, struct token *token)
{
    size_t at = token->heap_at;
    if (at == NOT_IN_HEAP)
        return;
    token->heap_at = NOT_IN_HEAP;
    struct token *last = t->heap[--t->heap_count];
    if (last != token)
        heap_settle(t, last, at);
}

static enum errc grow_heap(struct token_table *t)
{
    size_t room = t->heap_room == 0 ? BUCKETS_MIN : 2 * t->heap_room;
    struct token **grown = realloc(t->heap, room * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    t->heap = grown;
    t->heap_room = room;
    return ERRC_OK;
}

/* --- family ----------------------------------------------------------------------------------- */

static void link_child(struct token *parent, struct token *child)
{
    child->parent = parent;
    child->previous = NULL;
    child->next = parent->child;
    if (child->next != NULL)
        child->next->previous = child;
    parent->child = child;
}

void token_table_unlink(struct token *child)
{
    if (child->parent == NULL)
        return;
    if (child->previous != NULL)
        child->previous->next = child->next;
    else
        child->parent->child = child->next;
    if (child->next != NULL)
        child->next->previous = child->previous;
    child->parent = child->next = child->previous = NULL;
}

/* --- table ------------------------------------------------------------------------------------ */

void token_table_init(struct token_table *t)
{
    *t = (struct token_table){0};
}

void token_table_done(struct token_table *t)
{
    for (struct token *token = token_table_next(t, NULL), *next; token != NULL; token = next) {
        next = token_table_next(t, token);
        token->dead = true;
        token->parent = token->child = token->next = token->previous = NULL;
        token_release(token);
    }
    free(t->by_digest);
    free(t->by_accessor);
    free(t->heap);
    secret_wipe(t, sizeof *t);
}

enum errc token_table_reserve(struct token_table *t)
{
    if (t->count >= t->buckets)
        TRY(grow_chains(t));
    return t->heap_count < t->heap_room ? ERRC_OK : grow_heap(t);
}

void token_table_add(struct token_table *t, struct token *token)
{
    CHECK(t->count < t->buckets && t->heap_count < t->heap_room);
    t->count++;
    chain(t, token);
    token->heap_at = NOT_IN_HEAP;
    if (token->expires_ns != 0)
        heap_settle(t, token, t->heap_count++);
}

bool token_table_link(struct token_table *t, struct token *token)
{
    if (token->orphan)
        return true;
    struct token *parent = token_table_find_digest(t, token->parent_digest);
    if (parent == NULL)
        return false;
    link_child(parent, token);
    return true;
}

void token_table_remove(struct token_table *t, struct token *token)
{
    while (token->child != NULL)
        token_table_unlink(token->child);
    token_table_unlink(token);
    heap_remove(t, token);
    unchain(t, token);
    t->count--;
    token->dead = true;
    token_release(token);
}

void token_table_set_expiry(struct token_table *t, struct token *token, int64_t expires_ns)
{
    CHECK(token->heap_at != NOT_IN_HEAP && expires_ns != 0);
    token->expires_ns = expires_ns;
    heap_settle(t, token, token->heap_at);
}

struct token *token_table_find_digest(const struct token_table *t,
                                      const uint8_t digest[static DIGEST_BYTES])
{
    struct token *token = t->count == 0 ? NULL : t->by_digest[digest_bucket(t, digest)];
    while (token != NULL && !digest_equal(token->digest, digest))
        token = token->next_by_digest;
    return token;
}

struct token *token_table_find(const struct token_table *t, struct slice id)
{
    if (id.len == 0 || t->count == 0)
        return NULL;
    uint8_t digest[DIGEST_BYTES];
    return token_id_digest(id, &t->keys, digest) ? token_table_find_digest(t, digest) : NULL;
}

struct token *token_table_find_accessor(const struct token_table *t, struct slice accessor)
{
    struct token *token = t->count == 0 ? NULL : t->by_accessor[accessor_bucket(t, accessor)];
    while (token != NULL && !slice_equal_text(accessor, token->accessor))
        token = token->next_by_accessor;
    return token;
}

struct token *token_table_due(const struct token_table *t, int64_t wall_ns)
{
    return t->heap_count > 0 && token_expired(t->heap[0], wall_ns) ? t->heap[0] : NULL;
}

struct token *token_table_next(const struct token_table *t, const struct token *token)
{
    if (token != NULL && token->next_by_digest != NULL)
        return token->next_by_digest;
    size_t at = token == NULL ? 0 : digest_bucket(t, token->digest) + 1;
    for (; at < t->buckets; at++)
        if (t->by_digest[at] != NULL)
            return t->by_digest[at];
    return NULL;
}
