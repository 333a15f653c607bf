/*
 * crypto: the port to ciphers and signatures, so that live processes use OpenSSL and libsodium and
 * a simulation may use something fast that replays to the byte.
 *
 * Only this port makes or uses keys. Private key material enters and leaves it as bytes in a secret
 * arena; a loaded key keeps its working state inside the port and is safe to use from several
 * threads at once, as is everything here. Nothing here prints a key.
 *
 * A key as bytes:
 *
 *     aes*-gcm96, chacha20-poly1305, hmac   the key itself; used as bytes, never loaded
 *     ed25519     private: seed and public half, 64 bytes; public: 32 bytes
 *     ecdsa-*     private: the scalar, big-endian, of the curve's width; public: SPKI DER
 *     rsa-*       private: PKCS#1 DER; public: SPKI DER
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/secret.h"
#include "base/text/buf.h"

#define CRYPTO_AEAD_KEY_BYTES 32u /* AES-256-GCM and ChaCha20-Poly1305 */
#define CRYPTO_AEAD_NONCE_BYTES 12u
#define CRYPTO_AEAD_TAG_BYTES 16u
#define CRYPTO_HASH_BYTES_MAX 64u
#define CRYPTO_HMAC_KEY_BYTES 32u /* of a key that is not of type hmac itself */
#define CRYPTO_ED25519_SEED_BYTES 32u
#define CRYPTO_WRAP_OVERHEAD_BYTES 15u /* AES-KWP adds 8 bytes and pads to 8 */

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
    CRYPTO_HASH_COUNT,
};

enum crypto_key_type {
    CRYPTO_AES128_GCM96,
    CRYPTO_AES256_GCM96,
    CRYPTO_CHACHA20_POLY1305,
    CRYPTO_CIPHER_COUNT, /* the ciphers above stand first */
    CRYPTO_HMAC = CRYPTO_CIPHER_COUNT,
    CRYPTO_ED25519,
    CRYPTO_ECDSA_P256,
    CRYPTO_ECDSA_P384,
    CRYPTO_ECDSA_P521,
    CRYPTO_RSA_2048,
    CRYPTO_RSA_3072,
    CRYPTO_RSA_4096,
    CRYPTO_KEY_TYPE_COUNT,
};

/* How an ECDSA signature is written; other types ignore it. */
enum crypto_marshal {
    CRYPTO_MARSHAL_ASN1, /* DER of r and s */
    CRYPTO_MARSHAL_JWS,  /* r and s, each of fixed width */
};

/* How an RSA signature is padded; other types ignore it. */
enum crypto_padding {
    CRYPTO_PADDING_PSS,
    CRYPTO_PADDING_PKCS1V15,
};

/* Salt of RSA-PSS, as Go numbers it; else its length in bytes. */
#define CRYPTO_SALT_AUTO 0    /* signing: as long as possible; verifying: whatever was used */
#define CRYPTO_SALT_HASH (-1) /* as long as the hash */

/* How a message is signed. */
struct crypto_scheme {
    enum crypto_hash hash; /* Ed25519 ignores it; CRYPTO_HASH_NONE: the input as it is */
    bool prehashed;        /* the input is a hash already */
    enum crypto_marshal marshal;
    enum crypto_padding padding;
    int64_t salt_length;
};

enum crypto_verdict {
    CRYPTO_VALID,
    CRYPTO_WRONG,     /* well formed, does not verify */
    CRYPTO_MALFORMED, /* not the encoding of a signature */
    CRYPTO_TRAILING,  /* a signature with bytes behind it */
};

struct crypto_key; /* a loaded key, owned by the port */

/* What one type of key can do; NULL where the type cannot (vault-api.md 4.1). */
struct crypto_key_ops {
    /* Makes a key and returns its private half in *private (arena memory, owned by the caller).
     * `bytes` is the size of an hmac key; other types have theirs. The entropy is the port's. Takes
     * up to seconds for RSA: never call it under the vault's lock. ERRC_NOMEM, ERRC_CRYPTO. */
    enum errc (*generate)(void *context, struct secret_arena *arena, size_t bytes,
                          struct secret *private, struct errc_why *why);

    /* Loads a private half; the bytes must outlive the key. ERRC_CRYPTO when it is no such key,
     * ERRC_NOMEM. */
    enum errc (*load)(void *context, struct slice private, struct crypto_key **out,
                      struct errc_why *why);

    /* Loads a public half alone; such a key verifies and encrypts. Errors as load. */
    enum errc (*load_public)(void *context, struct slice public, struct crypto_key **out,
                             struct errc_why *why);

    /* Appends the public half as bytes. */
    enum errc (*public_half)(const struct crypto_key *key, struct buf *out, struct errc_why *why);

    /* Appends the raw signature. What a caller asked for in vain is ERRC_RANGE with Go's sentence
     * ("requested salt length 999 is invalid"), as is the lack of a private half. */
    enum errc (*sign)(const struct crypto_key *key, const struct crypto_scheme *scheme,
                      struct slice input, struct buf *out, struct errc_why *why);

    /* ERRC_OK with *verdict; ERRC_RANGE as sign; ERRC_NOMEM, ERRC_CRYPTO when the check could not
     * be made. */
    enum errc (*verify)(const struct crypto_key *key, const struct crypto_scheme *scheme,
                        struct slice input, struct slice signature, enum crypto_verdict *verdict,
                        struct errc_why *why);

    /* RSA-OAEP, hash and MGF1 the same. ERRC_RANGE: the plain text is too long, or there is no
     * private half; ERRC_CRYPTO: it does not decrypt. Go's sentences ("crypto/rsa: decryption
     * error"). */
    enum errc (*encrypt)(const struct crypto_key *key, enum crypto_hash hash, struct slice plain,
                         struct buf *out, struct errc_why *why);
    enum errc (*decrypt)(const struct crypto_key *key, enum crypto_hash hash, struct slice sealed,
                         struct secret_arena *arena, struct secret *plain, struct errc_why *why);

    void (*unload)(struct crypto_key *key); /* wipes and frees; NULL allowed */
};

struct crypto {
    /* Seals plain under key (crypto_cipher_key_bytes) and nonce with aad; appends ciphertext and
     * tag. */
    enum errc (*aead_seal)(void *context, enum crypto_key_type cipher, struct slice key,
                           const uint8_t *nonce, struct slice aad, struct slice plain,
                           struct buf *out, struct errc_why *why);

    /* Opens it into `plain`, which has sealed.len - CRYPTO_AEAD_TAG_BYTES bytes and is wiped when
     * the tag does not fit. ERRC_CRYPTO then, or when it is shorter than a tag. */
    enum errc (*aead_open)(void *context, enum crypto_key_type cipher, struct slice key,
                           const uint8_t *nonce, struct slice aad, struct slice sealed,
                           uint8_t *plain, struct errc_why *why);

    /* out has CRYPTO_HASH_BYTES_MAX bytes; *len says how many were used. ERRC_CRYPTO, also for
     * CRYPTO_HASH_NONE. */
    enum errc (*hash)(void *context, enum crypto_hash hash, struct slice input, uint8_t *out,
                      size_t *len, struct errc_why *why);
    enum errc (*hmac)(void *context, enum crypto_hash hash, struct slice key, struct slice input,
                      uint8_t *out, size_t *len, struct errc_why *why);

    /* HKDF-SHA256 (RFC 5869): fills out with len bytes, at most 255 * 32. */
    enum errc (*hkdf)(void *context, struct slice key, struct slice salt, struct slice info,
                      uint8_t *out, size_t len, struct errc_why *why);

    /* The private half of the Ed25519 key with this seed (CRYPTO_ED25519_SEED_BYTES). */
    enum errc (*ed25519_expand)(void *context, struct slice seed, struct secret_arena *arena,
                                struct secret *private, struct errc_why *why);

    /* AES-256 key wrap with padding (RFC 5649) under a key of CRYPTO_AEAD_KEY_BYTES. ERRC_CRYPTO:
     * it was not wrapped under that key. */
    enum errc (*wrap)(void *context, struct slice key, struct slice plain, struct buf *out,
                      struct errc_why *why);
    enum errc (*unwrap)(void *context, struct slice key, struct slice wrapped,
                        struct secret_arena *arena, struct secret *plain, struct errc_why *why);

    const struct crypto_key_ops *keys[CRYPTO_KEY_TYPE_COUNT];
    void *context;
};

/* Bytes of a cipher's key: 16 or 32. */
static inline size_t crypto_cipher_key_bytes(enum crypto_key_type cipher)
{
    return cipher == CRYPTO_AES128_GCM96 ? 16u : CRYPTO_AEAD_KEY_BYTES;
}
