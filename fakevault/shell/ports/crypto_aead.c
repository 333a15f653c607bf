#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/shell/ports/crypto_inner.h"

#define WRAP_BLOCK_BYTES 8u

static EVP_CIPHER *ciphers[CRYPTO_CIPHER_COUNT];
static EVP_CIPHER *wrap_cipher;

void crypto_aead_start(void)
{
    static const char *const names[CRYPTO_CIPHER_COUNT] = {
        [CRYPTO_AES128_GCM96] = "AES-128-GCM",
        [CRYPTO_AES256_GCM96] = "AES-256-GCM",
        [CRYPTO_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
    };
    for (int i = 0; i < CRYPTO_CIPHER_COUNT; i++) {
        ciphers[i] = EVP_CIPHER_fetch(NULL, names[i], NULL);
        CHECK(ciphers[i] != NULL);
    }
    wrap_cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
    CHECK(wrap_cipher != NULL);
}

static enum errc generate(struct secret_arena *arena, enum crypto_key_type cipher,
                          struct secret *private, struct errc_why *why)
{
    size_t bytes = crypto_cipher_key_bytes(cipher);
    if (secret_new(arena, bytes, private) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    if (RAND_priv_bytes(private->ptr, (int)bytes) == 1)
        return ERRC_OK;
    secret_done(private);
    return crypto_inner_failed(why, "cannot make a key");
}

#define CIPHER_OPS(name, type)                                                                     \
    static enum errc generate_##name(void *context, struct secret_arena *arena, size_t bytes,      \
                                     struct secret *private, struct errc_why *why)                 \
    {                                                                                              \
        (void)context;                                                                             \
        (void)bytes;                                                                               \
        return generate(arena, type, private, why);                                                \
    }                                                                                              \
    const struct crypto_key_ops crypto_aead_##name = {.generate = generate_##name}

CIPHER_OPS(aes128, CRYPTO_AES128_GCM96);
CIPHER_OPS(aes256, CRYPTO_AES256_GCM96);
CIPHER_OPS(chacha20, CRYPTO_CHACHA20_POLY1305);

static void cipher_done(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c); /* wipes */
}

static bool start(EVP_CIPHER_CTX *c, enum crypto_key_type cipher, struct slice key,
                  const uint8_t *nonce, struct slice aad, int encrypt)
{
    int len = 0;
    CHECK(cipher < CRYPTO_CIPHER_COUNT && key.len == crypto_cipher_key_bytes(cipher) &&
          aad.len <= INT32_MAX);
    return EVP_CipherInit_ex2(c, ciphers[cipher], crypto_inner_octets(key), nonce, encrypt, NULL) ==
               1 &&
           EVP_CipherUpdate(c, NULL, &len, crypto_inner_octets(aad), (int)aad.len) == 1;
}

enum errc crypto_aead_seal(void *context, enum crypto_key_type cipher, struct slice key,
                           const uint8_t *nonce, struct slice aad, struct slice plain,
                           struct buf *out, struct errc_why *why)
{
    (void)context;
    EVP_CIPHER_CTX *c CLEANUP(cipher_done) = EVP_CIPHER_CTX_new();
    char *at = buf_reserve(out, plain.len + CRYPTO_AEAD_TAG_BYTES);
    if (c == NULL || at == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory to encrypt");
    CHECK(plain.len <= INT32_MAX);
    unsigned char *to = (unsigned char *)at;
    int len = 0, end = 0;
    if (!start(c, cipher, key, nonce, aad, 1) ||
        EVP_CipherUpdate(c, to, &len, crypto_inner_octets(plain), (int)plain.len) != 1 ||
        EVP_CipherFinal_ex(c, to + len, &end) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CRYPTO_AEAD_TAG_BYTES, to + plain.len) != 1)
        return crypto_inner_failed(why, "cannot encrypt");
    buf_commit(out, plain.len + CRYPTO_AEAD_TAG_BYTES);
    return ERRC_OK;
}

/* The sentences are those of the two packages of Go. */
static enum errc not_authentic(enum crypto_key_type cipher, struct errc_why *why)
{
    return errc_fail(why, ERRC_CRYPTO, "%s: message authentication failed",
                     cipher == CRYPTO_CHACHA20_POLY1305 ? "chacha20poly1305" : "cipher");
}

enum errc crypto_aead_open(void *context, enum crypto_key_type cipher, struct slice key,
                           const uint8_t *nonce, struct slice aad, struct slice sealed,
                           uint8_t *plain, struct errc_why *why)
{
    (void)context;
    if (sealed.len < CRYPTO_AEAD_TAG_BYTES || sealed.len > INT32_MAX)
        return not_authentic(cipher, why);
    EVP_CIPHER_CTX *c CLEANUP(cipher_done) = EVP_CIPHER_CTX_new();
    size_t size = sealed.len - CRYPTO_AEAD_TAG_BYTES;
    unsigned char tag[CRYPTO_AEAD_TAG_BYTES];
    memcpy(tag, sealed.ptr + size, sizeof tag);
    if (c == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory to decrypt");
    int len = 0, end = 0;
    if (start(c, cipher, key, nonce, aad, 0) &&
        EVP_CipherUpdate(c, plain, &len, crypto_inner_octets(sealed), (int)size) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, CRYPTO_AEAD_TAG_BYTES, tag) == 1 &&
        EVP_CipherFinal_ex(c, plain + len, &end) == 1)
        return ERRC_OK;
    ERR_clear_error();
    OPENSSL_cleanse(plain, size);
    return not_authentic(cipher, why);
}

static bool start_wrap(EVP_CIPHER_CTX *c, struct slice key, int encrypt)
{
    CHECK(key.len == CRYPTO_AEAD_KEY_BYTES);
    EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    return EVP_CipherInit_ex2(c, wrap_cipher, crypto_inner_octets(key), NULL, encrypt, NULL) == 1;
}

enum errc crypto_aead_wrap(void *context, struct slice key, struct slice plain, struct buf *out,
                           struct errc_why *why)
{
    (void)context;
    EVP_CIPHER_CTX *c CLEANUP(cipher_done) = EVP_CIPHER_CTX_new();
    size_t room = plain.len + CRYPTO_WRAP_OVERHEAD_BYTES;
    char *at = buf_reserve(out, room);
    int len = 0;
    if (c == NULL || at == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory to wrap a key");
    CHECK(room <= INT32_MAX);
    if (!start_wrap(c, key, 1) || EVP_CipherUpdate(c, (unsigned char *)at, &len,
                                                   crypto_inner_octets(plain), (int)plain.len) != 1)
        return crypto_inner_failed(why, "cannot wrap a key");
    buf_commit(out, (size_t)len);
    return ERRC_OK;
}

enum errc crypto_aead_unwrap(void *context, struct slice key, struct slice wrapped,
                             struct secret_arena *arena, struct secret *plain, struct errc_why *why)
{
    (void)context;
    EVP_CIPHER_CTX *c CLEANUP(cipher_done) = EVP_CIPHER_CTX_new();
    int len = 0;
    if (c == NULL || secret_new(arena, wrapped.len + WRAP_BLOCK_BYTES, plain) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    if (wrapped.len <= INT32_MAX && start_wrap(c, key, 0) &&
        EVP_CipherUpdate(c, plain->ptr, &len, crypto_inner_octets(wrapped), (int)wrapped.len) ==
            1 &&
        len > 0) {
        plain->len = (size_t)len;
        return ERRC_OK;
    }
    ERR_clear_error();
    secret_done(plain);
    return errc_fail(why, ERRC_CRYPTO, "kwp: unwrap failed integrity check");
}
