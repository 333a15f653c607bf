/*
 * kv_upgrade: makes a mount of version 1 of the kv engine one of version 2. It needs no request: an
 * upgrade that a crash cut off goes on at the next unseal.
 */
#pragma once

#include "fakevault/core/seal/barrier.h"

/* The name of a secret's record in version 1; of no path, the begin of all. */
void kv_upgrade_name(const char *mount_uuid, struct slice path, char out[static STORE_NAME_MAX]);

/* Makes the first versions of version 2 out of a mount's secrets of version 1, when it
 * has any. What is left after a failure, or a process that was killed, is made by calling again. */
MUST_USE enum errc kv_upgrade_mount(struct barrier *b, const char *mount_uuid, int64_t wall_ns,
                                    struct errc_why *why);
