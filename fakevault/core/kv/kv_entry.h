/*
 * kv_entry: one secret of a kv version 2 mount: its metadata with the list of versions, and the
 * data of each version in a record of its own (vault-api.md 5).
 *
 * "logical/<uuid>/metadata/<path>" and "logical/<uuid>/versions/<SHA-256 of the path>/<number>"; a
 * write puts both in one batch. The versions that an entry has are all numbers from the one behind
 * the last dropped to the current one.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "fakevault/core/seal/barrier.h"

#define KV_ENTRY_VERSIONS_DEFAULT 10u /* kept when neither secret nor mount says otherwise */

struct kv_entry_version {
    int64_t created_ns;
    int64_t deleted_ns; /* 0: never; may lie ahead */
    bool destroyed;
};

struct kv_entry {
    int64_t created_ns;
    int64_t updated_ns;
    uint32_t oldest;  /* as Vault counts it: 0 until the first version is about to be dropped */
    uint32_t current; /* number of the last version; 0 while there is none */
    struct kv_entry_version *versions;
    uint32_t max_versions; /* 0: the mount's */
    bool cas_required;
    int64_t delete_after_s; /* 0: the mount's */
    json_t *custom;         /* object of strings; NULL for none */
};

void kv_entry_done(struct kv_entry *e);

/* Reads the metadata. ERRC_NOT_FOUND, else as barrier_get. */
MUST_USE enum errc kv_entry_load(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                                 struct slice path, struct errc_why *why);

/* Returns the first number of the versions that the entry still has; meaningless without any. */
uint32_t kv_entry_first(const struct kv_entry *e);

/* Returns a version that the entry still has, or NULL. */
struct kv_entry_version *kv_entry_version(const struct kv_entry *e, uint32_t number);

/* True when a version cannot be read at this time. */
bool kv_entry_gone(const struct kv_entry_version *version, int64_t wall_ns);

/* Adds a version with this data (JSON text), deleted at deleted_ns (0: never), in memory and in the
 * store; drops versions over `keep`. On failure the store is unchanged and e is to be thrown away.
 */
MUST_USE enum errc kv_entry_write(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                                  struct slice path, struct slice data, uint32_t keep,
                                  int64_t wall_ns, int64_t deleted_ns, struct errc_why *why);

/* Writes changed metadata. */
MUST_USE enum errc kv_entry_store(const struct kv_entry *e, struct barrier *b,
                                  const char *mount_uuid, struct slice path, struct errc_why *why);

/* Reads the data of a version into arena memory, which the caller ends. */
MUST_USE enum errc kv_entry_data(struct barrier *b, const char *mount_uuid, struct slice path,
                                 uint32_t number, struct secret *out, struct errc_why *why);

/* Deletes the data of the versions that are destroyed; their metadata is stored before. */
MUST_USE enum errc kv_entry_erase_destroyed(const struct kv_entry *e, struct barrier *b,
                                            const char *mount_uuid, struct slice path,
                                            struct errc_why *why);

/* Deletes metadata and all versions. */
MUST_USE enum errc kv_entry_erase(struct barrier *b, const char *mount_uuid, struct slice path,
                                  struct errc_why *why);
