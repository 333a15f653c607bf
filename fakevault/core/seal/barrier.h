/*
 * barrier: between the store and everybody else; nothing passes it in clear.
 *
 * Three layers of AES-256-GCM, as in Vault:
 *
 *     unseal key (joined from the shares)  opens  "core/root-key"  -> root key
 *     root key                             opens  "core/keyring"   -> one key per term
 *     key of a term                        opens  every other record
 *
 * The name of a record is authenticated with it, so records cannot be swapped. While the barrier is
 * closed it holds no key at all. Rotating adds a term for new writes; old terms stay for reading.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/entropy.h"
#include "base/errc.h"
#include "base/secret.h"
#include "fakevault/core/crypto.h"
#include "fakevault/core/store/store.h"

#define BARRIER_ROOT_KEY_NAME "core/root-key"
#define BARRIER_KEYRING_NAME "core/keyring"
#define BARRIER_KEY_BYTES CRYPTO_AEAD_KEY_BYTES
#define BARRIER_TERMS_MAX 4096u
#define BARRIER_PLAIN_MAX (1u << 20) /* bytes of one record in clear: it must fit the arena */

struct barrier_term {
    struct secret key;
    int64_t installed_ns; /* wall time */
};

struct barrier {
    const struct crypto *crypto;
    const struct store *store;
    struct entropy entropy;
    struct secret_arena *arena;
    struct secret root;
    struct barrier_term *terms;   /* terms[i] is term i + 1; the last one encrypts */
    size_t term_count;            /* 0 while closed */
    uint64_t encryptions;         /* under the last term, since it was loaded or made */
    uint64_t gets, puts, deletes; /* since the start */
};

/* Several changes that reach the store together. */
struct barrier_batch {
    struct store_change changes[STORE_BATCH_MAX];
    struct buf bytes[STORE_BATCH_MAX]; /* name and sealed value of a change */
    size_t count;
    enum errc status; /* the first failure; nothing is written then */
};

void barrier_init(struct barrier *b, const struct crypto *crypto, const struct store *store,
                  struct entropy entropy, struct secret_arena *arena);

/* Makes a root key and term 1 in memory and adds the two records that open them to the batch; the
 * barrier is open afterwards. unseal_key has BARRIER_KEY_BYTES. ERRC_NOMEM, ERRC_CRYPTO. */
MUST_USE enum errc barrier_create(struct barrier *b, struct slice unseal_key, int64_t wall_ns,
                                  struct barrier_batch *batch, struct errc_why *why);

/* Opens with the unseal key. ERRC_CRYPTO: it is the wrong one; else as store_get, ERRC_SCHEMA for
 * damaged records, ERRC_NOMEM. Stays closed on failure. */
MUST_USE enum errc barrier_open(struct barrier *b, struct slice unseal_key, struct errc_why *why);

/* ERRC_SCHEMA, with Vault's sentence, when this cannot be a key of AES: not 16, 24 or 32 bytes. */
MUST_USE enum errc barrier_check_key(struct slice unseal_key, struct errc_why *why);

/* Asks whether this is the unseal key of an open barrier. ERRC_SCHEMA as above; ERRC_CRYPTO, with
 * Vault's sentence, when it is another; else as store_get. */
MUST_USE enum errc barrier_verify(struct barrier *b, struct slice unseal_key, struct errc_why *why);

/* Makes a new root key that a new unseal key opens, and commits the batch together with the two
 * records. After a failure the old keys hold. ERRC_NOMEM, ERRC_IO. */
MUST_USE enum errc barrier_rekey(struct barrier *b, struct slice unseal_key,
                                 struct barrier_batch *batch, struct errc_why *why);

/* Wipes all keys. */
void barrier_close(struct barrier *b);

bool barrier_is_open(const struct barrier *b);

/* Adds a term, stored before it is used. ERRC_TOO_BIG at BARRIER_TERMS_MAX. */
MUST_USE enum errc barrier_rotate(struct barrier *b, int64_t wall_ns, struct errc_why *why);

/* Reads and opens one record into arena memory, which the caller ends. ERRC_NOT_FOUND, ERRC_CRYPTO
 * for one that was tampered with. Requires an open barrier, as all below. */
MUST_USE enum errc barrier_get(struct barrier *b, const char *name, struct secret *out,
                               struct errc_why *why);

/* Seals and opens bytes that are kept by somebody else, for a purpose. ERRC_CRYPTO for what is not
 * of this barrier and purpose, ERRC_SCHEMA for what cannot be, ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc barrier_encrypt(struct barrier *b, const char *purpose, struct slice plain,
                                   struct buf *out, struct errc_why *why);
MUST_USE enum errc barrier_decrypt(struct barrier *b, const char *purpose, struct slice sealed,
                                   struct secret *out, struct errc_why *why);

/* A batch: begin, add, commit or drop. Adding copies. */
void barrier_batch_init(struct barrier_batch *batch);
void barrier_batch_done(struct barrier_batch *batch);
void barrier_batch_put(struct barrier *b, struct barrier_batch *batch, const char *name,
                       struct slice plain);
void barrier_batch_put_clear(struct barrier_batch *batch, const char *name, struct slice bytes);
void barrier_batch_erase(struct barrier_batch *batch, const char *name);
MUST_USE enum errc barrier_commit(struct barrier *b, struct barrier_batch *batch,
                                  struct errc_why *why);

/* One record. */
MUST_USE enum errc barrier_put(struct barrier *b, const char *name, struct slice plain,
                               struct errc_why *why);

/* Deletes every record whose name starts with prefix, in batches; what is left after a failure can
 * be deleted by calling again. */
MUST_USE enum errc barrier_erase_all(struct barrier *b, const char *prefix, struct errc_why *why);
