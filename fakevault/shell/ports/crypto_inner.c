#include "fakevault/shell/ports/crypto_inner.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/bug.h"

#define STACK_BYTES (64u << 10)

static EVP_MD *digests[CRYPTO_HASH_COUNT];

static const char *const digest_names[CRYPTO_HASH_COUNT] = {
    [CRYPTO_HASH_SHA1] = "SHA1",         [CRYPTO_HASH_SHA2_224] = "SHA2-224",
    [CRYPTO_HASH_SHA2_256] = "SHA2-256", [CRYPTO_HASH_SHA2_384] = "SHA2-384",
    [CRYPTO_HASH_SHA2_512] = "SHA2-512", [CRYPTO_HASH_SHA3_224] = "SHA3-224",
    [CRYPTO_HASH_SHA3_256] = "SHA3-256", [CRYPTO_HASH_SHA3_384] = "SHA3-384",
    [CRYPTO_HASH_SHA3_512] = "SHA3-512",
};

void crypto_inner_start(void)
{
    for (int hash = CRYPTO_HASH_SHA1; hash < CRYPTO_HASH_COUNT; hash++) {
        digests[hash] = EVP_MD_fetch(NULL, digest_names[hash], NULL);
        CHECK(digests[hash] != NULL);
    }
}

const EVP_MD *crypto_inner_md(enum crypto_hash hash)
{
    return digests[hash];
}

enum errc crypto_inner_failed(struct errc_why *why, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    bool memory = code != 0 && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    ERR_clear_error();
    return errc_fail(why, memory ? ERRC_NOMEM : ERRC_CRYPTO, "%s: %s", what,
                     reason == NULL ? "unknown reason" : reason);
}

enum errc crypto_inner_hash(const struct crypto_scheme *scheme, struct slice input,
                            struct crypto_hashed *out, struct errc_why *why)
{
    const EVP_MD *md = crypto_inner_md(scheme->hash);
    unsigned len = 0;
    out->slice = input;
    if (scheme->prehashed || md == NULL)
        return ERRC_OK;
    if (EVP_Digest(crypto_inner_octets(input), input.len, out->bytes, &len, md, NULL) != 1)
        return crypto_inner_failed(why, "cannot hash the input");
    out->slice = slice_bytes(out->bytes, len);
    return ERRC_OK;
}

struct crypto_key *crypto_inner_key_new(void)
{
    return calloc(1, sizeof(struct crypto_key));
}

void crypto_inner_key_unload(struct crypto_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_CTX_free(key->signing);
    EVP_PKEY_CTX_free(key->verifying);
    EVP_PKEY_free(key->pkey);
    free(key);
}

void crypto_inner_pkey_done(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}

void crypto_inner_context_done(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

enum errc crypto_inner_can_sign(const struct crypto_key *key, struct errc_why *why)
{
    if (key->has_private)
        return ERRC_OK;
    return errc_fail(why, ERRC_RANGE,
                     "requested version for signing does not contain a private part");
}

enum errc crypto_inner_load_spki(struct slice public, struct crypto_key *key, struct errc_why *why)
{
    const unsigned char *at = crypto_inner_octets(public);
    key->pkey = d2i_PUBKEY(NULL, &at, (long)public.len);
    if (key->pkey == NULL)
        return crypto_inner_failed(why, "cannot load a public key");
    if (at != crypto_inner_octets(public) + public.len)
        return errc_fail(why, ERRC_CRYPTO, "a public key has bytes behind it");
    return ERRC_OK;
}

enum errc crypto_inner_public_half(const struct crypto_key *key, struct buf *out,
                                   struct errc_why *why)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    if (len <= 0)
        return crypto_inner_failed(why, "cannot write a public key");
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return buf_status(out, why);
}

void crypto_inner_wipe_stack(void)
{
    sodium_stackzero(STACK_BYTES);
}
