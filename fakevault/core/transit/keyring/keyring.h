/*
 * keyring: a named transit key with all its versions, stored under the barrier and cached while
 * unsealed (vault-api.md 4.1, 4.2).
 *
 * A version never changes once it is made and is counted by reference, so that a job may use it
 * without the lock while the keyring is rotated, deleted or sealed away. References are taken and
 * given back under the vault's lock. How to use one:
 *
 *     prepare:  const struct keyring_version *v = keyring_version_of(k, number);   NULL: none
 *               item->version = keyring_version_take(v);
 *     work:     TRY(keyring_version_key(item->version, &key, &why));    asymmetric: loaded, lent
 *               item->version->ops->sign(key, ...);
 *               crypto->aead_seal(..., k->traits->crypto, secret_slice(&v->private), ...);
 *               crypto->hmac(..., keyring_version_hmac_key(v), ...);
 *     done:     keyring_version_drop(item->version);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/secret.h"
#include "fakevault/core/crypto.h"
#include "fakevault/core/mount.h"
#include "fakevault/core/seal/barrier.h"

#define KEYRING_NAME_BYTES 257u
#define KEYRING_VERSIONS_MAX 10000u
#define KEYRING_HMAC_BYTES_MIN 32u /* of a key of type hmac */
#define KEYRING_HMAC_BYTES_MAX 512u
#define KEYRING_CONVERGENT_VERSION 3 /* of every version of a convergent key that is made here */

/* What is true for every key of a type (vault-api.md 4.1). */
struct keyring_traits {
    const char *type;       /* "ecdsa-p256" */
    const char *shown_name; /* `name` of a version: "P-256"; NULL: versions show only a time */
    enum crypto_key_type crypto;
    int number;      /* of the type, in a backup (vault-api.md 4.16) */
    bool encryption; /* encrypts and decrypts */
    bool signing;
    bool derivation;
    bool hashes;          /* the input is hashed before it is signed */
    bool associated_data; /* encryption takes some */
    bool hidden;          /* Vault knows the name, but only its enterprise edition has such keys */
};

struct keyring_version {
    unsigned references;
    const struct crypto_key_ops *ops;
    const struct crypto *crypto;
    _Atomic(struct crypto_key *) loaded; /* keyring_version_key fills it */
    struct secret private;               /* as crypto.h says; empty: only the public half is here */
    struct secret hmac;                  /* empty for keys of type hmac */
    struct buf public;                   /* as crypto.h says; empty for symmetric keys */
    bool public_given; /* came from outside or out of the store; a fresh RSA key of Vault's does
                          not know its public half yet, and some requests see that */
    int convergent_version; /* 0: the keyring's */
    int64_t created_ns;
};

/* When something last happened to a keyring, and which version was the latest then. */
struct keyring_event {
    int64_t wall_ns; /* 0: never */
    uint32_t version;
};

enum keyring_kdf {
    KEYRING_KDF_HMAC_COUNTER = 0, /* of derived keys of Vaults before 0.6, from backups only */
    KEYRING_KDF_HKDF = 1,
};

struct keyring {
    char name[KEYRING_NAME_BYTES];
    char mount_uuid[ENTROPY_UUID_BYTES];
    const struct keyring_traits *traits;
    bool deletion_allowed;
    bool exportable;
    bool allow_plaintext_backup;
    bool derived;
    bool convergent;
    bool imported; /* the last version came from outside */
    bool imported_rotation_allowed;
    enum keyring_kdf kdf;   /* of a derived key */
    int convergent_version; /* of versions that have none of their own; -1: see there */
    uint32_t key_size;      /* bytes of an hmac key; 0: not given */
    int64_t auto_rotate_s;
    uint32_t min_available_version;
    uint32_t min_decryption_version;
    uint32_t min_encryption_version;
    struct keyring_event backup, restore;
    struct keyring_version **versions; /* versions[i] is version i + 1; NULL: trimmed */
    uint32_t latest_version;           /* how many there are */

    struct keyring *same_hash;     /* of the cache */
    struct keyring *newer, *older; /* of the cache: order of use */
};

/* What a new key is to be like. */
struct keyring_spec {
    const struct keyring_traits *traits;
    bool derived;
    bool convergent;
    bool exportable;
    bool allow_plaintext_backup;
    bool imported;
    bool imported_rotation_allowed;
    int64_t auto_rotate_s;
    uint32_t key_size; /* of an hmac key; 0: 32 */
};

/* Loaded keyrings; owns them. A zeroed one is empty. Keys that were not used for long leave it when
 * the arena fills up; they are in the store. */
struct keyring_cache {
    struct keyring **buckets;
    size_t bucket_count;
    size_t count;
    struct keyring *newest, *oldest;
};

/* Returns the traits of a type name, or of its number in a backup; NULL: Vault has no such type. */
const struct keyring_traits *keyring_traits_named(struct slice type);
const struct keyring_traits *keyring_traits_numbered(int64_t number);

/* --- versions ----------------------------------------------------------------------------------
 */

/* Makes a fresh version with one reference. Slow for RSA: not under the lock. ERRC_NOMEM,
 * ERRC_CRYPTO. */
MUST_USE enum errc keyring_version_make(const struct keyring_spec *spec,
                                        const struct crypto *crypto, struct secret_arena *arena,
                                        int64_t created_ns, struct keyring_version **out,
                                        struct errc_why *why);

/* A version with one reference, out of a private half, which it takes over, or out of a public one
 * (`private` empty). hmac is taken over, too; an empty one is made unless the type is hmac. Errors
 * as above; ERRC_CRYPTO also when it is no key of the type. */
MUST_USE enum errc keyring_version_new(const struct keyring_traits *traits,
                                       const struct crypto *crypto, struct secret_arena *arena,
                                       struct secret *private, struct slice public,
                                       struct secret *hmac, int64_t created_ns,
                                       struct keyring_version **out, struct errc_why *why);

struct keyring_version *keyring_version_take(struct keyring_version *version);
void keyring_version_drop(struct keyring_version *version); /* NULL allowed */

/* The usable version with this number; NULL below min_decryption_version (Vault: "no such key
 * version") and above latest_version. Lent. */
struct keyring_version *keyring_version_of(const struct keyring *k, int64_t number);

/* The loaded key of an asymmetric version: with its private half when it is there. Loads it on the
 * first use; any thread. Lent. ERRC_NOMEM, ERRC_CRYPTO. */
MUST_USE enum errc keyring_version_key(struct keyring_version *version,
                                       const struct crypto_key **out, struct errc_why *why);

/* Derives len bytes for a context that is not empty (vault-api.md 4.5): HKDF-SHA256 of the private
 * half; by the old function, which knows 32 bytes only, for keys that still have it. For ed25519 it
 * gives a whole private half, for any len. Any thread. ERRC_NOMEM, ERRC_CRYPTO. */
MUST_USE enum errc keyring_version_derive(const struct keyring_version *version,
                                          enum keyring_kdf kdf, struct slice context, size_t len,
                                          struct secret_arena *arena, struct secret *out,
                                          struct errc_why *why);

/* What transit/hmac signs with. */
struct slice keyring_version_hmac_key(const struct keyring_version *version);

/* Appends the public half as a key read shows it: SPKI PEM, or base64 for ed25519 (vault-api.md
 * 4.2). */
void keyring_version_public_text(const struct keyring_version *version, struct buf *out);

/* --- keyrings -----------------------------------------------------------------------------------
 */

/* An empty keyring; ended by keyring_free, or taken by keyring_cache_add. NULL: out of memory. */
struct keyring *keyring_new(const char *mount_uuid, struct slice name,
                            const struct keyring_traits *type);
void keyring_free(struct keyring *k); /* NULL allowed */

/* Appends a version and takes over the caller's reference. ERRC_NOMEM, ERRC_TOO_BIG: not taken. */
MUST_USE enum errc keyring_add_version(struct keyring *k, struct keyring_version *version);

/* Removes the last version again, after a failed write. */
void keyring_remove_last(struct keyring *k);

/* Stores a new keyring with one version, makes it known and takes over the caller's reference to
 * the version. For creating, and for encrypt's upsert. Not taken on failure: errors as
 * keyring_store. */
MUST_USE enum errc keyring_create(struct keyring_cache *cache, struct barrier *b,
                                  const char *mount_uuid, struct slice name,
                                  const struct keyring_spec *spec, struct keyring_version *version,
                                  struct keyring **out, struct errc_why *why);

/* Writes the keyring to the store. Errors as barrier_commit, ERRC_NOMEM; ERRC_TOO_BIG: it has too
 * many versions for one record. */
MUST_USE enum errc keyring_store(const struct keyring *k, struct barrier *b, struct errc_why *why);

/* Deletes it from the store. */
MUST_USE enum errc keyring_erase(const struct keyring *k, struct barrier *b, struct errc_why *why);

/* Reads one from the store; ended by keyring_free. ERRC_NOT_FOUND, else as barrier_get. */
MUST_USE enum errc keyring_record_load(struct barrier *b, const char *mount_uuid, struct slice name,
                                       struct keyring **out, struct errc_why *why);

/* Finds a keyring in the cache or the store. ERRC_NOT_FOUND, else as barrier_get. *out is lent for
 * the step at hand (prepare, finish): a later keyring_find may drop it. The last two that were
 * found stay. */
MUST_USE enum errc keyring_find(struct keyring_cache *cache, struct barrier *b,
                                const char *mount_uuid, struct slice name, struct keyring **out,
                                struct errc_why *why);

/* Puts a keyring into the cache, which owns it then. ERRC_NOMEM: not taken. */
MUST_USE enum errc keyring_cache_add(struct keyring_cache *cache, struct keyring *k);

/* The cached keyring of this name, now the newest; NULL: none. */
struct keyring *keyring_cache_get(struct keyring_cache *cache, const char *mount_uuid,
                                  struct slice name);

/* Drops what was not used for longest while the arena is more than half full. */
void keyring_cache_shrink(struct keyring_cache *cache, struct secret_arena *arena);

/* Removes and frees one keyring, or all of a mount, or all (on seal). Versions that jobs still
 * refer to live until those jobs end. */
void keyring_cache_remove(struct keyring_cache *cache, struct keyring *k);
void keyring_cache_remove_mount(struct keyring_cache *cache, const char *mount_uuid);
void keyring_cache_done(struct keyring_cache *cache);

/* Calls each(context, name) for the names of a mount's keys, sorted; one below a folder is listed
 * as the folder, once ("import/"). */
MUST_USE enum errc keyring_list(struct barrier *b, const char *mount_uuid,
                                enum errc (*each)(void *context, struct slice name), void *context,
                                struct errc_why *why);
