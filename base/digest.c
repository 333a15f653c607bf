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
