/*
 * crypto_inner: what the parts of the live crypto port share. Only they include it.
 *
 * Algorithms are fetched from OpenSSL's provider once, at the start: a fetch per operation would
 * cost more than a small hash.
 */
#pragma once

#include <openssl/evp.h>

#include "fakevault/core/crypto.h"

/* A loaded key. Immutable, so that threads may share it: an operation works on a copy of a context
 * that was set up when the key was loaded. */
struct crypto_key {
    EVP_PKEY *pkey;          /* ecdsa, rsa */
    EVP_PKEY_CTX *signing;   /* ecdsa; NULL without a private half */
    EVP_PKEY_CTX *verifying; /* ecdsa */
    bool has_private;
    size_t bytes;                 /* width of a scalar (ecdsa) or of the modulus (rsa) */
    const unsigned char *ed25519; /* the private half, borrowed; NULL without one */
    unsigned char ed25519_public[32];
};

/* Fetches everything; once. */
void crypto_inner_start(void);

/* OpenSSL's view of a hash; NULL for CRYPTO_HASH_NONE. */
const EVP_MD *crypto_inner_md(enum crypto_hash hash);

/* Says what OpenSSL says: "cannot sign: reason". ERRC_NOMEM or ERRC_CRYPTO. */
enum errc crypto_inner_failed(struct errc_why *why, const char *what);

/* The bytes of a slice, never NULL. */
static inline const unsigned char *crypto_inner_octets(struct slice s)
{
    return (const unsigned char *)(s.ptr == NULL ? "" : s.ptr);
}

/* What is signed: the input's hash, or the input when it is one already. `slice` borrows from the
 * input or from `bytes`. */
struct crypto_hashed {
    unsigned char bytes[CRYPTO_HASH_BYTES_MAX];
    struct slice slice;
};

MUST_USE enum errc crypto_inner_hash(const struct crypto_scheme *scheme, struct slice input,
                                     struct crypto_hashed *out, struct errc_why *why);

/* An empty key, or NULL; and its end. */
struct crypto_key *crypto_inner_key_new(void);
void crypto_inner_key_unload(struct crypto_key *key);

/* For CLEANUP. */
void crypto_inner_pkey_done(EVP_PKEY **p);
void crypto_inner_context_done(EVP_PKEY_CTX **c);

/* ERRC_RANGE when the key has only its public half, with Vault's sentence. */
MUST_USE enum errc crypto_inner_can_sign(const struct crypto_key *key, struct errc_why *why);

/* Loads SPKI DER into key->pkey. ERRC_CRYPTO when it is none, or has bytes behind it. */
MUST_USE enum errc crypto_inner_load_spki(struct slice public, struct crypto_key *key,
                                          struct errc_why *why);

/* Appends key->pkey as SPKI DER. */
MUST_USE enum errc crypto_inner_public_half(const struct crypto_key *key, struct buf *out,
                                            struct errc_why *why);

/* Overwrites the part of the stack that what was called before may have left key bytes on. */
void crypto_inner_wipe_stack(void);

/* The parts. */
extern const struct crypto_key_ops crypto_ed25519_ops;
extern const struct crypto_key_ops crypto_ec_p256, crypto_ec_p384, crypto_ec_p521;
extern const struct crypto_key_ops crypto_rsa_2048, crypto_rsa_3072, crypto_rsa_4096;
extern const struct crypto_key_ops crypto_aead_aes128, crypto_aead_aes256, crypto_aead_chacha20;
extern const struct crypto_key_ops crypto_mac_ops;

enum errc crypto_ed25519_expand(void *context, struct slice seed, struct secret_arena *arena,
                                struct secret *private, struct errc_why *why);

void crypto_aead_start(void);
enum errc crypto_aead_seal(void *context, enum crypto_key_type cipher, struct slice key,
                           const uint8_t *nonce, struct slice aad, struct slice plain,
                           struct buf *out, struct errc_why *why);
enum errc crypto_aead_open(void *context, enum crypto_key_type cipher, struct slice key,
                           const uint8_t *nonce, struct slice aad, struct slice sealed,
                           uint8_t *plain, struct errc_why *why);
enum errc crypto_aead_wrap(void *context, struct slice key, struct slice plain, struct buf *out,
                           struct errc_why *why);
enum errc crypto_aead_unwrap(void *context, struct slice key, struct slice wrapped,
                             struct secret_arena *arena, struct secret *plain,
                             struct errc_why *why);

void crypto_mac_start(void);
enum errc crypto_mac_hash(void *context, enum crypto_hash hash, struct slice input, uint8_t *out,
                          size_t *len, struct errc_why *why);
enum errc crypto_mac_hmac(void *context, enum crypto_hash hash, struct slice key,
                          struct slice input, uint8_t *out, size_t *len, struct errc_why *why);
enum errc crypto_mac_hkdf(void *context, struct slice key, struct slice salt, struct slice info,
                          uint8_t *out, size_t len, struct errc_why *why);
