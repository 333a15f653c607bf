#include <stdio.h>
#include <string.h>

#include "fakevault/core/store/pack.h"
#include "fakevault/core/transit/keyring/keyring.h"

#define FORMAT 2

static void record_name(const char *mount_uuid, struct slice name, char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/policy/%.*s", mount_uuid, SLICE_FMT(name));
}

static void write_version(struct pack *p, const struct keyring_version *v)
{
    pack_u8(p, v != NULL);
    if (v == NULL)
        return;
    pack_i64(p, v->created_ns);
    pack_u32(p, (uint32_t)v->convergent_version);
    pack_bytes(p, secret_slice(&v->private));
    pack_bytes(p, secret_slice(&v->hmac));
    pack_bytes(p, buf_slice(&v->public));
}

static void write_event(struct pack *p, const struct keyring_event *event)
{
    pack_i64(p, event->wall_ns);
    pack_u32(p, event->version);
}

static void write_record(struct pack *p, const struct keyring *k)
{
    pack_u8(p, FORMAT);
    pack_text(p, k->traits->type);
    pack_u8(p, k->deletion_allowed);
    pack_u8(p, k->exportable);
    pack_u8(p, k->allow_plaintext_backup);
    pack_u8(p, k->derived);
    pack_u8(p, k->convergent);
    pack_u8(p, k->imported);
    pack_u8(p, k->imported_rotation_allowed);
    pack_u8(p, (uint8_t)k->kdf);
    pack_u32(p, (uint32_t)k->convergent_version);
    pack_u32(p, k->key_size);
    pack_i64(p, k->auto_rotate_s);
    pack_u32(p, k->min_available_version);
    pack_u32(p, k->min_decryption_version);
    pack_u32(p, k->min_encryption_version);
    write_event(p, &k->backup);
    write_event(p, &k->restore);
    pack_u32(p, k->latest_version);
    for (uint32_t i = 0; i < k->latest_version; i++)
        write_version(p, i + 1 < k->min_available_version ? NULL : k->versions[i]);
}

enum errc keyring_store(const struct keyring *k, struct barrier *b, struct errc_why *why)
{
    struct pack p = {0};
    write_record(&p, k);
    struct secret bytes CLEANUP(secret_done) = {0};
    if (p.len > BARRIER_PLAIN_MAX)
        return errc_fail(why, ERRC_TOO_BIG,
                         "the key \"%s\" has too many versions to be stored: trim it", k->name);
    if (secret_new(b->arena, p.len, &bytes) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    p = pack_into(bytes.ptr, bytes.len);
    write_record(&p, k);
    char name[STORE_NAME_MAX];
    record_name(k->mount_uuid, slice_of(k->name), name);
    return barrier_put(b, name, secret_slice(&bytes), why);
}

enum errc keyring_erase(const struct keyring *k, struct barrier *b, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    record_name(k->mount_uuid, slice_of(k->name), name);
    return store_erase(b->store, slice_of(name), why);
}

static enum errc read_version(struct unpack *u, struct keyring *k, struct barrier *b,
                              struct errc_why *why)
{
    struct keyring_version *version = NULL;
    struct secret private CLEANUP(secret_done) = {0}, hmac CLEANUP(secret_done) = {0};
    if (pack_read_u8(u) == 0)
        return keyring_add_version(k, NULL);
    int64_t created_ns = pack_read_i64(u);
    int convergent_version = (int)pack_read_u32(u);
    struct slice private_bytes = pack_read_bytes(u), hmac_bytes = pack_read_bytes(u),
                 public = pack_read_bytes(u);
    if (u->failed)
        return ERRC_OK;
    TRY(secret_copy(b->arena, private_bytes, &private));
    TRY(secret_copy(b->arena, hmac_bytes, &hmac));
    TRY(keyring_version_new(k->traits, b->crypto, b->arena, &private, public, &hmac, created_ns,
                            &version, why));
    version->convergent_version = convergent_version;
    enum errc code = keyring_add_version(k, version);
    if (code != ERRC_OK)
        keyring_version_drop(version);
    return code;
}

static void read_event(struct unpack *u, struct keyring_event *event)
{
    event->wall_ns = pack_read_i64(u);
    event->version = pack_read_u32(u);
}

static enum errc read_record(struct unpack *u, struct keyring *k, struct barrier *b,
                             struct errc_why *why)
{
    k->deletion_allowed = pack_read_u8(u) != 0;
    k->exportable = pack_read_u8(u) != 0;
    k->allow_plaintext_backup = pack_read_u8(u) != 0;
    k->derived = pack_read_u8(u) != 0;
    k->convergent = pack_read_u8(u) != 0;
    k->imported = pack_read_u8(u) != 0;
    k->imported_rotation_allowed = pack_read_u8(u) != 0;
    k->kdf = (enum keyring_kdf)pack_read_u8(u);
    k->convergent_version = (int)pack_read_u32(u);
    k->key_size = pack_read_u32(u);
    k->auto_rotate_s = pack_read_i64(u);
    k->min_available_version = pack_read_u32(u);
    k->min_decryption_version = pack_read_u32(u);
    k->min_encryption_version = pack_read_u32(u);
    read_event(u, &k->backup);
    read_event(u, &k->restore);
    uint32_t count = pack_read_u32(u);
    for (uint32_t i = 0; i < count && !u->failed; i++)
        TRY(read_version(u, k, b, why));
    if (!pack_read_complete(u) || k->latest_version == 0)
        return errc_fail(why, ERRC_SCHEMA, "the stored key \"%s\" is damaged", k->name);
    return ERRC_OK;
}

enum errc keyring_record_load(struct barrier *b, const char *mount_uuid, struct slice key_name,
                              struct keyring **out, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    struct secret record CLEANUP(secret_done) = {0};
    record_name(mount_uuid, key_name, name);
    TRY(barrier_get(b, name, &record, why));
    struct unpack u = pack_read_from(secret_slice(&record));
    uint8_t format = pack_read_u8(&u);
    const struct keyring_traits *type = keyring_traits_named(pack_read_bytes(&u));
    if (format != FORMAT || type == NULL)
        return errc_fail(why, ERRC_SCHEMA, "the stored key \"%.*s\" is of an unknown form",
                         SLICE_FMT(key_name));
    struct keyring *k = keyring_new(mount_uuid, key_name, type);
    if (k == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    enum errc code = read_record(&u, k, b, why);
    if (code == ERRC_OK)
        *out = k;
    else
        keyring_free(k);
    return code;
}

struct folders {
    enum errc (*each)(void *context, struct slice name);
    void *context;
    char last[STORE_NAME_MAX];
};

static enum errc fold(void *context, struct slice name)
{
    struct folders *f = context;
    size_t slash = slice_find(name, '/');
    if (slash == name.len)
        return f->each(f->context, name);
    struct slice folder = {name.ptr, slash + 1};
    if (slice_equal_text(folder, f->last))
        return ERRC_OK;
    (void)snprintf(f->last, sizeof f->last, "%.*s", SLICE_FMT(folder));
    return f->each(f->context, folder);
}

enum errc keyring_list(struct barrier *b, const char *mount_uuid,
                       enum errc (*each)(void *context, struct slice name), void *context,
                       struct errc_why *why)
{
    char prefix[STORE_NAME_MAX];
    struct folders folders = {.each = each, .context = context};
    record_name(mount_uuid, SLICE_LITERAL(""), prefix);
    return store_list(b->store, slice_of(prefix), fold, &folders, why);
}
