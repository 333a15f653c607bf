/*
 * trailfault: an audit trail that its writers cannot write to, or that a crash left torn, made
 * from outside: the signers are not touched.
 *
 * While it is denied, the trail's path leads to a copy that nobody can write to, whoever he is: a
 * file in memory whose seals forbid it (permissions would not stop root, and a folder or a device
 * in its place could not be read). It can be read and locked as before; a write ends with EPERM.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "chaos/shell/stack/folder.h"

struct trailfault {
    bool denied;
    int copy_fd;             /* while denied */
    struct folder_path path; /* of the trail */
    struct folder_path kept; /* where it lies meanwhile */
};

/* Puts the sealed copy in the trail's place. ERRC_STATE when it is denied already, or does not
 * exist; ERRC_IO. */
MUST_USE enum errc trailfault_deny(struct trailfault *t, const char *path, struct errc_why *why);

/* Puts the trail back. Fine when it is not denied. ERRC_IO. */
MUST_USE enum errc trailfault_restore(struct trailfault *t, struct errc_why *why);

/* Appends the first half of the trail's last line, without its end: what a crash leaves of a write.
 * ERRC_STATE when there is no line; ERRC_IO. */
MUST_USE enum errc trailfault_tear(const char *path, struct errc_why *why);
