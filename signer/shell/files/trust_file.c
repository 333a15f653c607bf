#include "signer/shell/files/trust_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* Whoever can write the pin can have anything signed with a key of theirs pass. */
static enum errc check_owner(int fd, const char *path, struct errc_why *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_IO, "TRUST_FILE \"%.200s\" is not a regular file", path);
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022) != 0)
        return errc_fail(why, ERRC_DENIED,
                         "TRUST_FILE \"%.200s\" can be written by other users: chmod go-w it, and "
                         "check what it pins",
                         path);
    return ERRC_OK;
}

enum errc trust_file_read(const char *path, const struct keyport *keyport, struct trust *out,
                          struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_TRUST_FILE_BYTES);
    trust_init(out);
    int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errc_fail(why, ERRC_NOT_FOUND,
                         "TRUST_FILE \"%.200s\" cannot be opened: run `signer trust accept` to pin "
                         "Vault's key",
                         path);
    TRY(check_owner(fd, path, why));
    TRY(file_read_fd(fd, path, &text, why));
    enum errc code = trust_parse(buf_slice(&text), keyport, out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "TRUST_FILE \"%.200s\"", path);
    return code;
}

enum errc trust_file_write(const char *path, const struct trust *trust, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_TRUST_FILE_BYTES);
    TRY(trust_format(trust, &text, why));
    return file_replace(path, buf_slice(&text), 0644, why);
}
