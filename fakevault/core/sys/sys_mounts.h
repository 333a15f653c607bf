/*
 * sys_mounts: which engines are mounted where, and the barrier's terms (vault-api.md 2.7, 2.14).
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/state.h"

/* Writes the description of a mount as members of an open object. */
void sys_mounts_write(struct jsonwrite *w, const struct mount *m);

/* sys/mounts/+path with POST; sys_enable.c. */
void sys_enable_prepare(struct vault_job *job);
void sys_enable_finish(struct vault_job *job);
extern const struct field_spec sys_enable_fields[];

/* Reads a TTL of a mount's config; answers and returns false when it is wrong. */
bool sys_enable_ttl(struct vault_job *job, const char *which, const json_t *value, int64_t *out);

/* The path of a request as a mount's: with '/' at its end. False when it is too long. */
bool sys_mounts_path(const struct vault_job *job, char out[static MOUNT_PATH_BYTES]);

/* Writes a changed table to the store and, once it is there, takes it over (changed is empty then).
 * On failure nothing changes. Errors as barrier_commit. */
MUST_USE enum errc sys_mounts_commit(struct vault *v, struct mount_table *changed,
                                     struct errc_why *why);
