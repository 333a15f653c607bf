/*
 * kv_entry: one secret of a kv version 2 mount: its metadata with the list of versions, and the
 * data of each version in a record of its own (vault-api.md 5).
 *
 * "logical/<uuid>/metadata/<path>" and "logical/<uuid>/versions/<SHA-256 of the path>/<number>"; a
 * write puts both in one batch.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "fakevault/core/seal/barrier.h"

#define KV_ENTRY_VERSIONS_DEFAULT 10u /* kept when max_versions is 0 */
#define KV_ENTRY_VERSIONS_MAX 60u     /* all of them fit one write of the store */
#define KV_ENTRY_PATH_MAX 400u        /* bytes of a secret's path */

struct kv_entry_version {
    int64_t created_ns;
    int64_t deleted_ns; /* 0: not deleted */
    bool destroyed;
};

struct kv_entry {
    int64_t created_ns;
    int64_t updated_ns;
    uint32_t oldest;  /* number of versions[0]; 0 while there is none */
    uint32_t current; /* number of the last version; 0 while there is none */
    struct kv_entry_version *versions;
};

void kv_entry_done(struct kv_entry *e);

/* Reads the metadata. ERRC_NOT_FOUND, else as barrier_get; ERRC_RANGE for a path that is too
 * long. */
MUST_USE enum errc kv_entry_load(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                                 struct slice path, struct errc_why *why);

/* Returns a version that the entry still has, or NULL. */
struct kv_entry_version *kv_entry_version(const struct kv_entry *e, uint32_t number);

/* Adds a version with this data (JSON text) in memory and in the store; drops versions over `keep`.
 * On failure the store is unchanged and e is to be thrown away. */
MUST_USE enum errc kv_entry_write(struct kv_entry *e, struct barrier *b, const char *mount_uuid,
                                  struct slice path, struct slice data, unsigned keep,
                                  int64_t wall_ns, struct errc_why *why);

/* Writes changed metadata. */
MUST_USE enum errc kv_entry_store(const struct kv_entry *e, struct barrier *b,
                                  const char *mount_uuid, struct slice path, struct errc_why *why);

/* Reads the data of a version into arena memory, which the caller ends. */
MUST_USE enum errc kv_entry_data(struct barrier *b, const char *mount_uuid, struct slice path,
                                 uint32_t number, struct secret *out, struct errc_why *why);

/* Deletes metadata and all versions, together. */
MUST_USE enum errc kv_entry_erase(const struct kv_entry *e, struct barrier *b,
                                  const char *mount_uuid, struct slice path, struct errc_why *why);
