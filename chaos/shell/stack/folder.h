/*
 * folder: paths, and folders that come and go with a run.
 */
#pragma once

#include "base/errc.h"
#include "base/limits.h"

/* A path, cut never: one that does not fit is an error where it is made. */
struct folder_path {
    char text[LIMIT_PATH_BYTES];
};

/* Writes a path. ERRC_TOO_BIG. */
MUST_USE enum errc folder_format(struct folder_path *out, struct errc_why *why, const char *format,
                                 ...) PRINTF_LIKE(3, 4);

/* Makes the path of a file or folder that exists absolute. ERRC_NOT_FOUND, ERRC_DENIED, ERRC_IO. */
MUST_USE enum errc folder_absolute(const char *path, struct folder_path *out, struct errc_why *why);

/* Makes a new private folder with a short name, for sockets: below $XDG_RUNTIME_DIR, else $TMPDIR,
 * else /tmp; whichever is the first that leaves room in sun_path. ERRC_IO, ERRC_TOO_BIG. */
MUST_USE enum errc folder_make_temporary(struct folder_path *out, struct errc_why *why);

/* Removes a folder and all below it; follows no link and crosses no mount. One that is not there is
 * fine. ERRC_IO when something stays. */
MUST_USE enum errc folder_remove(const char *path, struct errc_why *why);

/* Points the symbolic link at path, atomically, to target (relative to the link). ERRC_IO. */
MUST_USE enum errc folder_link(const char *path, const char *target, struct errc_why *why);
