#include <stdlib.h>
#include <string.h>

#include "fakevault/core/transit/keyring/keyring.h"

#define BUCKETS_MIN 64u
#define KEPT_MIN 2u /* the last two found are lent to the step at hand */

/* FNV-1a. */
static size_t hash_of(const char *mount_uuid, struct slice name)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = mount_uuid; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.ptr[i]) * 1099511628211u;
    return (size_t)hash;
}

static struct keyring **bucket_of(const struct keyring_cache *cache, const char *mount_uuid,
                                  struct slice name)
{
    return &cache->buckets[hash_of(mount_uuid, name) & (cache->bucket_count - 1)];
}

static void link_newest(struct keyring_cache *cache, struct keyring *k)
{
    k->older = cache->newest;
    k->newer = NULL;
    if (cache->newest != NULL)
        cache->newest->newer = k;
    else
        cache->oldest = k;
    cache->newest = k;
}

static void detach(struct keyring_cache *cache, struct keyring *k)
{
    if (k->newer != NULL)
        k->newer->older = k->older;
    else
        cache->newest = k->older;
    if (k->older != NULL)
        k->older->newer = k->newer;
    else
        cache->oldest = k->newer;
}

static enum errc grow(struct keyring_cache *cache)
{
    size_t count = cache->bucket_count == 0 ? BUCKETS_MIN : 2 * cache->bucket_count;
    struct keyring **buckets = calloc(count, sizeof(struct keyring *));
    if (buckets == NULL)
        return ERRC_NOMEM;
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
    for (struct keyring *k = cache->newest; k != NULL; k = k->older) {
        struct keyring **bucket = bucket_of(cache, k->mount_uuid, slice_of(k->name));
        k->same_hash = *bucket;
        *bucket = k;
    }
    return ERRC_OK;
}

enum errc keyring_cache_add(struct keyring_cache *cache, struct keyring *k)
{
    if (cache->count >= cache->bucket_count)
        TRY(grow(cache));
    struct keyring **bucket = bucket_of(cache, k->mount_uuid, slice_of(k->name));
    k->same_hash = *bucket;
    *bucket = k;
    link_newest(cache, k);
    cache->count++;
    return ERRC_OK;
}

struct keyring *keyring_cache_get(struct keyring_cache *cache, const char *mount_uuid,
                                  struct slice name)
{
    if (cache->count == 0)
        return NULL;
    struct keyring *k = *bucket_of(cache, mount_uuid, name);
    while (k != NULL &&
           !(slice_equal_text(name, k->name) && strcmp(k->mount_uuid, mount_uuid) == 0))
        k = k->same_hash;
    if (k != NULL && k != cache->newest) {
        detach(cache, k);
        link_newest(cache, k);
    }
    return k;
}

void keyring_cache_remove(struct keyring_cache *cache, struct keyring *k)
{
    struct keyring **at = bucket_of(cache, k->mount_uuid, slice_of(k->name));
    while (*at != k)
        at = &(*at)->same_hash;
    *at = k->same_hash;
    detach(cache, k);
    cache->count--;
    keyring_free(k);
}

void keyring_cache_shrink(struct keyring_cache *cache, struct secret_arena *arena)
{
    while (cache->count > KEPT_MIN && secret_arena_used(arena) > secret_arena_size(arena) / 2)
        keyring_cache_remove(cache, cache->oldest);
}

void keyring_cache_remove_mount(struct keyring_cache *cache, const char *mount_uuid)
{
    struct keyring *next;
    for (struct keyring *k = cache->newest; k != NULL; k = next) {
        next = k->older;
        if (strcmp(k->mount_uuid, mount_uuid) == 0)
            keyring_cache_remove(cache, k);
    }
}

void keyring_cache_done(struct keyring_cache *cache)
{
    struct keyring *next;
    for (struct keyring *k = cache->newest; k != NULL; k = next) {
        next = k->older;
        keyring_free(k);
    }
    free(cache->buckets);
    *cache = (struct keyring_cache){0};
}
