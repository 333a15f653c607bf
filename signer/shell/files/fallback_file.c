#include "signer/shell/files/fallback_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

#define KEY_FILE_BYTES 4096

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool read_folder(const char *path, struct fallback_facts *facts)
{
    char copy[LIMIT_PATH_BYTES];
    struct stat st;
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy ||
        stat(dirname(copy), &st) != 0)
        return false;
    facts->folder_mode = st.st_mode & 07777;
    facts->folder_own = st.st_uid == geteuid() || st.st_uid == 0;
    return true;
}

/* All is asked of the opened descriptor: what the name means a moment later does not matter. */
static bool read_facts(int fd, const char *path, struct fallback_facts *facts)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    facts->regular = S_ISREG(st.st_mode);
    facts->own = st.st_uid == geteuid();
    facts->mode = st.st_mode & 07777;
    facts->links = st.st_nlink;
    return read_folder(path, facts);
}

static enum fallback_verdict cannot_read(const char *path, struct errc_why *why)
{
    int e = errno;
    (void)errc_fail(why, ERRC_NOT_FOUND, "FALLBACK_KEY_FILE \"%.200s\": %s", path,
                    e == ELOOP ? "is a symbolic link" : strerror(e));
    return e == ENOENT || e == ENOTDIR ? FALLBACK_KEY_MISSING : FALLBACK_KEY_UNSAFE;
}

static enum fallback_verdict read_seed(int fd, const char *path, struct secret_arena *arena,
                                       struct secret *seed, struct errc_why *why)
{
    struct secret text CLEANUP(secret_done) = {0};
    size_t len = 0;
    if (secret_new(arena, KEY_FILE_BYTES, &text) != ERRC_OK) {
        (void)errc_fail(why, ERRC_NOMEM, "no locked memory left for the fallback key");
        return FALLBACK_KEY_UNSAFE;
    }
    /* A signal or a disk that fails says nothing of the key. */
    for (ssize_t n = 1; n != 0 && len < text.len;) {
        n = read(fd, text.ptr + len, text.len - len);
        if (n < 0 && errno != EINTR)
            return cannot_read(path, why);
        len += n > 0 ? (size_t)n : 0;
    }
    if (fallback_parse(slice_bytes(text.ptr, len), arena, seed, why) == ERRC_OK)
        return FALLBACK_USABLE;
    errc_prefix(why, "FALLBACK_KEY_FILE \"%.200s\"", path);
    return FALLBACK_KEY_UNSAFE;
}

enum fallback_verdict fallback_file_read(const char *path, struct secret_arena *arena,
                                         struct secret *seed, struct errc_why *why)
{
    struct fallback_facts facts = {0};
    int fd CLEANUP(close_fd) = -1;
    do
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 || !read_facts(fd, path, &facts))
        return cannot_read(path, why);
    enum fallback_verdict verdict = fallback_check(&facts, path, why);
    return verdict == FALLBACK_USABLE ? read_seed(fd, path, arena, seed, why) : verdict;
}
