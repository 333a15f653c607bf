#include "fakevault/core/audit/audit_table.h"

#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/store/pack.h"

#define RECORD_NAME "core/audit"

void audit_table_done(struct audit_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        audit_device_release(t->items[i]);
    *t = (struct audit_table){0};
}

struct audit_device *audit_table_find(const struct audit_table *t, struct slice path)
{
    for (size_t i = 0; i < t->count; i++)
        if (slice_equal_text(path, t->items[i]->path))
            return t->items[i];
    return NULL;
}

struct audit_device *audit_table_conflict(const struct audit_table *t, struct slice path)
{
    for (size_t i = 0; i < t->count; i++) {
        struct slice other = slice_of(t->items[i]->path);
        size_t len = other.len < path.len ? other.len : path.len;
        if (memcmp(other.ptr, path.ptr, len) == 0)
            return t->items[i];
    }
    return NULL;
}

static void insert(struct audit_table *t, struct audit_device *d)
{
    size_t at = t->count;
    for (; at > 0 && strcmp(t->items[at - 1]->path, d->path) > 0; at--)
        t->items[at] = t->items[at - 1];
    t->items[at] = d;
    t->count++;
}

/* The same devices but for what is added and removed; borrows. */
static void make_next(const struct audit_table *t, struct audit_device *added,
                      const struct audit_device *removed, struct audit_table *out)
{
    *out = (struct audit_table){0};
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i] != removed)
            out->items[out->count++] = t->items[i];
    if (added != NULL)
        insert(out, added);
}

static enum errc add_device(struct buf *out, const struct audit_device *d)
{
    struct buf options CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&options, LIMIT_FILE_BYTES);
    jsonwrite_init(&w, &options, JSONWRITE_PLAIN);
    jsonwrite_value(&w, NULL, d->options);
    struct slice texts[] = {slice_of(d->path), slice_of(d->description), slice_of(d->salt),
                            buf_slice(&options)};
    for (size_t i = 0; i < COUNT(texts); i++) {
        uint8_t len[4];
        struct pack p = pack_into(len, sizeof len);
        pack_u32(&p, (uint32_t)texts[i].len);
        buf_add(out, len, sizeof len);
        buf_add_slice(out, texts[i]);
    }
    buf_add_char(out, (char)d->local);
    return options.failed ? ERRC_NOMEM : ERRC_OK;
}

static enum errc store_table(const struct audit_table *t, struct barrier *b, struct errc_why *why)
{
    struct buf record CLEANUP(buf_done);
    buf_init(&record, BARRIER_PLAIN_MAX);
    for (size_t i = 0; i < t->count; i++)
        TRY(add_device(&record, t->items[i]));
    TRY(buf_status(&record, why));
    return barrier_put(b, RECORD_NAME, buf_slice(&record), why);
}

enum errc audit_table_change(struct audit_table *t, struct barrier *b, struct audit_device *added,
                             struct audit_device *removed, struct errc_why *why)
{
    struct audit_table next;
    if (added != NULL && t->count == AUDIT_TABLE_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u audit devices", AUDIT_TABLE_MAX);
    make_next(t, added, removed, &next);
    TRY(store_table(&next, b, why));
    if (added != NULL)
        (void)audit_device_keep(added);
    *t = next;
    audit_device_release(removed);
    return ERRC_OK;
}

static enum errc load_device(struct unpack *u, const struct audit_port *port,
                             struct audit_device **out, struct errc_why *why)
{
    struct slice path = pack_read_bytes(u), description = pack_read_bytes(u);
    char salt[ENTROPY_UUID_BYTES];
    pack_read_text(u, salt, sizeof salt);
    struct slice text = pack_read_bytes(u);
    bool local = pack_read_u8(u) != 0;
    json_t *options CLEANUP(jsonread_done) = NULL;
    if (u->failed)
        return errc_fail(why, ERRC_SCHEMA, "the stored \"%s\" is damaged", RECORD_NAME);
    TRY(jsonread_parse(text, &options, why));
    return audit_device_new(port, salt, path, description, local, options, out, why);
}

enum errc audit_table_load(struct audit_table *t, struct barrier *b, const struct audit_port *port,
                           struct errc_why *why)
{
    struct secret record CLEANUP(secret_done) = {0};
    enum errc code = barrier_get(b, RECORD_NAME, &record, why);
    if (code == ERRC_NOT_FOUND || port == NULL)
        return ERRC_OK;
    TRY(code);
    struct unpack u = pack_read_from(secret_slice(&record));
    while (u.rest.len > 0 && t->count < AUDIT_TABLE_MAX) {
        struct audit_device *d = NULL;
        TRY(load_device(&u, port, &d, why));
        insert(t, d);
    }
    return ERRC_OK;
}
