#include "fakevault/shell/ports/crypto_openssl.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/bug.h"
#include "base/wipe.h"
#include "fakevault/shell/ports/crypto_inner.h"

static const struct crypto port = {
    .aead_seal = crypto_aead_seal,
    .aead_open = crypto_aead_open,
    .hash = crypto_mac_hash,
    .hmac = crypto_mac_hmac,
    .hkdf = crypto_mac_hkdf,
    .ed25519_expand = crypto_ed25519_expand,
    .wrap = crypto_aead_wrap,
    .unwrap = crypto_aead_unwrap,
    .keys =
        {
            [CRYPTO_AES128_GCM96] = &crypto_aead_aes128,
            [CRYPTO_AES256_GCM96] = &crypto_aead_aes256,
            [CRYPTO_CHACHA20_POLY1305] = &crypto_aead_chacha20,
            [CRYPTO_HMAC] = &crypto_mac_ops,
            [CRYPTO_ED25519] = &crypto_ed25519_ops,
            [CRYPTO_ECDSA_P256] = &crypto_ec_p256,
            [CRYPTO_ECDSA_P384] = &crypto_ec_p384,
            [CRYPTO_ECDSA_P521] = &crypto_ec_p521,
            [CRYPTO_RSA_2048] = &crypto_rsa_2048,
            [CRYPTO_RSA_3072] = &crypto_rsa_3072,
            [CRYPTO_RSA_4096] = &crypto_rsa_4096,
        },
};

/* OpenSSL's allocator, with our end: what it frees held the keys that it worked with. */
static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *reallocate(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size > 0)
        return wipe_realloc(ptr, size);
    wipe_free(ptr);
    return NULL;
}

static void release(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    wipe_free(ptr);
}

static bool wipes;

static void set_memory_functions(void)
{
    wipes = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

bool crypto_openssl_wipe_freed(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, set_memory_functions) == 0);
    return wipes;
}

static void start(void)
{
    (void)crypto_openssl_wipe_freed();
    CHECK(sodium_init() >= 0);
    crypto_inner_start();
    crypto_aead_start();
    crypto_mac_start();
}

const struct crypto *crypto_openssl(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, start) == 0);
    return &port;
}
