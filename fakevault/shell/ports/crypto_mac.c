#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/shell/ports/crypto_inner.h"

#define HKDF_BLOCK_BYTES 32u
#define HKDF_BLOCKS_MAX 255u

/* One set-up context per hash; an operation copies it, which is cheaper than to look the hash up.
 */
static EVP_MAC_CTX *templates[CRYPTO_HASH_COUNT];

void crypto_mac_start(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    CHECK(mac != NULL);
    for (int hash = CRYPTO_HASH_SHA1; hash < CRYPTO_HASH_COUNT; hash++) {
        const char *name = EVP_MD_get0_name(crypto_inner_md((enum crypto_hash)hash));
        char copy[32] = "";
        CHECK(strlen(name) < sizeof copy);
        memcpy(copy, name, strlen(name));
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, copy, 0),
            OSSL_PARAM_construct_end(),
        };
        templates[hash] = EVP_MAC_CTX_new(mac);
        /* A context without a key cannot be copied. */
        CHECK(templates[hash] != NULL &&
              EVP_MAC_init(templates[hash], (const unsigned char *)"", 1, params) == 1);
    }
    EVP_MAC_free(mac);
}

static void mac_done(EVP_MAC_CTX **c)
{
    EVP_MAC_CTX_free(*c);
}

/* The key of type hmac, and the one that every other key has for transit/hmac. */
static enum errc mac_generate(void *context, struct secret_arena *arena, size_t bytes,
                              struct secret *private, struct errc_why *why)
{
    (void)context;
    if (secret_new(arena, bytes, private) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    if (RAND_priv_bytes(private->ptr, (int)bytes) == 1)
        return ERRC_OK;
    secret_done(private);
    return crypto_inner_failed(why, "cannot make a key");
}

const struct crypto_key_ops crypto_mac_ops = {.generate = mac_generate};

enum errc crypto_mac_hash(void *context, enum crypto_hash hash, struct slice input, uint8_t *out,
                          size_t *len, struct errc_why *why)
{
    (void)context;
    unsigned size = 0;
    const EVP_MD *md = crypto_inner_md(hash);
    if (md == NULL || EVP_Digest(crypto_inner_octets(input), input.len, out, &size, md, NULL) != 1)
        return crypto_inner_failed(why, "cannot hash");
    *len = size;
    return ERRC_OK;
}

/* HMAC of several pieces after each other. */
static enum errc hmac_of(enum crypto_hash hash, struct slice key, const struct slice *pieces,
                         size_t count, uint8_t *out, size_t *len, struct errc_why *why)
{
    if (templates[hash] == NULL)
        return errc_fail(why, ERRC_CRYPTO, "cannot authenticate without a hash");
    EVP_MAC_CTX *c CLEANUP(mac_done) = EVP_MAC_CTX_dup(templates[hash]);
    bool ok = c != NULL && EVP_MAC_init(c, crypto_inner_octets(key), key.len, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_MAC_update(c, crypto_inner_octets(pieces[i]), pieces[i].len) == 1;
    if (!ok || EVP_MAC_final(c, out, len, CRYPTO_HASH_BYTES_MAX) != 1)
        return crypto_inner_failed(why, "cannot authenticate");
    return ERRC_OK;
}

enum errc crypto_mac_hmac(void *context, enum crypto_hash hash, struct slice key,
                          struct slice input, uint8_t *out, size_t *len, struct errc_why *why)
{
    (void)context;
    return hmac_of(hash, key, &input, 1, out, len, why);
}

/* RFC 5869 2.3: each block is the HMAC of the one before, the info and a counter. OpenSSL's own
 * takes no info of more than 2048 bytes; Vault does. */
static enum errc expand(struct slice prk, struct slice info, uint8_t *out, size_t len,
                        struct errc_why *why)
{
    uint8_t block[CRYPTO_HASH_BYTES_MAX], counter = 0;
    size_t before = 0;
    enum errc code = ERRC_OK;
    while (code == ERRC_OK && len > 0) {
        counter++;
        struct slice pieces[] = {slice_bytes(block, before), info, slice_bytes(&counter, 1)};
        code = hmac_of(CRYPTO_HASH_SHA2_256, prk, pieces, 3, block, &before, why);
        size_t take = len < before ? len : before;
        memcpy(out, block, take);
        out += take;
        len -= take;
    }
    OPENSSL_cleanse(block, sizeof block);
    return code;
}

enum errc crypto_mac_hkdf(void *context, struct slice key, struct slice salt, struct slice info,
                          uint8_t *out, size_t len, struct errc_why *why)
{
    (void)context;
    static const uint8_t no_salt[HKDF_BLOCK_BYTES];
    uint8_t prk[CRYPTO_HASH_BYTES_MAX];
    size_t prk_len = 0;
    CHECK(len <= HKDF_BLOCKS_MAX * HKDF_BLOCK_BYTES);
    if (salt.len == 0)
        salt = slice_bytes(no_salt, sizeof no_salt);
    enum errc code = hmac_of(CRYPTO_HASH_SHA2_256, salt, &key, 1, prk, &prk_len, why);
    if (code == ERRC_OK)
        code = expand(slice_bytes(prk, prk_len), info, out, len, why);
    OPENSSL_cleanse(prk, sizeof prk);
    return code;
}
