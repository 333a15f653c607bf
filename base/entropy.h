/*
 * entropy: the port through which a program gets unpredictable bytes (keys,
 * tokens, ids). Jitter and faults use prng.h instead.
 */
#pragma once

#include <stddef.h>

struct entropy {
    void (*fill)(void *context, void *out, size_t len); /* cannot fail; the live one aborts when the
                                                           system has none */
    void *context;
};

#define ENTROPY_UUID_BYTES 37 /* text of a UUID with its NUL */

/* Writes a random (version 4) UUID in lower case. */
void entropy_uuid(const struct entropy *entropy, char out[static ENTROPY_UUID_BYTES]);
