#include "fakevault/core/kv/kv_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "fakevault/core/store/pack.h"

void kv_entry_done(struct kv_entry *e)
{
    free(e->versions);
    *e = (struct kv_entry){0};
}

static void metadata_name(const char *mount_uuid, struct slice path,
                          char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/metadata/%.*s", mount_uuid, SLICE_FMT(path));
}

/* The path is hashed: "a" has version 1 and "a/1" has versions, which must not meet. */
static void version_name(const char *mount_uuid, struct slice path, uint32_t number,
                         char out[static STORE_NAME_MAX])
{
    char hash[DIGEST_HEX_BYTES];
    digest_sha256_hex(path, hash);
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/versions/%s/%u", mount_uuid, hash, number);
}

static enum errc check_path(struct slice path, struct errc_why *why)
{
    if (path.len > KV_ENTRY_PATH_MAX)
        return errc_fail(why, ERRC_RANGE, "the path of a secret is limited to %u bytes",
                         KV_ENTRY_PATH_MAX);
    return ERRC_OK;
}

static size_t version_count(const struct kv_entry *e)
{
    return e->current == 0 ? 0 : e->current - e->oldest + 1;
}

static void write_record(struct pack *p, const struct kv_entry *e)
{
    pack_i64(p, e->created_ns);
    pack_i64(p, e->updated_ns);
    pack_u32(p, e->oldest);
    pack_u32(p, e->current);
    for (size_t i = 0; i < version_count(e); i++) {
        pack_i64(p, e->versions[i].created_ns);
        pack_i64(p, e->versions[i].deleted_ns);
        pack_u8(p, e->versions[i].destroyed);
    }
}

static enum errc read_record(struct kv_entry *e, struct slice bytes, struct errc_why *why)
{
    struct unpack u = pack_read_from(bytes);
    e->created_ns = pack_read_i64(&u);
    e->updated_ns = pack_read_i64(&u);
    e->oldest = pack_read_u32(&u);
    e->current = pack_read_u32(&u);
    size_t count = version_count(e);
    if (u.failed || e->current < e->oldest || count > KV_ENTRY_VERSIONS_MAX)
        return errc_fail(why, ERRC_SCHEMA, "a stored secret's metadata is damaged");
    e->versions = calloc(count + 1, sizeof *e->versions);
    if (e->versions == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a secret");
    for (size_t i = 0; i < count; i++) {
        e->versions[i].created_ns = pack_read_i64(&u);
        e->versions[i].deleted_ns = pack_read_i64(&u);
        e->versions[i].destroyed = pack_read_u8(&u) != 0;
    }
    if (!pack_read_complete(&u))
        return errc_fail(why, ERRC_SCHEMA, "a stored secret's metadata is damaged");
    return ERRC_OK;
}

enum errc kv_entry_load(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                        struct slice path, struct errc_why *why)
{
    *e = (struct kv_entry){0};
    TRY(check_path(path, why));
    char name[STORE_NAME_MAX];
    struct secret record CLEANUP(secret_done) = {0};
    metadata_name(mount_uuid, path, name);
    TRY(barrier_get(b, name, &record, why));
    enum errc code = read_record(e, secret_slice(&record), why);
    if (code != ERRC_OK)
        kv_entry_done(e);
    return code;
}

struct kv_entry_version *kv_entry_version(const struct kv_entry *e, uint32_t number)
{
    if (e->current == 0 || number < e->oldest || number > e->current)
        return NULL;
    return &e->versions[number - e->oldest];
}

static enum errc batch_metadata(const struct kv_entry *e, struct barrier *b,
                                struct barrier_batch *batch, const char *mount_uuid,
                                struct slice path)
{
    char name[STORE_NAME_MAX];
    struct pack p = {0};
    write_record(&p, e);
    uint8_t *bytes = malloc(p.len);
    if (bytes == NULL)
        return ERRC_NOMEM;
    p = pack_into(bytes, p.len);
    write_record(&p, e);
    metadata_name(mount_uuid, path, name);
    barrier_batch_put(b, batch, name, slice_bytes(bytes, p.len));
    free(bytes);
    return ERRC_OK;
}

enum errc kv_entry_store(const struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                         struct slice path, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    if (batch_metadata(e, b, &batch, mount_uuid, path) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a secret");
    return barrier_commit(b, &batch, why);
}

static enum errc add_version(struct kv_entry *e, int64_t wall_ns)
{
    size_t count = version_count(e);
    struct kv_entry_version *grown = realloc(e->versions, (count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    e->versions = grown;
    e->versions[count] = (struct kv_entry_version){.created_ns = wall_ns};
    e->created_ns = e->current == 0 ? wall_ns : e->created_ns;
    e->oldest = e->current == 0 ? 1 : e->oldest;
    e->updated_ns = wall_ns;
    e->current++;
    return ERRC_OK;
}

static void drop_old(struct kv_entry *e, struct barrier_batch *batch, const char *mount_uuid,
                     struct slice path, unsigned keep)
{
    char name[STORE_NAME_MAX];
    while (version_count(e) > keep && batch->count + 1 < STORE_BATCH_MAX) {
        version_name(mount_uuid, path, e->oldest, name);
        barrier_batch_erase(batch, name);
        memmove(e->versions, e->versions + 1, (version_count(e) - 1) * sizeof *e->versions);
        e->oldest++;
    }
}

enum errc kv_entry_write(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                         struct slice path, struct slice data, unsigned keep, int64_t wall_ns,
                         struct errc_why *why)
{
    TRY(check_path(path, why));
    char name[STORE_NAME_MAX];
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    enum errc code = add_version(e, wall_ns);
    if (code == ERRC_OK) {
        version_name(mount_uuid, path, e->current, name);
        barrier_batch_put(b, &batch, name, data);
        drop_old(e, &batch, mount_uuid, path, keep);
        code = batch_metadata(e, b, &batch, mount_uuid, path);
    }
    if (code != ERRC_OK)
        return errc_fail(why, code, "out of memory for a secret");
    return barrier_commit(b, &batch, why);
}

enum errc kv_entry_data(struct barrier *b, const char *mount_uuid, struct slice path,
                        uint32_t number, struct secret *out, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    version_name(mount_uuid, path, number, name);
    return barrier_get(b, name, out, why);
}

enum errc kv_entry_erase(const struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                         struct slice path, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    metadata_name(mount_uuid, path, name);
    barrier_batch_erase(&batch, name);
    for (size_t i = 0; i < version_count(e) && batch.count < STORE_BATCH_MAX; i++) {
        version_name(mount_uuid, path, e->oldest + (uint32_t)i, name);
        barrier_batch_erase(&batch, name);
    }
    return barrier_commit(b, &batch, why);
}
