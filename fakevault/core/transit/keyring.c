#include "fakevault/core/transit/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/core/store/pack.h"

#define FORMAT 1
#define PUBLIC_TEXT_MAX 8192u

static const struct keyring_traits traits[] = {
    {.type = "ed25519",
     .shown_name = "ed25519",
     .crypto = CRYPTO_ED25519,
     .signing = true,
     .derivation = true,
     .exists_here = true},
    {.type = "ecdsa-p256",
     .shown_name = "P-256",
     .crypto = CRYPTO_ECDSA_P256,
     .signing = true,
     .hashes = true,
     .exists_here = true},
    {.type = "aes128-gcm96", .derivation = true},
    {.type = "aes256-gcm96", .derivation = true},
    {.type = "chacha20-poly1305", .derivation = true},
    {.type = "ecdsa-p384", .signing = true},
    {.type = "ecdsa-p521", .signing = true},
    {.type = "rsa-2048", .signing = true},
    {.type = "rsa-3072", .signing = true},
    {.type = "rsa-4096", .signing = true},
    {.type = "hmac"},
};

const struct keyring_traits *keyring_traits_named(struct slice type)
{
    for (size_t i = 0; i < sizeof traits / sizeof traits[0]; i++)
        if (slice_equal_text(type, traits[i].type))
            return &traits[i];
    return NULL;
}

static void version_free(struct keyring_version *v)
{
    if (v->key != NULL)
        v->ops->unload(v->key);
    secret_done(&v->private);
    buf_done(&v->public_text);
    free(v);
}

enum errc keyring_version_new(const struct keyring_traits *type, const struct crypto *crypto,
                              struct secret_arena *arena, struct secret *private,
                              int64_t created_ns, struct keyring_version **out,
                              struct errc_why *why)
{
    struct keyring_version *v = calloc(1, sizeof *v);
    if (v == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    v->references = 1;
    v->ops = crypto->keys[type->crypto];
    v->created_ns = created_ns;
    v->private = *private;
    *private = (struct secret){0};
    buf_init(&v->public_text, PUBLIC_TEXT_MAX);
    enum errc code = v->ops->load(crypto->context, arena, secret_slice(&v->private), &v->key, why);
    if (code == ERRC_OK)
        code = v->ops->public_text(v->key, &v->public_text, why);
    if (code != ERRC_OK) {
        version_free(v);
        return code;
    }
    *out = v;
    return ERRC_OK;
}

struct keyring_version *keyring_version_take(struct keyring_version *version)
{
    version->references++;
    return version;
}

void keyring_version_drop(struct keyring_version *version)
{
    if (version != NULL && --version->references == 0)
        version_free(version);
}

struct keyring *keyring_new(const char *mount_uuid, struct slice name,
                            const struct keyring_traits *type)
{
    struct keyring *k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    CHECK(name.len < sizeof k->name && strlen(mount_uuid) < sizeof k->mount_uuid);
    memcpy(k->name, name.ptr, name.len);
    memcpy(k->mount_uuid, mount_uuid, strlen(mount_uuid));
    k->traits = type;
    k->min_decryption_version = 1;
    return k;
}

void keyring_free(struct keyring *k)
{
    if (k == NULL)
        return;
    for (uint32_t i = 0; i < k->latest_version; i++)
        keyring_version_drop(k->versions[i]);
    free(k->versions);
    free(k);
}

enum errc keyring_add_version(struct keyring *k, struct keyring_version *version)
{
    if (k->latest_version >= KEYRING_VERSIONS_MAX)
        return ERRC_TOO_BIG;
    struct keyring_version **grown =
        realloc(k->versions, (k->latest_version + 1) * sizeof(struct keyring_version *));
    if (grown == NULL)
        return ERRC_NOMEM;
    k->versions = grown;
    k->versions[k->latest_version++] = version;
    return ERRC_OK;
}

void keyring_remove_last(struct keyring *k)
{
    keyring_version_drop(k->versions[--k->latest_version]);
}

static void record_name(const char *mount_uuid, struct slice name, char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/policy/%.*s", mount_uuid, SLICE_FMT(name));
}

static void write_record(struct pack *p, const struct keyring *k)
{
    pack_u8(p, FORMAT);
    pack_text(p, k->traits->type);
    pack_u8(p, k->deletion_allowed);
    pack_u8(p, k->exportable);
    pack_u8(p, k->allow_plaintext_backup);
    pack_u8(p, k->derived);
    pack_i64(p, k->auto_rotate_s);
    pack_u32(p, k->min_available_version);
    pack_u32(p, k->min_decryption_version);
    pack_u32(p, k->min_encryption_version);
    pack_u32(p, k->latest_version);
    for (uint32_t i = 0; i < k->latest_version; i++) {
        pack_i64(p, k->versions[i]->created_ns);
        pack_bytes(p, secret_slice(&k->versions[i]->private));
    }
}

enum errc keyring_store(const struct keyring *k, struct barrier *b, struct errc_why *why)
{
    struct pack p = {0};
    write_record(&p, k);
    struct secret bytes CLEANUP(secret_done) = {0};
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
    struct secret private CLEANUP(secret_done) = {0};
    int64_t created_ns = pack_read_i64(u);
    struct slice bytes = pack_read_bytes(u);
    if (u->failed)
        return ERRC_OK;
    TRY(secret_copy(b->arena, bytes, &private));
    TRY(keyring_version_new(k->traits, b->crypto, b->arena, &private, created_ns, &version, why));
    enum errc code = keyring_add_version(k, version);
    if (code != ERRC_OK)
        keyring_version_drop(version);
    return code;
}

static enum errc read_versions(struct unpack *u, struct keyring *k, struct barrier *b,
                               struct errc_why *why)
{
    k->deletion_allowed = pack_read_u8(u) != 0;
    k->exportable = pack_read_u8(u) != 0;
    k->allow_plaintext_backup = pack_read_u8(u) != 0;
    k->derived = pack_read_u8(u) != 0;
    k->auto_rotate_s = pack_read_i64(u);
    k->min_available_version = pack_read_u32(u);
    k->min_decryption_version = pack_read_u32(u);
    k->min_encryption_version = pack_read_u32(u);
    uint32_t count = pack_read_u32(u);
    for (uint32_t i = 0; i < count && !u->failed; i++)
        TRY(read_version(u, k, b, why));
    if (!pack_read_complete(u) || k->latest_version == 0)
        return errc_fail(why, ERRC_SCHEMA, "the stored key \"%s\" is damaged", k->name);
    return ERRC_OK;
}

static enum errc load(struct barrier *b, const char *mount_uuid, struct slice key_name,
                      struct keyring **out, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    struct secret record CLEANUP(secret_done) = {0};
    record_name(mount_uuid, key_name, name);
    TRY(barrier_get(b, name, &record, why));
    struct unpack u = pack_read_from(secret_slice(&record));
    uint8_t format = pack_read_u8(&u);
    const struct keyring_traits *type = keyring_traits_named(pack_read_bytes(&u));
    if (format != FORMAT || type == NULL || !type->exists_here)
        return errc_fail(why, ERRC_SCHEMA, "the stored key \"%.*s\" is of an unknown form",
                         SLICE_FMT(key_name));
    struct keyring *k = keyring_new(mount_uuid, key_name, type);
    if (k == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    enum errc code = read_versions(&u, k, b, why);
    if (code == ERRC_OK)
        *out = k;
    else
        keyring_free(k);
    return code;
}

static struct keyring **cached(struct keyring_cache *cache, const char *mount_uuid,
                               struct slice name)
{
    for (size_t i = 0; i < cache->count; i++)
        if (slice_equal_text(name, cache->items[i]->name) &&
            strcmp(cache->items[i]->mount_uuid, mount_uuid) == 0)
            return &cache->items[i];
    return NULL;
}

enum errc keyring_find(struct keyring_cache *cache, struct barrier *b, const char *mount_uuid,
                       struct slice name, struct keyring **out, struct errc_why *why)
{
    if (name.len == 0 || name.len >= KEYRING_NAME_BYTES)
        return errc_fail(why, ERRC_NOT_FOUND, "no key has a name of %zu bytes", name.len);
    struct keyring **found = cached(cache, mount_uuid, name);
    if (found != NULL) {
        *out = *found;
        return ERRC_OK;
    }
    struct keyring *k = NULL;
    TRY(load(b, mount_uuid, name, &k, why));
    enum errc code = keyring_cache_add(cache, k);
    if (code != ERRC_OK) {
        keyring_free(k);
        return errc_fail(why, code, "out of memory for a key");
    }
    *out = k;
    return ERRC_OK;
}

enum errc keyring_cache_add(struct keyring_cache *cache, struct keyring *k)
{
    struct keyring **grown = realloc(cache->items, (cache->count + 1) * sizeof(struct keyring *));
    if (grown == NULL)
        return ERRC_NOMEM;
    cache->items = grown;
    cache->items[cache->count++] = k;
    return ERRC_OK;
}

void keyring_cache_remove(struct keyring_cache *cache, struct keyring *k)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->items[i] != k)
            continue;
        cache->items[i] = cache->items[--cache->count];
        keyring_free(k);
        return;
    }
}

void keyring_cache_remove_mount(struct keyring_cache *cache, const char *mount_uuid)
{
    for (size_t i = cache->count; i > 0; i--)
        if (strcmp(cache->items[i - 1]->mount_uuid, mount_uuid) == 0)
            keyring_cache_remove(cache, cache->items[i - 1]);
}

void keyring_cache_done(struct keyring_cache *cache)
{
    while (cache->count > 0)
        keyring_free(cache->items[--cache->count]);
    free(cache->items);
    *cache = (struct keyring_cache){0};
}

enum errc keyring_list(struct barrier *b, const char *mount_uuid,
                       enum errc (*each)(void *context, struct slice name), void *context,
                       struct errc_why *why)
{
    char prefix[STORE_NAME_MAX];
    record_name(mount_uuid, SLICE_LITERAL(""), prefix);
    return store_list(b->store, slice_of(prefix), each, context, why);
}
