/*
 * kv: the endpoints of the kv engine, versions 1 and 2 (vault-api.md 5). One file per group; the
 * tables of version 2 and 1 are in kv.c and kv_plain.c.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/kv/kv_entry.h"

extern const struct route_table kv_table;       /* version 2 */
extern const struct route_table kv_plain_table; /* version 1 */

/* What a mount says about all its secrets. */
struct kv_config {
    uint32_t max_versions; /* 0: KV_ENTRY_VERSIONS_DEFAULT */
    bool cas_required;
    int64_t delete_after_s; /* 0: never; negative: never, whatever a secret says */
};

/* kv_config.c. kv_config_load answers and returns false when the store fails. */
extern const struct field_spec kv_config_fields[];
bool kv_config_load(struct vault_job *job, struct kv_config *out);
void kv_config_read_finish(struct vault_job *job);
void kv_config_write_finish(struct vault_job *job);

/* kv_data.c */
extern const struct field_spec kv_data_read_fields[];
extern const struct field_spec kv_data_write_fields[];
extern const struct field_spec kv_data_subkeys_fields[];
void kv_data_write_prepare(struct vault_job *job);
void kv_data_read_finish(struct vault_job *job);
void kv_data_write_finish(struct vault_job *job);
void kv_data_patch_finish(struct vault_job *job);
void kv_data_delete_finish(struct vault_job *job);
void kv_data_subkeys_finish(struct vault_job *job);

/* kv_metadata.c */
extern const struct field_spec kv_metadata_fields[];
void kv_metadata_list_finish(struct vault_job *job);
void kv_metadata_read_finish(struct vault_job *job);
void kv_metadata_write_finish(struct vault_job *job);
void kv_metadata_patch_finish(struct vault_job *job);
void kv_metadata_delete_finish(struct vault_job *job);

/* kv_versions.c */
extern const struct field_spec kv_versions_fields[];
void kv_versions_delete_finish(struct vault_job *job);
void kv_versions_undelete_finish(struct vault_job *job);
void kv_versions_destroy_finish(struct vault_job *job);

/* The secret that the path names; a '/' at its end does not count. */
struct slice kv_path(const struct vault_job *job);

/* Loads the secret that the path names. False when it is not there (not answered), or trouble
 * (answered). The caller ends *e with kv_entry_done either way. */
bool kv_load(struct vault_job *job, struct kv_entry *e);

/* Writes changed metadata; answers and returns false when the store fails. */
bool kv_store(struct vault_job *job, const struct kv_entry *e);

/* When a version that is made (or made again) now will be deleted; 0: never. */
int64_t kv_deletion_ns(const struct vault_job *job, const struct kv_config *config,
                       const struct kv_entry *e);

/* Write a point in time ("" for 0), a duration ("1h0m0s"), and what a version looks like in
 * answers about its data. */
void kv_write_stamp(struct jsonwrite *w, const char *key, int64_t wall_ns);
void kv_write_duration(struct jsonwrite *w, const char *key, int64_t seconds);
void kv_write_version(struct jsonwrite *w, const struct kv_entry *e, uint32_t number);

/* Answers with the names below a prefix of the store, folders once and with '/'; 404 for none. */
void kv_answer_names(struct vault_job *job, const char *prefix);

/* What version 2 says about a path that it does not have. */
void kv_unknown_path(struct vault_job *job);
