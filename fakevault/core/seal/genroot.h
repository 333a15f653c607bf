/*
 * genroot: how far the making of a root token by shares has come; memory alone.
 *
 * The token is told as base64 of its bytes XORed with a one-time password, so that who gives the
 * last share need not be who may use it.
 */
#pragma once

#include "base/entropy.h"
#include "fakevault/core/seal/quorum.h"

#define GENROOT_OTP_BYTES 28u /* as long as a root token */

struct genroot {
    char nonce[ENTROPY_UUID_BYTES];
    struct secret otp; /* empty: not started */
    struct quorum given;
};

bool genroot_started(const struct genroot *g);

/* Forgets all; a zeroed genroot is one that was not started. */
void genroot_reset(struct genroot *g);
