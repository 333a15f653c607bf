#include "base/entropy.h"

#include <stdint.h>

void entropy_uuid(const struct entropy *entropy, char out[static ENTROPY_UUID_BYTES])
{
    uint8_t b[16];
    entropy->fill(entropy->context, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[b[i] >> 4];
        *out++ = digits[b[i] & 0x0f];
    }
    *out = '\0';
}
