#include "chaos/shell/stack/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"

#define SOCKET_PATH_MAX 80 /* leaves room for a file name in the 108 bytes of sun_path */
#define OPEN_FOLDERS 16

enum errc folder_format(struct folder_path *out, struct errc_why *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof out->text)
        return errc_fail(why, ERRC_TOO_BIG, "path \"%.60s…\" is too long", out->text);
    return ERRC_OK;
}

enum errc folder_absolute(const char *path, struct folder_path *out, struct errc_why *why)
{
    char *full = realpath(path, NULL);
    if (full == NULL) {
        enum errc code = errno == ENOENT ? ERRC_NOT_FOUND : errno == EACCES ? ERRC_DENIED : ERRC_IO;
        return errc_fail(why, code, "\"%s\": %s", path, strerror(errno));
    }
    enum errc code = folder_format(out, why, "%s", full);
    free(full);
    return code;
}

enum errc folder_make_temporary(struct folder_path *out, struct errc_why *why)
{
    const char *parents[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < COUNT(parents); i++) {
        if (parents[i] == NULL || parents[i][0] != '/' || strlen(parents[i]) > SOCKET_PATH_MAX)
            continue;
        TRY(folder_format(out, why, "%s/chaos-XXXXXX", parents[i]));
        if (mkdtemp(out->text) != NULL)
            return ERRC_OK;
    }
    out->text[0] = '\0';
    return errc_fail(why, ERRC_IO, "cannot make a folder in /tmp: %s", strerror(errno));
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return (kind == FTW_DP ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT ? 0 : -1;
}

enum errc folder_remove(const char *path, struct errc_why *why)
{
    struct stat st;
    if (lstat(path, &st) != 0 && errno == ENOENT)
        return ERRC_OK;
    if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return errc_fail(why, ERRC_IO, "cannot remove \"%s\": %s", path, strerror(errno));
    return ERRC_OK;
}

enum errc folder_link(const char *path, const char *target, struct errc_why *why)
{
    struct folder_path beside;
    TRY(folder_format(&beside, why, "%s.%d", path, (int)getpid()));
    (void)unlink(beside.text);
    if (symlink(target, beside.text) != 0 || rename(beside.text, path) != 0) {
        enum errc code = errc_fail(why, ERRC_IO, "cannot link \"%s\": %s", path, strerror(errno));
        (void)unlink(beside.text);
        return code;
    }
    return ERRC_OK;
}
