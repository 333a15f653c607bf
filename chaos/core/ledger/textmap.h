/*
 * textmap: from a text to a number, for joins. It grows in a pool and is freed
 * with it; texts are lent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "chaos/core/scenario/pool.h"

#define TEXTMAP_NONE SIZE_MAX

struct textmap {
    struct pool *pool;
    struct textmap_slot *slots;
    size_t slot_count, count; /* slot_count: a power of two, or 0 */
};

/* An empty one; allocates nothing. */
void textmap_init(struct textmap *map, struct pool *pool);

/* Returns the number of the text; a new one gets `value`. TEXTMAP_NONE when the pool has failed. */
size_t textmap_put(struct textmap *map, const char *text, size_t value);

/* Returns the number of the text, or TEXTMAP_NONE; text may be NULL. */
size_t textmap_get(const struct textmap *map, const char *text);
