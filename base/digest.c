#include "base/digest.h"

#include <sodium.h>

void digest_sha256(struct slice data, uint8_t out[static DIGEST_BYTES])
{
    (void)crypto_hash_sha256(out, (const unsigned char *)data.ptr, data.len);
}

void digest_sha256_hex(struct slice data, char out[static DIGEST_HEX_BYTES])
{
    uint8_t raw[DIGEST_BYTES];
    digest_sha256(data, raw);
    (void)sodium_bin2hex(out, DIGEST_HEX_BYTES, raw, sizeof raw);
}

void digest_hmac_sha256(struct slice key, struct slice data, uint8_t out[static DIGEST_BYTES])
{
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.ptr, key.len);
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)data.ptr, data.len);
    (void)crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

bool digest_equal(const uint8_t a[static DIGEST_BYTES], const uint8_t b[static DIGEST_BYTES])
{
    return sodium_memcmp(a, b, DIGEST_BYTES) == 0;
}
