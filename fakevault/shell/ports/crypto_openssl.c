#include "fakevault/shell/ports/crypto_openssl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/text/base64.h"

#define P256_BYTES 32
#define P256_POINT_BYTES 65 /* uncompressed */
#define P256_DER_MAX 80u    /* a signature in DER: 72 bytes at most */

struct crypto_key {
    EVP_PKEY *pkey;        /* EC; wiped by OpenSSL when freed */
    struct secret ed25519; /* seed and public half, as libsodium wants it */
};

static enum errc failed(struct errc_why *why, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    bool memory = code != 0 && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    ERR_clear_error();
    return errc_fail(why, memory ? ERRC_NOMEM : ERRC_CRYPTO, "%s: %s", what,
                     reason == NULL ? "unknown reason" : reason);
}

/* --- AES-256-GCM ------------------------------------------------------------------------------ */

static void cipher_done(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c); /* wipes */
}

static const unsigned char *octets(struct slice s)
{
    return (const unsigned char *)(s.ptr == NULL ? "" : s.ptr);
}

static bool aead_start(EVP_CIPHER_CTX *c, struct slice key, const uint8_t *nonce, struct slice aad,
                       int encrypt)
{
    int len = 0;
    CHECK(key.len == CRYPTO_AEAD_KEY_BYTES && aad.len <= INT32_MAX);
    return EVP_CipherInit_ex2(c, EVP_aes_256_gcm(), octets(key), nonce, encrypt, NULL) == 1 &&
           EVP_CipherUpdate(c, NULL, &len, octets(aad), (int)aad.len) == 1;
}

static enum errc aead_seal(void *context, struct slice key, const uint8_t *nonce, struct slice aad,
                           struct slice plain, struct buf *out, struct errc_why *why)
{
    (void)context;
    EVP_CIPHER_CTX *c CLEANUP(cipher_done) = EVP_CIPHER_CTX_new();
    char *at = buf_reserve(out, plain.len + CRYPTO_AEAD_TAG_BYTES);
    if (c == NULL || at == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory to encrypt");
    CHECK(plain.len <= INT32_MAX);
    unsigned char *to = (unsigned char *)at;
    int len = 0, end = 0;
    if (!aead_start(c, key, nonce, aad, 1) ||
        EVP_CipherUpdate(c, to, &len, octets(plain), (int)plain.len) != 1 ||
        EVP_CipherFinal_ex(c, to + len, &end) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CRYPTO_AEAD_TAG_BYTES, to + plain.len) != 1)
        return failed(why, "cannot encrypt");
    buf_commit(out, plain.len + CRYPTO_AEAD_TAG_BYTES);
    return ERRC_OK;
}

static enum errc aead_open(void *context, struct slice key, const uint8_t *nonce, struct slice aad,
                           struct slice sealed, struct secret_arena *arena, struct secret *plain,
                           struct errc_why *why)
{
    (void)context;
    if (sealed.len < CRYPTO_AEAD_TAG_BYTES || sealed.len > INT32_MAX)
        return errc_fail(why, ERRC_CRYPTO, "cipher: message authentication failed");
    EVP_CIPHER_CTX *c CLEANUP(cipher_done) = EVP_CIPHER_CTX_new();
    size_t size = sealed.len - CRYPTO_AEAD_TAG_BYTES;
    unsigned char tag[CRYPTO_AEAD_TAG_BYTES];
    memcpy(tag, sealed.ptr + size, sizeof tag);
    if (c == NULL || secret_new(arena, size, plain) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    int len = 0, end = 0;
    if (aead_start(c, key, nonce, aad, 0) &&
        EVP_CipherUpdate(c, plain->ptr, &len, octets(sealed), (int)size) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, CRYPTO_AEAD_TAG_BYTES, tag) == 1 &&
        EVP_CipherFinal_ex(c, plain->ptr + len, &end) == 1)
        return ERRC_OK;
    ERR_clear_error();
    secret_done(plain);
    return errc_fail(why, ERRC_CRYPTO, "cipher: message authentication failed");
}

/* --- hashes ----------------------------------------------------------------------------------- */

static const EVP_MD *digest_of(enum crypto_hash hash)
{
    switch (hash) {
    case CRYPTO_HASH_NONE:
        break;
    case CRYPTO_HASH_SHA1:
        return EVP_sha1();
    case CRYPTO_HASH_SHA2_224:
        return EVP_sha224();
    case CRYPTO_HASH_SHA2_256:
        return EVP_sha256();
    case CRYPTO_HASH_SHA2_384:
        return EVP_sha384();
    case CRYPTO_HASH_SHA2_512:
        return EVP_sha512();
    case CRYPTO_HASH_SHA3_224:
        return EVP_sha3_224();
    case CRYPTO_HASH_SHA3_256:
        return EVP_sha3_256();
    case CRYPTO_HASH_SHA3_384:
        return EVP_sha3_384();
    case CRYPTO_HASH_SHA3_512:
        return EVP_sha3_512();
    }
    return NULL;
}

static enum errc hash(void *context, enum crypto_hash which, struct slice input,
                      uint8_t out[CRYPTO_HASH_BYTES_MAX], size_t *len, struct errc_why *why)
{
    (void)context;
    const EVP_MD *md = digest_of(which);
    unsigned taken = 0;
    if (md == NULL || EVP_Digest(octets(input), input.len, out, &taken, md, NULL) != 1)
        return failed(why, "cannot hash the input");
    *len = taken;
    return ERRC_OK;
}

struct hashed {
    unsigned char bytes[CRYPTO_HASH_BYTES_MAX];
    struct slice slice;
};

/* Hashes the input, or borrows it when it is a hash already. */
static enum errc hash_input(enum crypto_hash hash, bool prehashed, struct slice input,
                            struct hashed *out, struct errc_why *why)
{
    const EVP_MD *md = digest_of(hash);
    unsigned len = 0;
    out->slice = input;
    if (prehashed || md == NULL)
        return ERRC_OK;
    if (EVP_Digest(octets(input), input.len, out->bytes, &len, md, NULL) != 1)
        return failed(why, "cannot hash the input");
    out->slice = slice_bytes(out->bytes, len);
    return ERRC_OK;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void key_unload(struct crypto_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    secret_done(&key->ed25519);
    free(key);
}

static void pkey_done(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}

static void pkey_context_done(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

static enum errc p256_generate(void *context, struct secret_arena *arena, struct secret *private,
                               struct errc_why *why)
{
    (void)context;
    BIGNUM *scalar = NULL;
    EVP_PKEY *pkey CLEANUP(pkey_done) = EVP_EC_gen("P-256");
    if (pkey == NULL || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1)
        return failed(why, "cannot make a P-256 key");
    enum errc code = secret_new(arena, P256_BYTES, private);
    if (code == ERRC_OK)
        CHECK(BN_bn2binpad(scalar, private->ptr, P256_BYTES) == P256_BYTES);
    BN_clear_free(scalar);
    return code == ERRC_OK ? ERRC_OK : errc_fail(why, code, "out of memory for secrets");
}

static bool public_point(const BIGNUM *scalar, unsigned char out[static P256_POINT_BYTES])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    bool ok = point != NULL && EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, P256_POINT_BYTES,
                                 NULL) == P256_POINT_BYTES;
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return ok;
}

static EVP_PKEY *p256_from(BIGNUM *scalar)
{
    char group[] = "prime256v1";
    unsigned char native[P256_BYTES], point[P256_POINT_BYTES];
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *c CLEANUP(pkey_context_done) = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (c == NULL || !public_point(scalar, point) ||
        BN_bn2nativepad(scalar, native, sizeof native) != (int)sizeof native)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof native),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        pkey = NULL;
    OPENSSL_cleanse(native, sizeof native);
    return pkey;
}

static enum errc p256_load(void *context, struct secret_arena *arena, struct slice private,
                           struct crypto_key **out, struct errc_why *why)
{
    (void)context;
    (void)arena;
    if (private.len != P256_BYTES)
        return errc_fail(why, ERRC_CRYPTO, "a P-256 key has %d bytes, not %zu", P256_BYTES,
                         private.len);
    struct crypto_key *key = calloc(1, sizeof *key);
    BIGNUM *scalar = BN_bin2bn(octets(private), P256_BYTES, NULL);
    if (key == NULL || scalar == NULL) {
        free(key);
        BN_clear_free(scalar);
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    }
    key->pkey = p256_from(scalar);
    BN_clear_free(scalar);
    if (key->pkey == NULL) {
        free(key);
        return failed(why, "cannot load a P-256 key");
    }
    *out = key;
    return ERRC_OK;
}

static enum errc p256_public_text(const struct crypto_key *key, struct buf *out,
                                  struct errc_why *why)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio == NULL || PEM_write_bio_PUBKEY(bio, key->pkey) != 1) {
        BIO_free(bio);
        return failed(why, "cannot write a public key");
    }
    long len = BIO_get_mem_data(bio, &text);
    buf_add(out, text, (size_t)len);
    BIO_free(bio);
    return buf_status(out, why);
}

/* DER to r and s of fixed width. */
static enum errc der_to_jws(const unsigned char *der, size_t len, struct buf *out,
                            struct errc_why *why)
{
    unsigned char both[2 * P256_BYTES];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    if (sig == NULL)
        return failed(why, "cannot read a signature");
    bool ok = BN_bn2binpad(ECDSA_SIG_get0_r(sig), both, P256_BYTES) == P256_BYTES &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), both + P256_BYTES, P256_BYTES) == P256_BYTES;
    ECDSA_SIG_free(sig);
    if (!ok)
        return failed(why, "cannot write a signature");
    buf_add(out, both, sizeof both);
    return buf_status(out, why);
}

static enum errc p256_sign(const struct crypto_key *key, enum crypto_hash hash, bool prehashed,
                           enum crypto_marshal marshal, struct slice input, struct buf *out,
                           struct errc_why *why)
{
    struct hashed h;
    unsigned char der[P256_DER_MAX];
    size_t len = sizeof der;
    TRY(hash_input(hash, prehashed, input, &h, why));
    EVP_PKEY_CTX *c CLEANUP(pkey_context_done) = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (c == NULL || EVP_PKEY_sign_init(c) != 1 ||
        EVP_PKEY_sign(c, der, &len, octets(h.slice), h.slice.len) != 1)
        return failed(why, "cannot sign");
    if (marshal == CRYPTO_MARSHAL_JWS)
        return der_to_jws(der, len, out, why);
    buf_add(out, der, len);
    return buf_status(out, why);
}

/* r and s to DER; len 0 when they are no numbers of the right width. */
static size_t jws_to_der(struct slice signature, unsigned char der[static P256_DER_MAX])
{
    if (signature.len != 2 * P256_BYTES)
        return 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(octets(signature), P256_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(octets(signature) + P256_BYTES, P256_BYTES, NULL);
    unsigned char *to = der;
    int len = 0;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(sig, &to);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

/* The signature in DER, or a verdict that settles it. */
static enum crypto_verdict read_p256_signature(enum crypto_marshal marshal, struct slice signature,
                                               unsigned char converted[static P256_DER_MAX],
                                               struct slice *der)
{
    if (marshal == CRYPTO_MARSHAL_JWS) {
        *der = slice_bytes(converted, jws_to_der(signature, converted));
        return der->len == 0 ? CRYPTO_WRONG : CRYPTO_VALID;
    }
    const unsigned char *at = octets(signature);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)signature.len);
    ERR_clear_error();
    if (sig == NULL)
        return CRYPTO_MALFORMED;
    ECDSA_SIG_free(sig);
    *der = signature;
    return at == octets(signature) + signature.len ? CRYPTO_VALID : CRYPTO_TRAILING;
}

static enum errc p256_verify(const struct crypto_key *key, enum crypto_hash hash, bool prehashed,
                             enum crypto_marshal marshal, struct slice input,
                             struct slice signature, enum crypto_verdict *verdict,
                             struct errc_why *why)
{
    struct hashed h;
    struct slice der = {0};
    unsigned char converted[P256_DER_MAX];
    TRY(hash_input(hash, prehashed, input, &h, why));
    *verdict = read_p256_signature(marshal, signature, converted, &der);
    if (*verdict != CRYPTO_VALID)
        return ERRC_OK;
    EVP_PKEY_CTX *c CLEANUP(pkey_context_done) = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (c == NULL || EVP_PKEY_verify_init(c) != 1)
        return failed(why, "cannot verify");
    bool valid = EVP_PKEY_verify(c, octets(der), der.len, octets(h.slice), h.slice.len) == 1;
    ERR_clear_error();
    *verdict = valid ? CRYPTO_VALID : CRYPTO_WRONG;
    return ERRC_OK;
}

static enum errc ed25519_generate(void *context, struct secret_arena *arena, struct secret *private,
                                  struct errc_why *why)
{
    (void)context;
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    if (secret_new(arena, crypto_sign_SECRETKEYBYTES, private) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    CHECK(crypto_sign_keypair(public, private->ptr) == 0);
    return ERRC_OK;
}

static enum errc ed25519_load(void *context, struct secret_arena *arena, struct slice private,
                              struct crypto_key **out, struct errc_why *why)
{
    (void)context;
    if (private.len != crypto_sign_SECRETKEYBYTES)
        return errc_fail(why, ERRC_CRYPTO, "an Ed25519 key has %u bytes, not %zu",
                         crypto_sign_SECRETKEYBYTES, private.len);
    struct crypto_key *key = calloc(1, sizeof *key);
    if (key == NULL || secret_copy(arena, private, &key->ed25519) != ERRC_OK) {
        free(key);
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    }
    *out = key;
    return ERRC_OK;
}

/* libsodium keeps the public half behind the seed. */
static const unsigned char *ed25519_public(const struct crypto_key *key)
{
    return key->ed25519.ptr + crypto_sign_SEEDBYTES;
}

static enum errc ed25519_public_text(const struct crypto_key *key, struct buf *out,
                                     struct errc_why *why)
{
    base64_format(slice_bytes(ed25519_public(key), crypto_sign_PUBLICKEYBYTES), BASE64_STANDARD,
                  out);
    return buf_status(out, why);
}

static enum errc ed25519_sign(const struct crypto_key *key, enum crypto_hash hash, bool prehashed,
                              enum crypto_marshal marshal, struct slice input, struct buf *out,
                              struct errc_why *why)
{
    (void)hash;
    (void)prehashed;
    (void)marshal;
    unsigned char signature[crypto_sign_BYTES];
    CHECK(crypto_sign_detached(signature, NULL, octets(input), input.len, key->ed25519.ptr) == 0);
    buf_add(out, signature, sizeof signature);
    return buf_status(out, why);
}

static enum errc ed25519_verify(const struct crypto_key *key, enum crypto_hash hash, bool prehashed,
                                enum crypto_marshal marshal, struct slice input,
                                struct slice signature, enum crypto_verdict *verdict,
                                struct errc_why *why)
{
    (void)hash;
    (void)prehashed;
    (void)marshal;
    (void)why;
    bool valid = signature.len == crypto_sign_BYTES &&
                 crypto_sign_verify_detached(octets(signature), octets(input), input.len,
                                             ed25519_public(key)) == 0;
    *verdict = valid ? CRYPTO_VALID : CRYPTO_WRONG;
    return ERRC_OK;
}

static const struct crypto_key_ops p256 = {
    .generate = p256_generate,
    .load = p256_load,
    .public_text = p256_public_text,
    .sign = p256_sign,
    .verify = p256_verify,
    .unload = key_unload,
};

static const struct crypto_key_ops ed25519 = {
    .generate = ed25519_generate,
    .load = ed25519_load,
    .public_text = ed25519_public_text,
    .sign = ed25519_sign,
    .verify = ed25519_verify,
    .unload = key_unload,
};

static const struct crypto port = {
    .aead_seal = aead_seal,
    .aead_open = aead_open,
    .hash = hash,
    .keys = {[CRYPTO_ED25519] = &ed25519, [CRYPTO_ECDSA_P256] = &p256},
};

const struct crypto *crypto_openssl(void)
{
    CHECK(sodium_init() >= 0);
    return &port;
}
