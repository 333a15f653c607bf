#include "fakevault/core/store/store.h"

#include <string.h>

static bool name_fits(struct slice name)
{
    return name.len > 0 && name.len <= STORE_NAME_MAX;
}

enum errc store_get(const struct store *store, struct slice name, struct buf *out,
                    struct errc_why *why)
{
    if (!name_fits(name))
        return errc_fail(why, ERRC_TOO_BIG, "a stored name of %zu bytes is not in 1..%u", name.len,
                         STORE_NAME_MAX);
    return store->get(store->context, name, out, why);
}

enum errc store_write(const struct store *store, const struct store_change *changes, size_t count,
                      struct errc_why *why)
{
    if (count > STORE_BATCH_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "%zu changes in one write are more than %u", count,
                         STORE_BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!name_fits(changes[i].name))
            return errc_fail(why, ERRC_TOO_BIG, "a stored name of %zu bytes is not in 1..%u",
                             changes[i].name.len, STORE_NAME_MAX);
        if (!changes[i].erase && changes[i].value.len > STORE_VALUE_MAX)
            return errc_fail(why, ERRC_TOO_BIG, "a stored value of %zu bytes is over %u",
                             changes[i].value.len, STORE_VALUE_MAX);
    }
    return count == 0 ? ERRC_OK : store->write(store->context, changes, count, why);
}

enum errc store_put(const struct store *store, struct slice name, struct slice value,
                    struct errc_why *why)
{
    struct store_change change = {.name = name, .value = value};
    return store_write(store, &change, 1, why);
}

enum errc store_erase(const struct store *store, struct slice name, struct errc_why *why)
{
    struct store_change change = {.name = name, .erase = true};
    return store_write(store, &change, 1, why);
}

enum errc store_list(const struct store *store, struct slice prefix,
                     enum errc (*each)(void *each_context, struct slice rest), void *each_context,
                     struct errc_why *why)
{
    return store->list(store->context, prefix, each, each_context, why);
}

struct level {
    enum errc (*each)(void *context, struct slice name);
    void *context;
    char last[STORE_NAME_MAX + 1]; /* the folder that was shown last; those within come in a row */
};

static enum errc show_level(void *context, struct slice rest)
{
    struct level *l = context;
    size_t slash = slice_find(rest, '/');
    if (slash == rest.len)
        return l->each(l->context, rest);
    struct slice folder = {rest.ptr, slash + 1};
    if (slice_equal_text(folder, l->last))
        return ERRC_OK;
    memcpy(l->last, folder.ptr, folder.len);
    l->last[folder.len] = '\0';
    return l->each(l->context, folder);
}

enum errc store_list_level(const struct store *store, struct slice prefix,
                           enum errc (*each)(void *each_context, struct slice name),
                           void *each_context, struct errc_why *why)
{
    struct level level = {.each = each, .context = each_context};
    return store_list(store, prefix, show_level, &level, why);
}

void store_close(struct store *store)
{
    if (store == NULL || store->close == NULL)
        return;
    store->close(store->context);
    *store = (struct store){0};
}
