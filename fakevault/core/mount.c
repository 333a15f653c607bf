#include "fakevault/core/mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/store/pack.h"

#define RECORD_NAME "core/mounts"

static const struct {
    struct mount mount;
    const char *header; /* a request header that is passed on to the engine, or NULL */
} defaults[] = {
    {{.path = "auth/token/", .engine = MOUNT_TOKEN, .description = "token based credentials"},
     NULL},
    {{.path = "cubbyhole/",
      .engine = MOUNT_CUBBYHOLE,
      .description = "per-token private secret storage",
      .local = true},
     NULL},
    {{.path = "identity/", .engine = MOUNT_IDENTITY, .description = "identity store"},
     "Authorization"},
    {{.path = "sys/",
      .engine = MOUNT_SYSTEM,
      .description = "system endpoints used for control, policy and debugging",
      .seal_wrap = true},
     "Accept"},
};

void mount_table_init(struct mount_table *t)
{
    *t = (struct mount_table){0};
}

void mount_done(struct mount *m)
{
    json_decref(m->options);
    json_decref(m->tuned);
    m->options = m->tuned = NULL;
}

static bool is_empty(const json_t *value)
{
    return json_is_array(value) ? json_array_size(value) == 0 : json_string_length(value) == 0;
}

json_t *mount_tree_copy(const json_t *tree)
{
    json_t *copy = json_object();
    if (copy == NULL || tree == NULL)
        return copy;
    if (json_object_update(copy, (json_t *)(uintptr_t)tree) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

enum errc mount_tune(struct mount *m, const char *name, json_t *value)
{
    json_t *changed = mount_tree_copy(m->tuned);
    int failed = changed == NULL || value == NULL;
    if (!failed && is_empty(value))
        (void)json_object_del(changed, name);
    else if (!failed)
        failed = json_object_set(changed, name, value);
    json_decref(value);
    if (failed) {
        json_decref(changed);
        return ERRC_NOMEM;
    }
    json_decref(m->tuned);
    m->tuned = changed;
    return ERRC_OK;
}

enum errc mount_set_options(struct mount *m, json_t *options)
{
    if (options == NULL)
        return ERRC_NOMEM;
    json_decref(m->options);
    m->options = options;
    const char *version = json_string_value(json_object_get(options, "version"));
    m->kv_version_2 = m->engine == MOUNT_KV && version != NULL && strcmp(version, "2") == 0;
    return ERRC_OK;
}

bool mount_is_auth(const struct mount *m)
{
    return slice_starts_with(slice_of(m->path), MOUNT_AUTH);
}

const char *mount_api_path(const struct mount *m)
{
    return m->path + (mount_is_auth(m) ? strlen(MOUNT_AUTH) : 0);
}

void mount_table_done(struct mount_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        mount_done(&t->items[i]);
    free(t->items);
    mount_table_init(t);
}

void mount_identify(struct mount *m, const struct entropy *entropy)
{
    uint8_t id[4];
    entropy_uuid(entropy, m->uuid);
    entropy->fill(entropy->context, id, sizeof id);
    if (m->plugin == NULL)
        m->plugin = builtin_of(m->engine);
    (void)snprintf(m->accessor, sizeof m->accessor, "%s%s_%02x%02x%02x%02x",
                   m->plugin->auth ? "auth_" : "", m->plugin->type, id[0], id[1], id[2], id[3]);
}

enum errc mount_table_add(struct mount_table *t, const struct mount *m)
{
    if (t->count >= MOUNT_MAX)
        return ERRC_TOO_BIG;
    struct mount *grown = realloc(t->items, (t->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    t->items = grown;
    size_t at = t->count++;
    for (; at > 0 && strcmp(t->items[at - 1].path, m->path) > 0; at--)
        t->items[at] = t->items[at - 1];
    t->items[at] = *m;
    json_incref(m->options);
    json_incref(m->tuned);
    return ERRC_OK;
}

void mount_table_remove(struct mount_table *t, const char *path)
{
    struct mount *m = mount_at(t, slice_of(path));
    if (m == NULL)
        return;
    size_t at = (size_t)(m - t->items);
    mount_done(m);
    t->count--;
    memmove(m, m + 1, (t->count - at) * sizeof *m);
}

enum errc mount_table_copy(const struct mount_table *from, struct mount_table *to)
{
    for (size_t i = 0; i < from->count; i++)
        TRY(mount_table_add(to, &from->items[i]));
    return ERRC_OK;
}

enum errc mount_table_defaults(struct mount_table *t, const struct entropy *entropy)
{
    for (size_t i = 0; i < COUNT(defaults); i++) {
        struct mount m CLEANUP(mount_done) = defaults[i].mount;
        const char *header = defaults[i].header;
        mount_identify(&m, entropy);
        if (header != NULL)
            TRY(mount_tune(&m, "passthrough_request_headers", json_pack("[s]", header)));
        TRY(mount_table_add(t, &m));
    }
    return ERRC_OK;
}

/* A tree as JSON, "" for NULL. (json_dumps gives half a text when memory is short.) */
static bool write_tree(struct pack *p, const json_t *tree)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, BARRIER_PLAIN_MAX);
    struct jsonwrite w;
    jsonwrite_init(&w, &text, JSONWRITE_PLAIN);
    if (tree != NULL)
        jsonwrite_value(&w, NULL, tree);
    if (!text.failed)
        pack_bytes(p, buf_slice(&text));
    return !text.failed;
}

static json_t *read_tree(struct unpack *u)
{
    struct slice text = pack_read_bytes(u);
    json_t *tree = NULL;
    u->failed = u->failed || (text.len > 0 && gojson_parse(text, &tree, NULL) != ERRC_OK);
    return tree;
}

static bool write_mount(struct pack *p, const struct mount *m)
{
    pack_text(p, m->path);
    pack_text(p, m->plugin->type);
    pack_text(p, m->uuid);
    pack_text(p, m->accessor);
    pack_text(p, m->description);
    pack_i64(p, m->default_ttl_s);
    pack_i64(p, m->max_ttl_s);
    pack_u8(p, m->force_no_cache);
    pack_u8(p, m->local);
    pack_u8(p, m->seal_wrap);
    pack_u8(p, m->external_entropy);
    return write_tree(p, m->options) && write_tree(p, m->tuned);
}

static void read_mount(struct unpack *u, struct mount *m)
{
    pack_read_text(u, m->path, sizeof m->path);
    m->plugin = builtin_named(pack_read_bytes(u), mount_is_auth(m));
    m->engine = m->plugin == NULL ? MOUNT_EMPTY : m->plugin->engine;
    pack_read_text(u, m->uuid, sizeof m->uuid);
    pack_read_text(u, m->accessor, sizeof m->accessor);
    pack_read_text(u, m->description, sizeof m->description);
    m->default_ttl_s = pack_read_i64(u);
    m->max_ttl_s = pack_read_i64(u);
    m->force_no_cache = pack_read_u8(u) != 0;
    m->local = pack_read_u8(u) != 0;
    m->seal_wrap = pack_read_u8(u) != 0;
    m->external_entropy = pack_read_u8(u) != 0;
    u->failed = u->failed || m->plugin == NULL;
    json_t *options = read_tree(u);
    u->failed = u->failed || (options != NULL && mount_set_options(m, options) != ERRC_OK);
    m->tuned = read_tree(u);
}

static bool write_table(struct pack *p, const struct mount_table *t)
{
    pack_u32(p, (uint32_t)t->count);
    for (size_t i = 0; i < t->count; i++)
        if (!write_mount(p, &t->items[i]))
            return false;
    return true;
}

void mount_table_batch(const struct mount_table *t, struct barrier *b, struct barrier_batch *batch)
{
    struct pack p = {0};
    uint8_t *bytes = write_table(&p, t) ? malloc(p.len) : NULL;
    size_t len = p.len;
    p = pack_into(bytes, len);
    if (bytes != NULL && write_table(&p, t))
        barrier_batch_put(b, batch, RECORD_NAME, slice_bytes(bytes, len));
    else
        batch->status = ERRC_NOMEM;
    free(bytes);
}

enum errc mount_table_load(struct mount_table *t, struct barrier *b, struct errc_why *why)
{
    struct secret record CLEANUP(secret_done) = {0};
    TRY(barrier_get(b, RECORD_NAME, &record, why));
    struct unpack u = pack_read_from(secret_slice(&record));
    uint32_t count = pack_read_u32(&u);
    for (uint32_t i = 0; i < count && !u.failed; i++) {
        struct mount m CLEANUP(mount_done) = {0};
        read_mount(&u, &m);
        if (!u.failed)
            TRY(mount_table_add(t, &m));
    }
    if (!pack_read_complete(&u))
        return errc_fail(why, ERRC_SCHEMA, "the stored table of mounts is damaged");
    return ERRC_OK;
}

struct mount *mount_find(const struct mount_table *t, struct slice path)
{
    struct mount *best = NULL;
    for (size_t i = 0; i < t->count; i++)
        if (slice_starts_with(path, t->items[i].path) &&
            (best == NULL || strlen(t->items[i].path) > strlen(best->path)))
            best = &t->items[i];
    return best;
}

struct mount *mount_at(const struct mount_table *t, struct slice path)
{
    for (size_t i = 0; i < t->count; i++)
        if (slice_equal_text(path, t->items[i].path))
            return &t->items[i];
    return NULL;
}

struct mount *mount_conflict(const struct mount_table *t, struct slice path)
{
    for (size_t i = 0; i < t->count; i++) {
        struct slice other = slice_of(t->items[i].path);
        size_t n = other.len < path.len ? other.len : path.len;
        if (memcmp(other.ptr, path.ptr, n) == 0)
            return &t->items[i];
    }
    return NULL;
}
