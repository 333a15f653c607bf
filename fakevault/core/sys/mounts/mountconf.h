/*
 * mountconf: what may be configured of a mount when it is enabled or tuned, with Vault's checks
 * and sentences (vault-api.md 2.7).
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/mount.h"

#define MOUNTCONF_VERSION_BYTES 64u

/* Names of the lists of strings; NULL at the end. */
extern const char *const mountconf_lists[];

/* Reads a TTL: "system" is 0, "" and NULL leave *out as it is. ERRC_SYNTAX with Go's sentence. */
MUST_USE enum errc mountconf_ttl(struct slice text, int64_t *out, struct errc_why *why);

/* Sets the mount's listing_visibility; answers and returns false when it is none. */
bool mountconf_visibility(struct vault_job *job, struct mount *m, struct slice value);

/* Sets which kind of token an auth method gives; answers and returns false when it is none. */
bool mountconf_token_type(struct vault_job *job, struct mount *m, struct slice value);

/* Sets one of the lists; false when out of memory. */
bool mountconf_list(struct vault_job *job, struct mount *m, const char *name,
                    const struct field_value *list);

/* Writes a version as Vault prints it, "1.2" as "v1.2.0"; false for what is none. */
bool mountconf_canonical(struct slice text, char out[static MOUNTCONF_VERSION_BYTES]);

/* Checks a plugin_version for an engine: false with an answer when it is no version or not the
 * builtin one, of which there is just one. `type` is as the request names it. */
bool mountconf_version(struct vault_job *job, struct slice version, struct slice type);

/* Sets the description; answers and returns false when it is too long. */
bool mountconf_description(struct vault_job *job, struct mount *m, struct slice text);

/* Reads the map `config` of an enable; answers and returns false when it is wrong. */
bool mountconf_read(struct vault_job *job, const json_t *config, struct mount *m);
