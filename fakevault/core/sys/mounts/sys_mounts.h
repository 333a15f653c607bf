/*
 * sys_mounts: which secrets engines and auth methods are mounted where: sys/mounts, sys/auth,
 * sys/remount, sys/internal/ui/mounts (vault-api.md 2.7, 2.8, 2.13).
 *
 * Secrets engines and auth methods share their functions: a request below "auth/" is about the
 * mount at "auth/" + its path.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/state.h"

/* True for a request below sys/auth. */
bool sys_mounts_for_auth(const struct vault_job *job);

/* Writes the path of a mount: prefix, text, one '/' at the end. False when it is too long. */
bool sys_mounts_path(const char *prefix, struct slice text, char out[static MOUNT_PATH_BYTES]);

/* The same for the capture "path" of a request; answers when it is too long. */
bool sys_mounts_requested(struct vault_job *job, char out[static MOUNT_PATH_BYTES]);

/* True for the paths of Vault's own mounts, and for those of auth methods when `auth`. */
bool sys_mounts_protected(const char *path, bool auth);

/* A mount that a new one at `path` would cover or lie below, which are both in the way; or NULL. */
const struct mount *sys_mounts_in_the_way(const struct vault *v, const char *path);

/* Answers what became of a mount_tune or mount_set_options; true for ERRC_OK. */
bool sys_mounts_done(struct vault_job *job, enum errc code);

/* Writes a changed table to the store and, once it is there, takes it over (changed is empty then),
 * and answers: 204, or a 500 when nothing changed. */
void sys_mounts_commit(struct vault_job *job, struct mount_table *changed);

/* The steps of the rows in sys_mounts.c. */
void sys_enable_finish(struct vault_job *job); /* sys_enable.c */
extern const struct field_spec sys_enable_fields[];
void sys_tune_read(struct vault_job *job); /* sys_tune.c */
void sys_tune_finish(struct vault_job *job);
extern const struct field_spec sys_tune_fields[];
void sys_remount_finish(struct vault_job *job); /* sys_remount.c */
void sys_remount_status(struct vault_job *job);
extern const struct field_spec sys_remount_fields[];
