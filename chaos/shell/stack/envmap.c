#include "chaos/shell/stack/envmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop(struct envmap *map, size_t i)
{
    free(map->names[i]);
    free(map->items[i]);
    map->names[i] = map->items[i] = NULL;
}

void envmap_done(struct envmap *map)
{
    for (size_t i = 0; i < map->count; i++)
        drop(map, i);
    map->count = 0;
}

static size_t find(const struct envmap *map, const char *name)
{
    size_t i = 0;
    while (i < map->count && strcmp(map->names[i], name) != 0)
        i++;
    return i;
}

enum errc envmap_set(struct envmap *map, const char *name, const char *value, struct errc_why *why)
{
    size_t i = find(map, name);
    char *item = NULL, *copy = strdup(name);
    if (i < ENVMAP_MAX && copy != NULL && asprintf(&item, "%s=%s", name, value) >= 0) {
        drop(map, i);
        map->names[i] = copy;
        map->items[i] = item;
        map->count += i == map->count;
        return ERRC_OK;
    }
    free(copy);
    if (i == ENVMAP_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u environment variables", ENVMAP_MAX);
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

void envmap_unset(struct envmap *map, const char *name)
{
    size_t i = find(map, name);
    if (i == map->count)
        return;
    drop(map, i);
    for (; i + 1 < map->count; i++) {
        map->names[i] = map->names[i + 1];
        map->items[i] = map->items[i + 1];
    }
    map->count--;
    map->names[map->count] = map->items[map->count] = NULL;
}

static const char *value_at(const struct envmap *map, size_t i)
{
    return map->items[i] + strlen(map->names[i]) + 1;
}

const char *envmap_get(const struct envmap *map, const char *name)
{
    size_t i = find(map, name);
    return i < map->count ? value_at(map, i) : NULL;
}

enum errc envmap_copy(const struct envmap *from, struct envmap *to, struct errc_why *why)
{
    envmap_done(to);
    for (size_t i = 0; i < from->count; i++)
        TRY(envmap_set(to, from->names[i], value_at(from, i), why));
    return ERRC_OK;
}

const char *const *envmap_items(const struct envmap *map)
{
    return (const char *const *)map->items;
}

size_t envmap_pairs(const struct envmap *map, const char *hidden,
                    struct scenario_pair pairs[static ENVMAP_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < map->count; i++)
        if (hidden == NULL || strcmp(map->names[i], hidden) != 0)
            pairs[count++] =
                (struct scenario_pair){.name = map->names[i], .value = value_at(map, i)};
    return count;
}
