/*
 * crypto: the port to ciphers and signatures, so that live processes use OpenSSL and libsodium and
 * a simulation may use something fast that replays to the byte.
 *
 * Only this port makes or uses keys. Private key material enters and leaves it as bytes in a secret
 * arena; a loaded key keeps its working state inside the port and is safe to use from several
 * threads at once. Nothing here prints a key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/secret.h"
#include "base/text/buf.h"

#define CRYPTO_AEAD_KEY_BYTES 32u /* AES-256-GCM */
#define CRYPTO_AEAD_NONCE_BYTES 12u
#define CRYPTO_AEAD_TAG_BYTES 16u
#define CRYPTO_HASH_BYTES_MAX 64u
#define CRYPTO_PRIVATE_BYTES_MAX 4096u /* a serialised private key */

enum crypto_hash {
    CRYPTO_HASH_NONE,
    CRYPTO_HASH_SHA1,
    CRYPTO_HASH_SHA2_224,
    CRYPTO_HASH_SHA2_256,
    CRYPTO_HASH_SHA2_384,
    CRYPTO_HASH_SHA2_512,
    CRYPTO_HASH_SHA3_224,
    CRYPTO_HASH_SHA3_256,
    CRYPTO_HASH_SHA3_384,
    CRYPTO_HASH_SHA3_512,
};

enum crypto_key_type {
    CRYPTO_ED25519,
    CRYPTO_ECDSA_P256,
    CRYPTO_KEY_TYPE_COUNT,
};

/* How an ECDSA signature is written; other types ignore it. */
enum crypto_marshal {
    CRYPTO_MARSHAL_ASN1, /* DER of r and s */
    CRYPTO_MARSHAL_JWS,  /* r and s, each of fixed width */
};

enum crypto_verdict {
    CRYPTO_VALID,
    CRYPTO_WRONG,     /* well formed, does not verify */
    CRYPTO_MALFORMED, /* not the encoding of a signature */
    CRYPTO_TRAILING,  /* a signature with bytes behind it */
};

struct crypto_key; /* a loaded key pair, owned by the port */

/* What one type of key can do. `input` is the message; it is hashed inside unless prehashed. */
struct crypto_key_ops {
    /* Makes a pair and returns its private half, serialised, in *private (arena memory, owned by
     * the caller). The entropy is the port's. ERRC_NOMEM, ERRC_CRYPTO. */
    enum errc (*generate)(void *context, struct secret_arena *arena, struct secret *private,
                          struct errc_why *why);

    /* Loads what generate returned. ERRC_CRYPTO when it is no such key, ERRC_NOMEM. */
    enum errc (*load)(void *context, struct secret_arena *arena, struct slice private,
                      struct crypto_key **out, struct errc_why *why);

    /* Appends the public half as `public_key` of a key read shows it: SPKI PEM, or base64 for
     * ed25519 (vault-api.md 4.2). */
    enum errc (*public_text)(const struct crypto_key *key, struct buf *out, struct errc_why *why);

    enum errc (*sign)(const struct crypto_key *key, enum crypto_hash hash, bool prehashed,
                      enum crypto_marshal marshal, struct slice input, struct buf *out,
                      struct errc_why *why);

    /* ERRC_OK with *verdict, or ERRC_NOMEM / ERRC_CRYPTO when the check could not be made. */
    enum errc (*verify)(const struct crypto_key *key, enum crypto_hash hash, bool prehashed,
                        enum crypto_marshal marshal, struct slice input, struct slice signature,
                        enum crypto_verdict *verdict, struct errc_why *why);

    void (*unload)(struct crypto_key *key); /* wipes and frees; NULL allowed */
};

struct crypto {
    /* Seals plain under key (CRYPTO_AEAD_KEY_BYTES) and nonce with aad; appends ciphertext and tag.
     */
    enum errc (*aead_seal)(void *context, struct slice key, const uint8_t *nonce, struct slice aad,
                           struct slice plain, struct buf *out, struct errc_why *why);

    /* Opens it into arena memory. ERRC_CRYPTO when the tag does not fit. */
    enum errc (*aead_open)(void *context, struct slice key, const uint8_t *nonce, struct slice aad,
                           struct slice sealed, struct secret_arena *arena, struct secret *plain,
                           struct errc_why *why);

    /* Hashes input; *len is how many bytes of out it took. ERRC_CRYPTO, also for a hash that is
     * none. */
    enum errc (*hash)(void *context, enum crypto_hash hash, struct slice input,
                      uint8_t out[CRYPTO_HASH_BYTES_MAX], size_t *len, struct errc_why *why);

    const struct crypto_key_ops *keys[CRYPTO_KEY_TYPE_COUNT];
    void *context;
};
