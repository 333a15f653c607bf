#include "chaos/shell/stack/envmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void envmap_done(struct envmap *map)
{
    for (size_t i = 0; i < map->count; i++)
        free(map->items[i]);
    *map = (struct envmap){0};
}

static bool is_named(const char *item, const char *name)
{
    size_t len = strlen(name);
    return strncmp(item, name, len) == 0 && item[len] == '=';
}

static size_t find(const struct envmap *map, const char *name)
{
    size_t i = 0;
    while (i < map->count && !is_named(map->items[i], name))
        i++;
    return i;
}

enum errc envmap_set(struct envmap *map, const char *name, const char *value, struct errc_why *why)
{
    size_t i = find(map, name);
    char *item = NULL;
    if (i == ENVMAP_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u environment variables", ENVMAP_MAX);
    if (asprintf(&item, "%s=%s", name, value) < 0)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    free(map->items[i]);
    map->items[i] = item;
    if (i == map->count)
        map->count++;
    return ERRC_OK;
}

void envmap_unset(struct envmap *map, const char *name)
{
    size_t i = find(map, name);
    if (i == map->count)
        return;
    free(map->items[i]);
    memmove(&map->items[i], &map->items[i + 1], (map->count - i) * sizeof map->items[0]);
    map->count--;
}

const char *envmap_get(const struct envmap *map, const char *name)
{
    size_t i = find(map, name);
    return i < map->count ? map->items[i] + strlen(name) + 1 : NULL;
}

enum errc envmap_copy(const struct envmap *from, struct envmap *to, struct errc_why *why)
{
    envmap_done(to);
    for (size_t i = 0; i < from->count; i++) {
        to->items[i] = strdup(from->items[i]);
        if (to->items[i] == NULL)
            return errc_fail(why, ERRC_NOMEM, "out of memory");
        to->count++;
    }
    return ERRC_OK;
}

const char *const *envmap_items(const struct envmap *map)
{
    return (const char *const *)map->items;
}

void envmap_format(const struct envmap *map, const char *hidden, struct buf *out)
{
    for (size_t i = 0; i < map->count; i++)
        if (hidden == NULL || !is_named(map->items[i], hidden))
            buf_addf(out, "%s\n", map->items[i]);
}
