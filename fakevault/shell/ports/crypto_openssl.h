/*
 * crypto_openssl: the live crypto port: Ed25519 by libsodium, all else by OpenSSL.
 */
#pragma once

#include "fakevault/core/crypto.h"

/* Returns the port; static, never freed. Initialises libsodium and OpenSSL once. */
const struct crypto *crypto_openssl(void);
