#include "base/os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum errc io_error(struct errc_why *why, const char *doing, const char *path)
{
    int e = errno;
    enum errc code = e == ENOENT                 ? ERRC_NOT_FOUND
                     : e == EACCES || e == EPERM ? ERRC_DENIED
                     : e == EEXIST               ? ERRC_EXISTS
                                                 : ERRC_IO;
    return errc_fail(why, code, "cannot %s \"%s\": %s", doing, path, strerror(e));
}

enum errc file_read_fd(int fd, const char *name, struct buf *out, struct errc_why *why)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(why, "read", name);
        if (n == 0)
            return ERRC_OK;
        buf_add(out, chunk, (size_t)n);
        if (out->failed)
            return errc_fail(why, ERRC_TOO_BIG, "\"%s\" is larger than %zu bytes", name, out->max);
    }
}

enum errc file_read(const char *path, struct buf *out, struct errc_why *why)
{
    return file_read_from(path, 0, out, why);
}

enum errc file_read_from(const char *path, uint64_t from, struct buf *out, struct errc_why *why)
{
    int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return io_error(why, "open", path);
    if (!S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_IO, "\"%s\" is not a regular file", path);
    if (from > 0 && lseek(fd, (off_t)from, SEEK_SET) < 0)
        return io_error(why, "read", path);
    return file_read_fd(fd, path, out, why);
}

enum errc file_write_fd(int fd, struct slice bytes, const char *name, struct errc_why *why)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return io_error(why, "write", name);
        bytes = slice_from(bytes, (size_t)n);
    }
    return ERRC_OK;
}

static enum errc copy_path(const char *path, char copy[static LIMIT_PATH_BYTES],
                           struct errc_why *why)
{
    size_t len = strlen(path);
    if (len >= LIMIT_PATH_BYTES)
        return errc_fail(why, ERRC_TOO_BIG, "path \"%.60s…\" is too long", path);
    memcpy(copy, path, len + 1);
    return ERRC_OK;
}

enum errc file_sync_folder_of(const char *path, struct errc_why *why)
{
    char copy[LIMIT_PATH_BYTES];
    TRY(copy_path(path, copy, why));
    const char *folder = dirname(copy);
    int fd CLEANUP(close_fd) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return io_error(why, "sync the folder", folder);
    return ERRC_OK;
}

/* Writes bytes to a new file beside path; temporary holds its name. */
static enum errc write_beside(const char *path, struct slice bytes, mode_t mode, bool durably,
                              char temporary[static LIMIT_PATH_BYTES], struct errc_why *why)
{
    int n = snprintf(temporary, LIMIT_PATH_BYTES, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= LIMIT_PATH_BYTES)
        return errc_fail(why, ERRC_TOO_BIG, "path \"%.60s…\" is too long", path);
    int fd CLEANUP(close_fd) = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return io_error(why, "create a file beside", path);
    enum errc code = file_write_fd(fd, bytes, temporary, why);
    if (code == ERRC_OK && (fchmod(fd, mode) != 0 || (durably && fsync(fd) != 0)))
        code = io_error(why, "sync", temporary);
    if (code != ERRC_OK)
        (void)unlink(temporary);
    return code;
}

/* True for a device, pipe or socket: nothing that could be replaced without taking it away. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static enum errc write_into(const char *path, struct slice bytes, struct errc_why *why)
{
    int fd CLEANUP(close_fd) = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return io_error(why, "open", path);
    return file_write_fd(fd, bytes, path, why);
}

static enum errc replace(const char *path, struct slice bytes, mode_t mode, bool durably,
                         struct errc_why *why)
{
    char temporary[LIMIT_PATH_BYTES];
    if (is_special(path))
        return write_into(path, bytes, why);
    TRY(write_beside(path, bytes, mode, durably, temporary, why));
    if (rename(temporary, path) != 0) {
        enum errc code = io_error(why, "replace", path);
        (void)unlink(temporary);
        return code;
    }
    return durably ? file_sync_folder_of(path, why) : ERRC_OK;
}

enum errc file_replace(const char *path, struct slice bytes, mode_t mode, struct errc_why *why)
{
    return replace(path, bytes, mode, true, why);
}

enum errc file_put(const char *path, struct slice bytes, mode_t mode, struct errc_why *why)
{
    return replace(path, bytes, mode, false, why);
}

enum errc file_check_replace(const char *path, struct errc_why *why)
{
    char temporary[LIMIT_PATH_BYTES];
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return errc_fail(why, ERRC_USAGE, "\"%s\" is a folder", path);
    if (is_special(path))
        return access(path, W_OK) == 0 ? ERRC_OK : io_error(why, "write", path);
    TRY(write_beside(path, (struct slice){0}, 0600, true, temporary, why));
    (void)unlink(temporary);
    return ERRC_OK;
}

void file_remove(const char *path)
{
    if (!is_special(path))
        (void)unlink(path);
}

enum errc file_publish(const char *path, struct slice bytes, mode_t mode, struct errc_why *why)
{
    char temporary[LIMIT_PATH_BYTES];
    TRY(write_beside(path, bytes, mode, true, temporary, why));
    enum errc code = link(temporary, path) == 0 ? ERRC_OK : io_error(why, "publish", path);
    (void)unlink(temporary);
    return code == ERRC_OK ? file_sync_folder_of(path, why) : code;
}

enum errc file_make_folder(const char *path, mode_t mode, struct errc_why *why)
{
    char copy[LIMIT_PATH_BYTES];
    TRY(copy_path(path, copy, why));
    for (char *c = copy + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            return io_error(why, "make the folder", copy);
        *c = '/';
    }
    struct stat st;
    if (mkdir(copy, mode) != 0 && (errno != EEXIST || stat(copy, &st) != 0 || !S_ISDIR(st.st_mode)))
        return io_error(why, "make the folder", copy);
    return ERRC_OK;
}
