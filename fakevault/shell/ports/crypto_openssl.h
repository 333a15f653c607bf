/*
 * crypto_openssl: the live crypto port: Ed25519 by libsodium, all else by OpenSSL.
 */
#pragma once

#include "fakevault/core/crypto.h"

/* Makes OpenSSL overwrite all memory that it frees, so that a key is gone once it is unloaded. A
 * program calls this before anything uses OpenSSL; false when that came too late. The port does it,
 * too, as well as it can. */
bool crypto_openssl_wipe_freed(void);

/* Returns the port; static, never freed. Initialises libsodium and OpenSSL once. */
const struct crypto *crypto_openssl(void);
