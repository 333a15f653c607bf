#include "chaos/shell/stack/trailfault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/text/buf.h"

#define TRAIL_BYTES_MAX (256u << 20)

static enum errc failed(const char *doing, const char *path, struct errc_why *why)
{
    return errc_fail(why, ERRC_IO, "cannot %s the audit trail \"%s\": %s", doing, path,
                     strerror(errno));
}

static enum errc read_trail(const char *path, struct buf *out, struct errc_why *why)
{
    buf_init(out, TRAIL_BYTES_MAX);
    enum errc code = file_read(path, out, why);
    if (code == ERRC_NOT_FOUND)
        return errc_fail(why, ERRC_STATE, "there is no audit trail yet");
    return code;
}

/* A file in memory with these bytes, which stay as they are for ever. */
static enum errc make_sealed(struct slice bytes, const char *path, int *out, struct errc_why *why)
{
    int fd = memfd_create("audit-trail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return failed("copy", path, why);
    enum errc code = file_write_fd(fd, bytes, path, why);
    if (code == ERRC_OK &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        code = failed("seal a copy of", path, why);
    if (code == ERRC_OK)
        *out = fd;
    else
        (void)close(fd);
    return code;
}

static enum errc put_copy_in_place(struct trailfault *t, struct errc_why *why)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "/proc/%d/fd/%d", (int)getpid(), t->copy_fd);
    if (rename(t->path.text, t->kept.text) != 0)
        return failed("set aside", t->path.text, why);
    t->denied = true;
    return folder_link(t->path.text, copy, why);
}

enum errc trailfault_deny(struct trailfault *t, const char *path, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done) = {0};
    if (t->denied)
        return errc_fail(why, ERRC_STATE, "the audit trail is denied already");
    TRY(folder_format(&t->path, why, "%s", path));
    TRY(folder_format(&t->kept, why, "%s.kept", path));
    TRY(read_trail(path, &text, why));
    TRY(make_sealed(buf_slice(&text), path, &t->copy_fd, why));
    enum errc code = put_copy_in_place(t, why);
    if (code != ERRC_OK && !t->denied)
        (void)close(t->copy_fd);
    return code;
}

enum errc trailfault_restore(struct trailfault *t, struct errc_why *why)
{
    if (!t->denied)
        return ERRC_OK;
    if (rename(t->kept.text, t->path.text) != 0)
        return failed("put back", t->path.text, why);
    (void)close(t->copy_fd);
    t->denied = false;
    return ERRC_OK;
}

enum errc trailfault_tear(const char *path, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done) = {0};
    TRY(read_trail(path, &text, why));
    struct slice rest = buf_slice(&text), line = {0};
    while (rest.len > 0)
        line = slice_cut(&rest, '\n');
    if (line.len < 2)
        return errc_fail(why, ERRC_STATE, "the audit trail has no line to tear");
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return failed("open", path, why);
    enum errc code = file_write_fd(fd, slice_bytes(line.ptr, line.len / 2), path, why);
    (void)close(fd);
    return code;
}
