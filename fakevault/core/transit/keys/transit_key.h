/*
 * transit_key: the endpoints that make, show, change, move and end keys (vault-api.md 4.2 to 4.4,
 * 4.15 to 4.18). One file per group; the table is in transit_key.c.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/transit/keyring/keyring.h"

/* Answers with the key, as a read does. transit_key_show.c */
void transit_key_answer(struct vault_job *job, const struct keyring *k);

/* False, and answered, when the period is neither 0 nor an hour. */
bool transit_key_period_fits(struct vault_job *job);

/* Adds a version, stores the keyring, and leaves it as it was when that fails. Takes over the
 * reference on success. */
MUST_USE enum errc transit_key_append(struct vault_job *job, struct keyring *k, bool imported,
                                      struct keyring_version *version, struct errc_why *why);

/* Calls each(context, version's number) for those that an export was asked for by its `version`:
 * all, "latest", "v3" or "3". Answers when there is no such version; false when that, or `each`,
 * has answered. */
bool transit_key_versions(struct vault_job *job, const struct keyring *k, struct slice wanted,
                          void (*each)(void *context, uint32_t number), void *context);

/* The hash of an OAEP wrapping by its name in any case; CRYPTO_HASH_NONE: Vault has none such. */
enum crypto_hash transit_key_oaep_hash(struct slice name);

/* The groups. */
#define TRANSIT_KEY_STEPS(group)                                                                   \
    void transit_key_##group##_prepare(struct vault_job *job);                                     \
    void transit_key_##group##_work(struct vault_job *job);                                        \
    void transit_key_##group##_finish(struct vault_job *job)

extern const struct field_spec transit_key_read_fields[];
void transit_key_read_finish(struct vault_job *job);
void transit_key_list_finish(struct vault_job *job);

extern const struct field_spec transit_key_config_fields[], transit_key_trim_fields[];
void transit_key_config_finish(struct vault_job *job);
void transit_key_trim_finish(struct vault_job *job);
void transit_key_delete_finish(struct vault_job *job);

extern const struct field_spec transit_key_byok_fields[];
void transit_key_export_finish(struct vault_job *job);
void transit_key_byok_finish(struct vault_job *job);

extern const struct field_spec transit_key_restore_fields[];
void transit_key_backup_finish(struct vault_job *job);
void transit_key_restore_finish(struct vault_job *job);

extern const struct field_spec transit_key_import_fields[], transit_key_import_version_fields[];
TRANSIT_KEY_STEPS(import);
TRANSIT_KEY_STEPS(import_version);
TRANSIT_KEY_STEPS(wrapping);

extern const struct field_spec transit_key_cache_fields[], transit_key_upsert_fields[];
void transit_key_cache_read_finish(struct vault_job *job);
void transit_key_cache_write_finish(struct vault_job *job);
void transit_key_upsert_read_finish(struct vault_job *job);
void transit_key_upsert_write_finish(struct vault_job *job);

/* True when encrypting with an unknown key must not make it (config/keys). False also when the
 * store fails: answered then. transit_key_mount.c */
bool transit_key_upsert_disabled(struct vault_job *job);
