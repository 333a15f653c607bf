#include "chaos/core/ledger/textmap.h"

#include <stdint.h>
#include <string.h>

#define FIRST_SLOTS 64u

struct textmap_slot {
    const char *text; /* NULL: free */
    uint64_t hash;
    size_t value;
};

void textmap_init(struct textmap *map, struct pool *pool)
{
    *map = (struct textmap){.pool = pool};
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return hash;
}

/* The slot that has the text, or the free one where it belongs. */
static struct textmap_slot *slot_for(struct textmap_slot *slots, size_t slot_count, uint64_t hash,
                                     const char *text)
{
    size_t i = (size_t)hash & (slot_count - 1);
    while (slots[i].text != NULL && (slots[i].hash != hash || strcmp(slots[i].text, text) != 0))
        i = (i + 1) & (slot_count - 1);
    return &slots[i];
}

static bool grow(struct textmap *map)
{
    size_t more = map->slot_count == 0 ? FIRST_SLOTS : 2 * map->slot_count;
    struct textmap_slot *slots = pool_array(map->pool, more, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < map->slot_count; i++)
        if (map->slots[i].text != NULL)
            *slot_for(slots, more, map->slots[i].hash, map->slots[i].text) = map->slots[i];
    map->slots = slots;
    map->slot_count = more;
    return true;
}

size_t textmap_put(struct textmap *map, const char *text, size_t value)
{
    if (2 * (map->count + 1) > map->slot_count && !grow(map))
        return TEXTMAP_NONE;
    uint64_t hash = hash_of(text);
    struct textmap_slot *slot = slot_for(map->slots, map->slot_count, hash, text);
    if (slot->text == NULL) {
        *slot = (struct textmap_slot){.text = text, .hash = hash, .value = value};
        map->count++;
    }
    return slot->value;
}

size_t textmap_get(const struct textmap *map, const char *text)
{
    if (text == NULL || map->count == 0)
        return TEXTMAP_NONE;
    const struct textmap_slot *slot = slot_for(map->slots, map->slot_count, hash_of(text), text);
    return slot->text == NULL ? TEXTMAP_NONE : slot->value;
}
