#include "fakevault/core/kv/kv_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/store/pack.h"

void kv_entry_done(struct kv_entry *e)
{
    free(e->versions);
    json_decref(e->custom);
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

uint32_t kv_entry_first(const struct kv_entry *e)
{
    return e->oldest == 0 ? 1 : e->oldest;
}

static size_t version_count(const struct kv_entry *e)
{
    return e->current == 0 ? 0 : e->current - kv_entry_first(e) + 1;
}

/* --- the record ------------------------------------------------------------------------------- */

static void write_record(struct pack *p, const struct kv_entry *e, struct slice custom)
{
    pack_i64(p, e->created_ns);
    pack_i64(p, e->updated_ns);
    pack_u32(p, e->oldest);
    pack_u32(p, e->current);
    pack_u32(p, e->max_versions);
    pack_u8(p, e->cas_required);
    pack_i64(p, e->delete_after_s);
    pack_bytes(p, custom);
    for (size_t i = 0; i < version_count(e); i++) {
        pack_i64(p, e->versions[i].created_ns);
        pack_i64(p, e->versions[i].deleted_ns);
        pack_u8(p, e->versions[i].destroyed);
    }
}

static enum errc damaged(struct errc_why *why)
{
    return errc_fail(why, ERRC_SCHEMA, "a stored secret's metadata is damaged");
}

static enum errc read_head(struct kv_entry *e, struct unpack *u, struct errc_why *why)
{
    e->created_ns = pack_read_i64(u);
    e->updated_ns = pack_read_i64(u);
    e->oldest = pack_read_u32(u);
    e->current = pack_read_u32(u);
    e->max_versions = pack_read_u32(u);
    e->cas_required = pack_read_u8(u) != 0;
    e->delete_after_s = pack_read_i64(u);
    struct slice custom = pack_read_bytes(u);
    if (u->failed || (e->current > 0 && e->oldest > e->current))
        return damaged(why);
    return custom.len == 0 ? ERRC_OK : jsonread_parse(custom, &e->custom, why);
}

static enum errc read_record(struct kv_entry *e, struct slice bytes, struct errc_why *why)
{
    struct unpack u = pack_read_from(bytes);
    TRY(read_head(e, &u, why));
    size_t count = version_count(e);
    if (count > bytes.len)
        return damaged(why);
    e->versions = calloc(count + 1, sizeof *e->versions);
    if (e->versions == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a secret");
    for (size_t i = 0; i < count; i++) {
        e->versions[i].created_ns = pack_read_i64(&u);
        e->versions[i].deleted_ns = pack_read_i64(&u);
        e->versions[i].destroyed = pack_read_u8(&u) != 0;
    }
    return pack_read_complete(&u) ? ERRC_OK : damaged(why);
}

enum errc kv_entry_load(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                        struct slice path, struct errc_why *why)
{
    *e = (struct kv_entry){0};
    char name[STORE_NAME_MAX];
    struct secret record CLEANUP(secret_done) = {0};
    metadata_name(mount_uuid, path, name);
    TRY(barrier_get(b, name, &record, why));
    enum errc code = read_record(e, secret_slice(&record), why);
    if (code != ERRC_OK)
        kv_entry_done(e);
    return code;
}

static enum errc batch_metadata(const struct kv_entry *e, struct barrier *b,
                                struct barrier_batch *batch, const char *mount_uuid,
                                struct slice path)
{
    char name[STORE_NAME_MAX];
    struct pack p = {0};
    struct jsonwrite w;
    struct buf custom CLEANUP(buf_done);
    buf_init(&custom, LIMIT_FILE_BYTES);
    jsonwrite_init(&w, &custom, JSONWRITE_PLAIN);
    if (e->custom != NULL)
        jsonwrite_value(&w, NULL, e->custom);
    write_record(&p, e, buf_slice(&custom));
    uint8_t *bytes = custom.failed ? NULL : malloc(p.len);
    if (bytes == NULL)
        return ERRC_NOMEM;
    p = pack_into(bytes, p.len);
    write_record(&p, e, buf_slice(&custom));
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

/* --- versions --------------------------------------------------------------------------------- */

struct kv_entry_version *kv_entry_version(const struct kv_entry *e, uint32_t number)
{
    if (e->current == 0 || number < kv_entry_first(e) || number > e->current)
        return NULL;
    return &e->versions[number - kv_entry_first(e)];
}

bool kv_entry_gone(const struct kv_entry_version *version, int64_t wall_ns)
{
    return version->destroyed || (version->deleted_ns != 0 && version->deleted_ns < wall_ns);
}

static enum errc add_version(struct kv_entry *e, int64_t wall_ns, int64_t deleted_ns)
{
    size_t count = version_count(e);
    struct kv_entry_version *grown = realloc(e->versions, (count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    e->versions = grown;
    e->versions[count] = (struct kv_entry_version){.created_ns = wall_ns, .deleted_ns = deleted_ns};
    e->created_ns = e->created_ns == 0 ? wall_ns : e->created_ns;
    e->updated_ns = wall_ns;
    e->current++;
    return ERRC_OK;
}

/* Moves the window of kept versions, as Vault counts it: `oldest` leaves 0 as soon as `keep` is
 * reached, not when it is passed. Returns the first number behind the dropped ones. */
static uint32_t move_window(struct kv_entry *e, uint32_t keep)
{
    uint32_t first = kv_entry_first(e);
    if (e->current - e->oldest < keep)
        return first;
    size_t count = version_count(e);
    e->oldest = e->current - keep + 1;
    size_t dropped = e->oldest - first;
    memmove(e->versions, e->versions + dropped, (count - dropped) * sizeof *e->versions);
    return e->oldest;
}

/* Adds the erasing of the data from *first up to `end` to a batch, as far as there is room. */
static void batch_erase(struct barrier_batch *batch, const char *mount_uuid, struct slice path,
                        uint32_t *first, uint32_t end)
{
    char name[STORE_NAME_MAX];
    for (; *first < end && batch->count < STORE_BATCH_MAX && batch->status == ERRC_OK; ++*first) {
        version_name(mount_uuid, path, *first, name);
        barrier_batch_erase(batch, name);
    }
}

enum errc kv_entry_write(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                         struct slice path, struct slice data, uint32_t keep, int64_t wall_ns,
                         int64_t deleted_ns, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    uint32_t first = kv_entry_first(e), end = first;
    enum errc code = add_version(e, wall_ns, deleted_ns);
    if (code == ERRC_OK) {
        version_name(mount_uuid, path, e->current, name);
        barrier_batch_put(b, &batch, name, data);
        end = move_window(e, keep);
        code = batch_metadata(e, b, &batch, mount_uuid, path);
    }
    if (code != ERRC_OK)
        return errc_fail(why, code, "out of memory for a secret");
    batch_erase(&batch, mount_uuid, path, &first, end);
    TRY(barrier_commit(b, &batch, why));
    /* The version is written; data that could not be erased now is out of reach anyway. */
    for (code = ERRC_OK; first < end && code == ERRC_OK;) {
        struct barrier_batch more CLEANUP(barrier_batch_done);
        barrier_batch_init(&more);
        batch_erase(&more, mount_uuid, path, &first, end);
        code = barrier_commit(b, &more, NULL);
    }
    return ERRC_OK;
}

enum errc kv_entry_data(struct barrier *b, const char *mount_uuid, struct slice path,
                        uint32_t number, struct secret *out, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    version_name(mount_uuid, path, number, name);
    return barrier_get(b, name, out, why);
}

enum errc kv_entry_erase_destroyed(const struct kv_entry *e, struct barrier *b,
                                   const char *mount_uuid, struct slice path, struct errc_why *why)
{
    for (uint32_t number = kv_entry_first(e); number <= e->current; number++) {
        char name[STORE_NAME_MAX];
        version_name(mount_uuid, path, number, name);
        if (kv_entry_version(e, number)->destroyed)
            TRY(store_erase(b->store, slice_of(name), why));
    }
    return ERRC_OK;
}

enum errc kv_entry_erase(struct barrier *b, const char *mount_uuid, struct slice path,
                         struct errc_why *why)
{
    char name[STORE_NAME_MAX], hash[DIGEST_HEX_BYTES];
    metadata_name(mount_uuid, path, name);
    TRY(store_erase(b->store, slice_of(name), why));
    digest_sha256_hex(path, hash);
    (void)snprintf(name, sizeof name, "logical/%s/versions/%s/", mount_uuid, hash);
    return barrier_erase_all(b, name, why);
}
