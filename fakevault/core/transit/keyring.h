/*
 * keyring: a named transit key with all its versions, stored under the barrier and cached while
 * unsealed.
 *
 * A version never changes once it is made and is counted by reference, so that a job may sign with
 * it without the lock while the keyring is rotated, deleted or sealed away. References are taken
 * and given back under the vault's lock.
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

/* What is true for every key of a type (vault-api.md 4.1). */
struct keyring_traits {
    const char *type;       /* "ecdsa-p256" */
    const char *shown_name; /* `name` of a version: "P-256" */
    enum crypto_key_type crypto;
    bool signing;
    bool derivation;
    bool hashes;      /* the input is hashed before it is signed */
    bool exists_here; /* false: Vault has it, this server does not make it yet */
};

struct keyring_version {
    unsigned references;
    const struct crypto_key_ops *ops;
    struct crypto_key *key; /* loaded */
    struct secret private;  /* serialised */
    struct buf public_text;
    int64_t created_ns;
};

struct keyring {
    char name[KEYRING_NAME_BYTES];
    char mount_uuid[ENTROPY_UUID_BYTES];
    const struct keyring_traits *traits;
    bool deletion_allowed;
    bool exportable;
    bool allow_plaintext_backup;
    bool derived;
    int64_t auto_rotate_s;
    uint32_t min_available_version;
    uint32_t min_decryption_version;
    uint32_t min_encryption_version;
    struct keyring_version **versions; /* versions[i] is version i + 1 */
    uint32_t latest_version;           /* how many there are */
};

/* Loaded keyrings; owns them. */
struct keyring_cache {
    struct keyring **items;
    size_t count;
};

/* Returns the traits of a type name, or NULL when Vault has no such type. */
const struct keyring_traits *keyring_traits_named(struct slice type);

/* A version with one reference, from a freshly made private half, which it takes. Reads no store.
 * ERRC_NOMEM, ERRC_CRYPTO. */
MUST_USE enum errc keyring_version_new(const struct keyring_traits *traits,
                                       const struct crypto *crypto, struct secret_arena *arena,
                                       struct secret *private, int64_t created_ns,
                                       struct keyring_version **out, struct errc_why *why);

struct keyring_version *keyring_version_take(struct keyring_version *version);
void keyring_version_drop(struct keyring_version *version); /* NULL allowed */

/* An empty keyring; ended by keyring_free, or taken by keyring_cache_add. NULL: out of memory. */
struct keyring *keyring_new(const char *mount_uuid, struct slice name,
                            const struct keyring_traits *type);
void keyring_free(struct keyring *k); /* NULL allowed */

/* Appends a version and takes over the caller's reference. ERRC_NOMEM, ERRC_TOO_BIG: not taken. */
MUST_USE enum errc keyring_add_version(struct keyring *k, struct keyring_version *version);

/* Removes the last version again, after a failed write. */
void keyring_remove_last(struct keyring *k);

/* Writes the keyring to the store. Errors as barrier_commit, ERRC_NOMEM. */
MUST_USE enum errc keyring_store(const struct keyring *k, struct barrier *b, struct errc_why *why);

/* Deletes it from the store. */
MUST_USE enum errc keyring_erase(const struct keyring *k, struct barrier *b, struct errc_why *why);

/* Finds a keyring in the cache or the store. ERRC_NOT_FOUND, else as barrier_get. *out is lent
 * until the cache drops it. */
MUST_USE enum errc keyring_find(struct keyring_cache *cache, struct barrier *b,
                                const char *mount_uuid, struct slice name, struct keyring **out,
                                struct errc_why *why);

/* Puts a keyring into the cache, which owns it then. ERRC_NOMEM: not taken. */
MUST_USE enum errc keyring_cache_add(struct keyring_cache *cache, struct keyring *k);

/* Removes and frees one keyring, or all of a mount, or all (on seal). Versions that jobs still
 * refer to live until those jobs end. */
void keyring_cache_remove(struct keyring_cache *cache, struct keyring *k);
void keyring_cache_remove_mount(struct keyring_cache *cache, const char *mount_uuid);
void keyring_cache_done(struct keyring_cache *cache);

/* Calls each(context, name) for the names of a mount's keys, sorted. */
MUST_USE enum errc keyring_list(struct barrier *b, const char *mount_uuid,
                                enum errc (*each)(void *context, struct slice name), void *context,
                                struct errc_why *why);
