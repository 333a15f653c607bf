/*
 * keyring_json: a keyring as Vault's own JSON, which its backups are made of (vault-api.md 4.16,
 * 10.5), so that a real Vault restores what this server backed up and the other way round.
 */
#pragma once

#include <jansson.h>

#include "base/text/buf.h"
#include "fakevault/core/transit/keyring/keyring.h"

/* Appends {"policy":..,"archived_keys":..} and a newline. ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc keyring_json_format(const struct keyring *k, struct buf *out);

/* Makes a keyring of such JSON; the caller owns *out. `name`: another name for it, or empty.
 * ERRC_SCHEMA: it is none; ERRC_CRYPTO: a key in it is none; ERRC_NOMEM. */
MUST_USE enum errc keyring_json_parse(struct slice json, const char *mount_uuid, struct slice name,
                                      const struct crypto *crypto, struct secret_arena *arena,
                                      struct keyring **out, struct errc_why *why);
