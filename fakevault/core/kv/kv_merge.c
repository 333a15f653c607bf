#include "fakevault/core/kv/kv_merge.h"

#include <stdbool.h>

/* Drops members that are null, all the way down; nulls in lists stay. */
static void prune(json_t *value)
{
    const char *key;
    json_t *member;
    void *next;
    size_t i;
    json_object_foreach_safe(value, next, key, member)
    {
        prune(member);
        if (json_is_null(member))
            (void)json_object_del(value, key);
    }
    json_array_foreach(value, i, member) prune(member);
}

static enum errc set(json_t *target, const char *key, json_t *value, bool pruned)
{
    if (pruned)
        prune(value);
    return json_object_set_nocheck(target, key, value) == 0 ? ERRC_OK : ERRC_NOMEM;
}

enum errc kv_merge_apply(json_t *target, json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        json_t *current = json_object_get(target, key);
        if (json_is_null(value))
            (void)json_object_del(target, key);
        else if (json_is_object(current) && json_is_object(value))
            TRY(kv_merge_apply(current, value));
        else
            TRY(set(target, key, value, !json_is_object(current)));
    }
    return ERRC_OK;
}
