/*
 * audit_entry: one request or one answer as a line of JSON, as Vault's devices write it.
 *
 * What a client sent or got is hashed value by value under the device's salt, keys stay: who has
 * the value can look for it (sys/audit-hash), nobody can read it. Numbers that a client sent are
 * texts in Vault and are hashed too; numbers in answers stay. Members and their order are those of
 * Vault 1.14.9, from its own files.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/vault_reply.h"

/* Appends the line that is written when a device is enabled. */
void audit_entry_test(const struct audit_device *d, const char *id, int64_t wall_ns,
                      struct buf *out);

/* Formats the request's lines and keeps them in the job until vault_job_run. From here on the
 * answer is audited, too, by the devices that there are then. */
void audit_entry_begin(struct vault_job *job);

/* Does the same for the answer, into the reply. */
void audit_entry_end(struct vault_job *job, struct vault_reply *reply);
