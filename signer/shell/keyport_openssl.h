/*
 * keyport_openssl: ECDSA P-256 and Ed25519 by OpenSSL. Thread-safe; keeps nothing.
 */
#pragma once

#include "signer/core/keys/keyport.h"

struct keyport keyport_openssl(void);
