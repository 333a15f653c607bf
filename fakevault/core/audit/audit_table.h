/*
 * audit_table: the audit devices that are enabled: one record, "core/audit", and the same in memory
 * while unsealed.
 */
#pragma once

#include "fakevault/core/audit/audit_device.h"
#include "fakevault/core/seal/barrier.h"

#define AUDIT_TABLE_MAX 32u

struct audit_table {
    struct audit_device *items[AUDIT_TABLE_MAX]; /* sorted by path, a reference each */
    size_t count;
};

void audit_table_done(struct audit_table *t);

/* Reads the record through an open barrier; no record is no devices. */
MUST_USE enum errc audit_table_load(struct audit_table *t, struct barrier *b,
                                    const struct audit_port *port, struct errc_why *why);

/* Stores the table with `added` (NULL: none) and without the device at `removed` (NULL: none), then
 * changes it in memory. Takes a reference of its own. ERRC_TOO_BIG, ERRC_IO, ERRC_NOMEM. */
MUST_USE enum errc audit_table_change(struct audit_table *t, struct barrier *b,
                                      struct audit_device *added, struct audit_device *removed,
                                      struct errc_why *why);

/* Returns the device at a path with its '/', or NULL; lent. */
struct audit_device *audit_table_find(const struct audit_table *t, struct slice path);

/* Returns a device that one at `path` would cover or lie below, or NULL. */
struct audit_device *audit_table_conflict(const struct audit_table *t, struct slice path);
