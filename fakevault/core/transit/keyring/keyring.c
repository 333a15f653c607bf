#include "fakevault/core/transit/keyring/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/count.h"

#define CIPHER .encryption = true, .derivation = true, .associated_data = true
#define ECDSA .signing = true, .hashes = true
#define RSA .encryption = true, .signing = true, .hashes = true

static const struct keyring_traits traits[] = {
    {.type = "aes256-gcm96", .number = 0, .crypto = CRYPTO_AES256_GCM96, CIPHER},
    {.type = "aes128-gcm96", .number = 8, .crypto = CRYPTO_AES128_GCM96, CIPHER},
    {.type = "chacha20-poly1305", .number = 5, .crypto = CRYPTO_CHACHA20_POLY1305, CIPHER},
    {.type = "ed25519",
     .shown_name = "ed25519",
     .number = 2,
     .crypto = CRYPTO_ED25519,
     .signing = true,
     .derivation = true},
    {.type = "ecdsa-p256", .shown_name = "P-256", .number = 1, .crypto = CRYPTO_ECDSA_P256, ECDSA},
    {.type = "ecdsa-p384", .shown_name = "P-384", .number = 6, .crypto = CRYPTO_ECDSA_P384, ECDSA},
    {.type = "ecdsa-p521", .shown_name = "P-521", .number = 7, .crypto = CRYPTO_ECDSA_P521, ECDSA},
    {.type = "rsa-2048", .shown_name = "rsa-2048", .number = 3, .crypto = CRYPTO_RSA_2048, RSA},
    {.type = "rsa-3072", .shown_name = "rsa-3072", .number = 9, .crypto = CRYPTO_RSA_3072, RSA},
    {.type = "rsa-4096", .shown_name = "rsa-4096", .number = 4, .crypto = CRYPTO_RSA_4096, RSA},
    {.type = "hmac", .number = 11, .crypto = CRYPTO_HMAC},
    {.type = "managed_key", .number = 10, .hidden = true},
};

const struct keyring_traits *keyring_traits_named(struct slice type)
{
    for (size_t i = 0; i < COUNT(traits); i++)
        if (slice_equal_text(type, traits[i].type))
            return &traits[i];
    return NULL;
}

const struct keyring_traits *keyring_traits_numbered(int64_t number)
{
    for (size_t i = 0; i < COUNT(traits); i++)
        if (traits[i].number == number)
            return &traits[i];
    return NULL;
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

static void fill(struct keyring *k, const struct keyring_spec *spec)
{
    k->derived = spec->derived;
    k->kdf = spec->derived ? KEYRING_KDF_HKDF : KEYRING_KDF_HMAC_COUNTER;
    k->convergent = spec->convergent;
    k->convergent_version = spec->convergent ? -1 : 0;
    k->exportable = spec->exportable;
    k->allow_plaintext_backup = spec->allow_plaintext_backup;
    k->imported = spec->imported;
    k->imported_rotation_allowed = spec->imported_rotation_allowed;
    k->auto_rotate_s = spec->auto_rotate_s;
    k->key_size = spec->key_size;
}

enum errc keyring_create(struct keyring_cache *cache, struct barrier *b, const char *mount_uuid,
                         struct slice name, const struct keyring_spec *spec,
                         struct keyring_version *version, struct keyring **out,
                         struct errc_why *why)
{
    struct keyring *k = keyring_new(mount_uuid, name, spec->traits);
    if (k == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    fill(k, spec);
    enum errc code = keyring_add_version(k, version);
    if (code == ERRC_OK)
        code = keyring_cache_add(cache, k);
    if (code != ERRC_OK) {
        k->latest_version = 0; /* the caller keeps its reference */
        keyring_free(k);
        return code;
    }
    keyring_cache_shrink(cache, b->arena);
    code = keyring_store(k, b, why);
    if (code == ERRC_OK) {
        *out = k;
        return ERRC_OK;
    }
    k->latest_version = 0;
    keyring_cache_remove(cache, k);
    return code;
}

enum errc keyring_find(struct keyring_cache *cache, struct barrier *b, const char *mount_uuid,
                       struct slice name, struct keyring **out, struct errc_why *why)
{
    if (name.len == 0 || name.len >= KEYRING_NAME_BYTES)
        return errc_fail(why, ERRC_NOT_FOUND, "no key has a name of %zu bytes", name.len);
    *out = keyring_cache_get(cache, mount_uuid, name);
    if (*out != NULL)
        return ERRC_OK;
    struct keyring *k = NULL;
    keyring_cache_shrink(cache, b->arena);
    TRY(keyring_record_load(b, mount_uuid, name, &k, why));
    enum errc code = keyring_cache_add(cache, k);
    if (code != ERRC_OK) {
        keyring_free(k);
        return errc_fail(why, code, "out of memory for a key");
    }
    *out = k;
    return ERRC_OK;
}
