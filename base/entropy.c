#include "base/entropy.h"

#include <stdint.h>
#include <stdio.h>

void entropy_uuid(const struct entropy *entropy, char out[static ENTROPY_UUID_BYTES])
{
    uint8_t b[16];
    entropy->fill(entropy->context, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, ENTROPY_UUID_BYTES,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
