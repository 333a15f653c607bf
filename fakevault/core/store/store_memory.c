#include "fakevault/core/store/store_memory.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    char *name;
    size_t name_len;
    char *value;
    size_t value_len;
};

struct table {
    struct entry *entries; /* sorted bytewise by name */
    size_t count;
    size_t cap;
};

static struct slice entry_name(const struct entry *e)
{
    return slice_bytes(e->name, e->name_len);
}

static int compare(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* Returns where name stands, or would stand. */
static size_t place_of(const struct table *t, struct slice name, bool *found)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(entry_name(&t->entries[middle]), name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static void entry_done(struct entry *e)
{
    free(e->name);
    free(e->value);
    *e = (struct entry){0};
}

static enum errc get(void *context, struct slice name, struct buf *out, struct errc_why *why)
{
    const struct table *t = context;
    bool found;
    size_t at = place_of(t, name, &found);
    if (!found)
        return errc_fail(why, ERRC_NOT_FOUND, "the store has no \"%.*s\"", SLICE_FMT(name));
    buf_add(out, t->entries[at].value, t->entries[at].value_len);
    return buf_status(out, why);
}

static enum errc reserve(struct table *t, size_t more)
{
    if (t->count + more <= t->cap)
        return ERRC_OK;
    size_t cap = (t->count + more) * 2;
    struct entry *grown = realloc(t->entries, cap * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    t->entries = grown;
    t->cap = cap;
    return ERRC_OK;
}

static void erase(struct table *t, struct slice name)
{
    bool found;
    size_t at = place_of(t, name, &found);
    if (!found)
        return;
    entry_done(&t->entries[at]);
    t->count--;
    memmove(&t->entries[at], &t->entries[at + 1], (t->count - at) * sizeof t->entries[0]);
}

/* Takes the entry over. */
static void insert(struct table *t, struct entry *fresh)
{
    bool found;
    size_t at = place_of(t, entry_name(fresh), &found);
    if (found) {
        entry_done(&t->entries[at]);
    } else {
        memmove(&t->entries[at + 1], &t->entries[at], (t->count - at) * sizeof t->entries[0]);
        t->count++;
    }
    t->entries[at] = *fresh;
    *fresh = (struct entry){0};
}

/* All that can fail happens before the first change. */
static enum errc write_batch(void *context, const struct store_change *changes, size_t count,
                             struct errc_why *why)
{
    struct table *t = context;
    struct entry fresh[STORE_BATCH_MAX] = {{0}};
    enum errc code = reserve(t, count);
    for (size_t i = 0; code == ERRC_OK && i < count; i++) {
        if (changes[i].erase)
            continue;
        fresh[i] = (struct entry){.name = slice_dup(changes[i].name),
                                  .name_len = changes[i].name.len,
                                  .value = slice_dup(changes[i].value),
                                  .value_len = changes[i].value.len};
        if (fresh[i].name == NULL || fresh[i].value == NULL)
            code = ERRC_NOMEM;
    }
    for (size_t i = 0; code == ERRC_OK && i < count; i++) {
        if (changes[i].erase)
            erase(t, changes[i].name);
        else
            insert(t, &fresh[i]);
    }
    for (size_t i = 0; i < count; i++)
        entry_done(&fresh[i]);
    return code == ERRC_OK ? ERRC_OK : errc_fail(why, code, "out of memory in the memory store");
}

static enum errc list(void *context, struct slice prefix,
                      enum errc (*each)(void *each_context, struct slice rest), void *each_context,
                      struct errc_why *why)
{
    (void)why;
    const struct table *t = context;
    bool found;
    for (size_t i = place_of(t, prefix, &found); i < t->count; i++) {
        struct slice name = entry_name(&t->entries[i]);
        if (name.len < prefix.len || !slice_equal((struct slice){name.ptr, prefix.len}, prefix))
            break;
        TRY(each(each_context, slice_from(name, prefix.len)));
    }
    return ERRC_OK;
}

static void close_table(void *context)
{
    struct table *t = context;
    for (size_t i = 0; i < t->count; i++)
        entry_done(&t->entries[i]);
    free(t->entries);
    free(t);
}

enum errc store_memory_new(struct store *out, struct errc_why *why)
{
    struct table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a memory store");
    *out = (struct store){.kind = "inmem",
                          .get = get,
                          .write = write_batch,
                          .list = list,
                          .close = close_table,
                          .context = t};
    return ERRC_OK;
}
