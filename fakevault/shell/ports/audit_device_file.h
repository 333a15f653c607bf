/*
 * audit_device_file: audit devices in files: the live port of core/audit/audit_device.h.
 *
 * A line is appended in one piece; two requests never mix theirs. What blocks (a FIFO without a
 * reader, a full pipe) is waited for without end, as Vault does, but lets go when the port is told
 * to stop.
 */
#pragma once

#include "fakevault/core/audit/audit_device.h"
#include "fakevault/shell/ports/vault_log.h"

struct audit_files;

/* ERRC_NOMEM. The caller closes. What cannot be written is told to the log (NULL allowed), which is
 * borrowed. */
MUST_USE enum errc audit_device_file_new(const struct vault_log *log, struct audit_files **out);

/* Borrows the port, for as long as the files are open. */
const struct audit_port *audit_device_file_port(const struct audit_files *files);

/* Whatever waits, or would have to, fails at once from now on. Any thread; NULL allowed. */
void audit_device_file_stop(struct audit_files *files);

/* Closes each file; the next line opens it anew, so that it can be moved away before (as on
 * SIGHUP). Does not wait for a line that is being written. Any thread. */
void audit_device_file_reopen(struct audit_files *files);

/* No sink may be left. NULL allowed. */
void audit_device_file_free(struct audit_files *files);
