#include "signer/shell/keyport_openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void key_done(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_done(BIO **bio)
{
    (void)BIO_free(*bio);
}

static void context_done(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void der_done(unsigned char **der)
{
    OPENSSL_free(*der);
}

/* OpenSSL queues its reasons per thread; ours say enough, and an old one must not be blamed. */
static enum errc refuse(struct errc_why *why, enum errc code, const char *text)
{
    ERR_clear_error();
    return errc_fail(why, code, "%s", text);
}

static enum errc describe(EVP_PKEY *key, struct keyport_public *out, struct errc_why *why)
{
    unsigned char *der CLEANUP(der_done) = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0)
        return refuse(why, ERRC_SCHEMA, "the public key cannot be written as SPKI");
    return keyport_from_spki(slice_bytes(der, (size_t)len), out, why);
}

static enum errc read_pem(void *unused, struct slice pem, struct keyport_public *out,
                          struct errc_why *why)
{
    (void)unused;
    BIO *bio CLEANUP(bio_done) =
        pem.len > 4096 ? NULL : BIO_new_mem_buf(pem.ptr == NULL ? "" : pem.ptr, (int)pem.len);
    EVP_PKEY *key CLEANUP(key_done) =
        bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (key == NULL)
        return refuse(why, ERRC_SYNTAX, "the public key is not a PEM \"PUBLIC KEY\"");
    return describe(key, out, why);
}

static enum errc verify(void *unused, const struct keyport_public *public, struct slice message,
                        struct slice signature, struct errc_why *why)
{
    (void)unused;
    const unsigned char *der = public->spki;
    EVP_PKEY *key CLEANUP(key_done) = d2i_PUBKEY(NULL, &der, (long)public->spki_len);
    EVP_MD_CTX *context CLEANUP(context_done) = EVP_MD_CTX_new();
    const EVP_MD *md = public->kind == KEYPORT_ECDSA_P256 ? EVP_sha256() : NULL;
    if (key == NULL || context == NULL || EVP_DigestVerifyInit(context, NULL, md, NULL, key) != 1)
        return refuse(why, ERRC_CRYPTO, "the public key cannot be used");
    if (EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                         (const unsigned char *)message.ptr, message.len) == 1)
        return ERRC_OK;
    ERR_clear_error();
    return errc_fail(why, ERRC_CRYPTO, "the signature is not that of key %s", public->fingerprint);
}

static EVP_PKEY *from_seed(struct slice seed)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.ptr,
                                        seed.len);
}

static enum errc seed_public(void *unused, struct slice seed, struct keyport_public *out,
                             struct errc_why *why)
{
    (void)unused;
    EVP_PKEY *key CLEANUP(key_done) = from_seed(seed);
    if (key == NULL)
        return refuse(why, ERRC_CRYPTO, "the fallback key cannot be used");
    return describe(key, out, why);
}

static enum errc seed_sign(void *unused, struct slice seed, struct slice message,
                           uint8_t out[KEYPORT_ED25519_BYTES], struct errc_why *why)
{
    (void)unused;
    size_t len = KEYPORT_ED25519_BYTES;
    EVP_PKEY *key CLEANUP(key_done) = from_seed(seed);
    EVP_MD_CTX *context CLEANUP(context_done) = EVP_MD_CTX_new();
    if (key == NULL || context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, out, &len, (const unsigned char *)message.ptr, message.len) != 1 ||
        len != KEYPORT_ED25519_BYTES)
        return refuse(why, ERRC_CRYPTO, "signing with the fallback key failed");
    return ERRC_OK;
}

struct keyport keyport_openssl(void)
{
    return (struct keyport){
        .read_pem = read_pem,
        .verify = verify,
        .seed_public = seed_public,
        .seed_sign = seed_sign,
    };
}
