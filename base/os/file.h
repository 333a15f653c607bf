/*
 * file: whole files in, whole files out. Writing never leaves a half: beside,
 * fsync, rename, fsync of the folder (file_put leaves out both fsyncs).
 */
#pragma once

#include <sys/types.h>

#include "base/errc.h"
#include "base/text/buf.h"

/* Reads a regular file into out (whose maximum is the limit). ERRC_NOT_FOUND,
 * ERRC_TOO_BIG, ERRC_IO; the sentence names the file. */
MUST_USE enum errc file_read(const char *path, struct buf *out, struct errc_why *why);

/* The same from byte `from` on; behind the end there is nothing. */
MUST_USE enum errc file_read_from(const char *path, uint64_t from, struct buf *out,
                                  struct errc_why *why);

/* Reads an open descriptor to its end into out. */
MUST_USE enum errc file_read_fd(int fd, const char *name, struct buf *out, struct errc_why *why);

/* Writes all bytes, across short writes and EINTR. */
MUST_USE enum errc file_write_fd(int fd, struct slice bytes, const char *name,
                                 struct errc_why *why);

/* Replaces path by bytes, durably and atomically, with mode (e.g. 0600); a device or pipe
 * (/dev/null, /dev/stdout) is written to and stays what it is. ERRC_IO; the old file stays on any
 * failure. */
MUST_USE enum errc file_replace(const char *path, struct slice bytes, mode_t mode,
                                struct errc_why *why);

/* The same, but only atomically: for what a crash of the machine may take along. */
MUST_USE enum errc file_put(const char *path, struct slice bytes, mode_t mode,
                            struct errc_why *why);

/* ERRC_OK when file_replace could do it now, as far as that can be told without doing it. */
MUST_USE enum errc file_check_replace(const char *path, struct errc_why *why);

/* Removes a file that file_replace made; leaves a device or pipe alone. */
void file_remove(const char *path);

/* The same as file_replace, but ERRC_EXISTS when path is there already (link, not rename); for
 * what must be published once. */
MUST_USE enum errc file_publish(const char *path, struct slice bytes, mode_t mode,
                                struct errc_why *why);

/* Makes a folder and its parents; one that is there is fine. */
MUST_USE enum errc file_make_folder(const char *path, mode_t mode, struct errc_why *why);

/* Makes the folder's entries durable. */
MUST_USE enum errc file_sync_folder_of(const char *path, struct errc_why *why);
