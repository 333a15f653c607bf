#include "signer/shell/files/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/os/file.h"

#define MODE 0644

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* "folder/name" -> "folder/.name.signing" */
static enum errc name_beside(const char *path, char out[static LIMIT_PATH_BYTES],
                             struct errc_why *why)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    int n = snprintf(out, LIMIT_PATH_BYTES, "%.*s.%s.signing", (int)(name - path), path, name);
    if (n < 0 || (size_t)n >= LIMIT_PATH_BYTES)
        return errc_fail(why, ERRC_TOO_BIG, "path \"%.60s...\" is too long", path);
    return ERRC_OK;
}

static enum errc io_error(const char *doing, const char *path, struct errc_why *why)
{
    enum errc code = errno == EACCES || errno == EPERM ? ERRC_DENIED : ERRC_IO;
    return errc_fail(why, code, "cannot %s \"%.300s\": %s", doing, path, strerror(errno));
}

static enum errc write_beside(const char *beside, struct slice bytes, struct errc_why *why)
{
    int fd CLEANUP(close_fd) =
        open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, MODE);
    if (fd < 0)
        return io_error("create", beside, why);
    TRY(file_write_fd(fd, bytes, beside, why));
    if (fchmod(fd, MODE) != 0 || fsync(fd) != 0)
        return io_error("sync", beside, why);
    return ERRC_OK;
}

enum errc publish_file(const char *path, struct slice bytes, struct errc_why *why)
{
    char beside[LIMIT_PATH_BYTES];
    TRY(name_beside(path, beside, why));
    enum errc code = write_beside(beside, bytes, why);
    if (code == ERRC_OK && rename(beside, path) != 0)
        code = io_error("replace", path, why);
    if (code == ERRC_OK)
        return file_sync_folder_of(path, why);
    (void)unlink(beside);
    return code;
}

void publish_discard(const char *path)
{
    char beside[LIMIT_PATH_BYTES];
    if (name_beside(path, beside, NULL) == ERRC_OK)
        (void)unlink(beside);
}
