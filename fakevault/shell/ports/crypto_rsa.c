#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/shell/ports/crypto_inner.h"

#define MODULUS_BYTES_MAX 512u

static enum errc generate(size_t bits, struct secret_arena *arena, struct secret *private,
                          struct errc_why *why)
{
    unsigned char *der = NULL;
    EVP_PKEY *pkey CLEANUP(crypto_inner_pkey_done) = EVP_RSA_gen(bits);
    int len = pkey == NULL ? 0 : i2d_PrivateKey(pkey, &der);
    if (len <= 0)
        return crypto_inner_failed(why, "cannot make an RSA key");
    enum errc code = secret_copy(arena, slice_bytes(der, (size_t)len), private);
    OPENSSL_clear_free(der, (size_t)len);
    crypto_inner_wipe_stack();
    return code == ERRC_OK ? ERRC_OK : errc_fail(why, code, "out of memory for secrets");
}

/* Takes pkey over, also when it is refused. */
static enum errc finish_key(size_t bits, EVP_PKEY *pkey, bool has_private, struct crypto_key **out,
                            struct errc_why *why)
{
    struct crypto_key *key = crypto_inner_key_new();
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    }
    key->pkey = pkey;
    key->has_private = has_private;
    key->bytes = (size_t)EVP_PKEY_get_size(pkey);
    if (EVP_PKEY_is_a(pkey, "RSA") == 1 && key->bytes == bits / 8) {
        *out = key;
        return ERRC_OK;
    }
    crypto_inner_key_unload(key);
    return errc_fail(why, ERRC_CRYPTO, "the key is no RSA key of %zu bits", bits);
}

static enum errc load(size_t bits, struct slice private, struct crypto_key **out,
                      struct errc_why *why)
{
    const unsigned char *at = crypto_inner_octets(private);
    EVP_PKEY *pkey = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)private.len);
    crypto_inner_wipe_stack();
    if (pkey == NULL)
        return crypto_inner_failed(why, "cannot load an RSA key");
    return finish_key(bits, pkey, true, out, why);
}

static enum errc load_public(size_t bits, struct slice public, struct crypto_key **out,
                             struct errc_why *why)
{
    struct crypto_key spki = {0};
    enum errc code = crypto_inner_load_spki(public, &spki, why);
    if (code == ERRC_OK)
        return finish_key(bits, spki.pkey, false, out, why);
    EVP_PKEY_free(spki.pkey);
    return code;
}

/* Go's limits (vault-api.md 4.13). */
static bool salt_fits(const struct crypto_key *key, const struct crypto_scheme *scheme)
{
    int64_t hash = EVP_MD_get_size(crypto_inner_md(scheme->hash));
    return scheme->salt_length >= CRYPTO_SALT_HASH &&
           scheme->salt_length <= (int64_t)key->bytes - 2 - hash;
}

static int salt_length(const struct crypto_scheme *scheme, bool signing)
{
    if (scheme->salt_length == CRYPTO_SALT_AUTO)
        return signing ? RSA_PSS_SALTLEN_MAX : RSA_PSS_SALTLEN_AUTO;
    return scheme->salt_length == CRYPTO_SALT_HASH ? RSA_PSS_SALTLEN_DIGEST
                                                   : (int)scheme->salt_length;
}

static bool go_knows_prefix(enum crypto_hash hash)
{
    return hash <= CRYPTO_HASH_SHA2_512;
}

/* What Go refuses before it does anything. */
static enum errc check_scheme(const struct crypto_key *key, const struct crypto_scheme *scheme,
                              struct slice hashed, struct errc_why *why)
{
    const EVP_MD *md = crypto_inner_md(scheme->hash);
    bool pss = scheme->padding == CRYPTO_PADDING_PSS;
    CHECK(!pss || md != NULL);
    if (pss && !salt_fits(key, scheme))
        return errc_fail(why, ERRC_RANGE, "requested salt length %lld is invalid",
                         (long long)scheme->salt_length);
    if (md != NULL && hashed.len != (size_t)EVP_MD_get_size(md))
        return errc_fail(why, ERRC_RANGE, "crypto/rsa: input must be hashed %s",
                         pss ? "with given hash" : "message");
    if (!pss && !go_knows_prefix(scheme->hash))
        return errc_fail(why, ERRC_RANGE, "crypto/rsa: unsupported hash function");
    return ERRC_OK;
}

/* OpenSSL asks for the key first, then for the padding: RSA_PSS_SALTLEN_* needs it. */
static bool set_up(EVP_PKEY_CTX *c, const struct crypto_scheme *scheme, bool signing)
{
    const EVP_MD *md = crypto_inner_md(scheme->hash);
    bool pss = scheme->padding == CRYPTO_PADDING_PSS;
    if ((signing ? EVP_PKEY_sign_init(c) : EVP_PKEY_verify_init(c)) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(c, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1)
        return false;
    if (md != NULL && EVP_PKEY_CTX_set_signature_md(c, md) != 1)
        return false;
    return !pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(c, salt_length(scheme, signing)) == 1;
}

static enum errc sign(const struct crypto_key *key, const struct crypto_scheme *scheme,
                      struct slice input, struct buf *out, struct errc_why *why)
{
    struct crypto_hashed h;
    unsigned char signature[MODULUS_BYTES_MAX];
    size_t len = sizeof signature;
    TRY(crypto_inner_can_sign(key, why));
    TRY(crypto_inner_hash(scheme, input, &h, why));
    TRY(check_scheme(key, scheme, h.slice, why));
    if (h.slice.len + RSA_PKCS1_PADDING_SIZE > key->bytes)
        return errc_fail(why, ERRC_RANGE, "crypto/rsa: message too long for RSA key size");
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (c == NULL || !set_up(c, scheme, true) ||
        EVP_PKEY_sign(c, signature, &len, crypto_inner_octets(h.slice), h.slice.len) != 1)
        return crypto_inner_failed(why, "cannot sign");
    buf_add(out, signature, len);
    return buf_status(out, why);
}

static enum errc verify(const struct crypto_key *key, const struct crypto_scheme *scheme,
                        struct slice input, struct slice signature, enum crypto_verdict *verdict,
                        struct errc_why *why)
{
    struct crypto_hashed h;
    TRY(crypto_inner_hash(scheme, input, &h, why));
    *verdict = CRYPTO_WRONG;
    struct errc_why reason = {{0}};
    enum errc code = check_scheme(key, scheme, h.slice, &reason);
    /* To Vault only a salt length is wrong in itself; all else is a signature that is not valid. */
    if (code != ERRC_OK)
        return scheme->padding == CRYPTO_PADDING_PSS && !salt_fits(key, scheme)
                   ? errc_fail(why, code, "%s", reason.text)
                   : ERRC_OK;
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (c == NULL || !set_up(c, scheme, false))
        return crypto_inner_failed(why, "cannot verify");
    if (EVP_PKEY_verify(c, crypto_inner_octets(signature), signature.len,
                        crypto_inner_octets(h.slice), h.slice.len) == 1)
        *verdict = CRYPTO_VALID;
    ERR_clear_error();
    return ERRC_OK;
}

static bool set_up_oaep(EVP_PKEY_CTX *c, enum crypto_hash hash, bool encrypting)
{
    const EVP_MD *md = crypto_inner_md(hash);
    return c != NULL && (encrypting ? EVP_PKEY_encrypt_init(c) : EVP_PKEY_decrypt_init(c)) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(c, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(c, md) == 1;
}

static enum errc encrypt(const struct crypto_key *key, enum crypto_hash hash, struct slice plain,
                         struct buf *out, struct errc_why *why)
{
    unsigned char sealed[MODULUS_BYTES_MAX];
    size_t len = sizeof sealed, md = (size_t)EVP_MD_get_size(crypto_inner_md(hash));
    if (plain.len + 2 * md + 2 > key->bytes)
        return errc_fail(why, ERRC_RANGE, "crypto/rsa: message too long for RSA key size");
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (!set_up_oaep(c, hash, true) ||
        EVP_PKEY_encrypt(c, sealed, &len, crypto_inner_octets(plain), plain.len) != 1)
        return crypto_inner_failed(why, "cannot encrypt");
    buf_add(out, sealed, len);
    return buf_status(out, why);
}

static enum errc decrypt(const struct crypto_key *key, enum crypto_hash hash, struct slice sealed,
                         struct secret_arena *arena, struct secret *plain, struct errc_why *why)
{
    size_t len = key->bytes;
    if (!key->has_private)
        return errc_fail(why, ERRC_RANGE,
                         "cannot decrypt ciphertext, key version does not have a private "
                         "counterpart");
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (secret_new(arena, len, plain) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    if (!set_up_oaep(c, hash, false)) {
        secret_done(plain);
        return crypto_inner_failed(why, "cannot decrypt");
    }
    bool ok = EVP_PKEY_decrypt(c, plain->ptr, &len, crypto_inner_octets(sealed), sealed.len) == 1;
    ERR_clear_error();
    if (!ok) {
        secret_done(plain);
        return errc_fail(why, ERRC_CRYPTO, "crypto/rsa: decryption error");
    }
    plain->len = len;
    return ERRC_OK;
}

/* The port's functions know their size by their name. */
#define SIZE_OPS(bits)                                                                             \
    static enum errc generate_##bits(void *context, struct secret_arena *arena, size_t bytes,      \
                                     struct secret *private, struct errc_why *why)                 \
    {                                                                                              \
        (void)context;                                                                             \
        (void)bytes;                                                                               \
        return generate(bits, arena, private, why);                                                \
    }                                                                                              \
    static enum errc load_##bits(void *context, struct slice private, struct crypto_key **out,     \
                                 struct errc_why *why)                                             \
    {                                                                                              \
        (void)context;                                                                             \
        return load(bits, private, out, why);                                                      \
    }                                                                                              \
    static enum errc load_public_##bits(void *context, struct slice public,                        \
                                        struct crypto_key **out, struct errc_why *why)             \
    {                                                                                              \
        (void)context;                                                                             \
        return load_public(bits, public, out, why);                                                \
    }                                                                                              \
    const struct crypto_key_ops crypto_rsa_##bits = {                                              \
        .generate = generate_##bits,                                                               \
        .load = load_##bits,                                                                       \
        .load_public = load_public_##bits,                                                         \
        .public_half = crypto_inner_public_half,                                                   \
        .sign = sign,                                                                              \
        .verify = verify,                                                                          \
        .encrypt = encrypt,                                                                        \
        .decrypt = decrypt,                                                                        \
        .unload = crypto_inner_key_unload,                                                         \
    }

SIZE_OPS(2048);
SIZE_OPS(3072);
SIZE_OPS(4096);
