/*
 * audit_file: the audit trail on disk, shared by processes.
 *
 * One append is: flock, catch up with what others wrote, mend a torn tail, format with the hash
 * of the line before, write, fsync, unlock. It returns only when the entry is durable. A write
 * that failed half way (ENOSPC) is cut off again. One audit_file may be used by several threads.
 *
 * A torn tail (a process or machine died while writing) gets its newline; when it was not a
 * whole entry, AUDIT_TAIL_REPAIRED follows. Nothing is ever removed that another process wrote.
 *
 * audit_file_claim keeps two signers, in any process, from signing one bundle at the same time:
 * a lock in AUDIT_LOG.lock that the kernel drops when its holder dies.
 */
#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/limits.h"
#include "signer/core/trail/audit.h"

struct audit_file;

/* Opens or makes the file (0600) and reads it once. ERRC_IO, ERRC_DENIED, ERRC_NOMEM. */
MUST_USE enum errc audit_file_open(const char *path, struct clock clock, struct entropy entropy,
                                   struct audit_file **out, struct errc_why *why);
void audit_file_close(struct audit_file *file);

/* Appends durably. ERRC_IO (also a full disk), ERRC_TIMEOUT (lock), ERRC_NOMEM. */
MUST_USE enum errc audit_file_append(struct audit_file *file, const struct audit_entry *entry,
                                     struct errc_why *why);

/* Catches up and copies what the trail says about a bundle; state AUDIT_UNKNOWN when nothing.
 * With state AUDIT_OPEN or AUDIT_DONE, the line is appended to `line` (may be NULL). */
MUST_USE enum errc audit_file_lookup(struct audit_file *file, const char *bundle_run_id,
                                     struct audit_bundle *out, struct buf *line,
                                     struct errc_why *why);

/* Claims a bundle; *claim is a descriptor to close. ERRC_STATE when another holds it. */
MUST_USE enum errc audit_file_claim(struct audit_file *file, const char *bundle_run_id, int *claim,
                                    struct errc_why *why);
