#include "fakevault/core/mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakevault/core/store/pack.h"

#define RECORD_NAME "core/mounts"
#define BUILTIN "v1.14.9+builtin.vault"

static const struct mount_traits traits[MOUNT_ENGINE_COUNT] = {
    [MOUNT_SYSTEM] = {"system", BUILTIN, "Accept", false},
    [MOUNT_IDENTITY] = {"identity", BUILTIN, "Authorization", false},
    [MOUNT_CUBBYHOLE] = {"cubbyhole", BUILTIN, NULL, false},
    [MOUNT_TOKEN] = {"token", BUILTIN, NULL, false},
    [MOUNT_TRANSIT] = {"transit", BUILTIN, NULL, true},
    [MOUNT_KV] = {"kv", "v0.15.0+builtin", NULL, true},
};

static const struct mount defaults[] = {
    {.path = "auth/token/", .engine = MOUNT_TOKEN, .description = "token based credentials"},
    {.path = "cubbyhole/",
     .engine = MOUNT_CUBBYHOLE,
     .description = "per-token private secret storage",
     .local = true},
    {.path = "identity/", .engine = MOUNT_IDENTITY, .description = "identity store"},
    {.path = "sys/",
     .engine = MOUNT_SYSTEM,
     .description = "system endpoints used for control, policy and debugging",
     .seal_wrap = true},
};

const struct mount_traits *mount_traits(enum mount_engine engine)
{
    return &traits[engine];
}

enum mount_engine mount_engine_named(struct slice type)
{
    for (unsigned i = 0; i < MOUNT_ENGINE_COUNT; i++)
        if (slice_equal_text(type, traits[i].type))
            return (enum mount_engine)i;
    return MOUNT_ENGINE_COUNT;
}

void mount_table_init(struct mount_table *t)
{
    *t = (struct mount_table){0};
}

void mount_table_done(struct mount_table *t)
{
    free(t->items);
    mount_table_init(t);
}

void mount_identify(struct mount *m, const struct entropy *entropy)
{
    uint8_t id[4];
    entropy_uuid(entropy, m->uuid);
    entropy->fill(entropy->context, id, sizeof id);
    (void)snprintf(m->accessor, sizeof m->accessor, "%s_%02x%02x%02x%02x", traits[m->engine].type,
                   id[0], id[1], id[2], id[3]);
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
    return ERRC_OK;
}

void mount_table_remove(struct mount_table *t, const char *path)
{
    struct mount *m = mount_at(t, slice_of(path));
    if (m == NULL)
        return;
    size_t at = (size_t)(m - t->items);
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
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        struct mount m = defaults[i];
        mount_identify(&m, entropy);
        TRY(mount_table_add(t, &m));
    }
    return ERRC_OK;
}

static void write_mount(struct pack *p, const struct mount *m)
{
    pack_text(p, m->path);
    pack_text(p, traits[m->engine].type);
    pack_text(p, m->uuid);
    pack_text(p, m->accessor);
    pack_text(p, m->description);
    pack_i64(p, m->default_ttl_s);
    pack_i64(p, m->max_ttl_s);
    pack_u8(p, m->force_no_cache);
    pack_u8(p, m->local);
    pack_u8(p, m->seal_wrap);
    pack_u8(p, m->external_entropy);
    pack_u8(p, m->kv_version_2);
}

static void read_mount(struct unpack *u, struct mount *m)
{
    pack_read_text(u, m->path, sizeof m->path);
    m->engine = mount_engine_named(pack_read_bytes(u));
    pack_read_text(u, m->uuid, sizeof m->uuid);
    pack_read_text(u, m->accessor, sizeof m->accessor);
    pack_read_text(u, m->description, sizeof m->description);
    m->default_ttl_s = pack_read_i64(u);
    m->max_ttl_s = pack_read_i64(u);
    m->force_no_cache = pack_read_u8(u) != 0;
    m->local = pack_read_u8(u) != 0;
    m->seal_wrap = pack_read_u8(u) != 0;
    m->external_entropy = pack_read_u8(u) != 0;
    m->kv_version_2 = pack_read_u8(u) != 0;
    u->failed = u->failed || m->engine == MOUNT_ENGINE_COUNT;
}

static void write_table(struct pack *p, const struct mount_table *t)
{
    pack_u32(p, (uint32_t)t->count);
    for (size_t i = 0; i < t->count; i++)
        write_mount(p, &t->items[i]);
}

void mount_table_batch(const struct mount_table *t, struct barrier *b, struct barrier_batch *batch)
{
    struct pack p = {0};
    write_table(&p, t);
    uint8_t *bytes = malloc(p.len);
    if (bytes == NULL) {
        batch->status = ERRC_NOMEM;
        return;
    }
    p = pack_into(bytes, p.len);
    write_table(&p, t);
    barrier_batch_put(b, batch, RECORD_NAME, slice_bytes(bytes, p.len));
    free(bytes);
}

enum errc mount_table_load(struct mount_table *t, struct barrier *b, struct errc_why *why)
{
    struct secret record CLEANUP(secret_done) = {0};
    TRY(barrier_get(b, RECORD_NAME, &record, why));
    struct unpack u = pack_read_from(secret_slice(&record));
    uint32_t count = pack_read_u32(&u);
    for (uint32_t i = 0; i < count && !u.failed; i++) {
        struct mount m;
        memset(&m, 0, sizeof m);
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
