/*
 * crypto_openssl: the live crypto port: AES-256-GCM and ECDSA by OpenSSL, Ed25519 by libsodium.
 */
#pragma once

#include "fakevault/core/crypto.h"

/* Returns the port; static, never freed. Initialises libsodium. */
const struct crypto *crypto_openssl(void);
