#include "signer/shell/files/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "base/units.h"

#define CHUNK_BYTES 65536
#define LOCK_STEP_NS 5000000L

struct audit_file {
    char *path;
    struct clock clock;
    struct entropy entropy;
    pthread_mutex_t mutex; /* over all below; threads first, then processes */
    int fd;
    struct audit_index index;
    struct buf tail; /* what stands behind the last newline */
};

static enum errc io_error(const struct audit_file *f, const char *doing, struct errc_why *why)
{
    return errc_fail(why, errno == EACCES || errno == EPERM ? ERRC_DENIED : ERRC_IO,
                     "cannot %s the audit trail \"%.200s\": %s", doing, f->path, strerror(errno));
}

static void forget(struct audit_file *f)
{
    audit_index_done(&f->index);
    buf_reset(&f->tail);
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

static enum errc open_it(struct audit_file *f, struct errc_why *why)
{
    struct stat st;
    forget(f);
    f->fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return io_error(f, "open", why);
    if (!S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_IO, "the audit trail \"%.200s\" is not a regular file", f->path);
    /* A file that was just made must survive a power cut with its first entry. */
    return st.st_size == 0 ? file_sync_folder_of(f->path, why) : ERRC_OK;
}

/* flock has no deadline of its own, and a frozen process may hold the lock. */
static enum errc lock_fd(struct audit_file *f, int operation, struct errc_why *why)
{
    int64_t until = f->clock.now(f->clock.context).mono_ns + LIMIT_AUDIT_LOCK_MS * NS_PER_MS;
    while (flock(f->fd, operation | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return io_error(f, "lock", why);
        if (f->clock.now(f->clock.context).mono_ns > until)
            return errc_fail(why, ERRC_TIMEOUT,
                             "the audit trail \"%.200s\" was locked by another process for %d ms",
                             f->path, LIMIT_AUDIT_LOCK_MS);
        (void)nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_NS}, NULL);
    }
    return ERRC_OK;
}

/* True when the path still leads to what is open, and it was not cut. */
static bool is_current(const struct audit_file *f)
{
    struct stat open_st, path_st;
    return f->fd >= 0 && fstat(f->fd, &open_st) == 0 && stat(f->path, &path_st) == 0 &&
           open_st.st_ino == path_st.st_ino && open_st.st_dev == path_st.st_dev &&
           open_st.st_size >= f->index.offset;
}

/* Locks the file that the path means now; a rotated one is left behind. */
static enum errc lock_current(struct audit_file *f, int operation, struct errc_why *why)
{
    for (int tries = 0; tries < 10; tries++) {
        if (f->fd < 0)
            TRY(open_it(f, why));
        TRY(lock_fd(f, operation, why));
        if (is_current(f))
            return ERRC_OK;
        forget(f);
    }
    return errc_fail(why, ERRC_IO, "the audit trail \"%.200s\" is being replaced all the time",
                     f->path);
}

static enum errc feed(struct audit_file *f, struct slice chunk, struct errc_why *why)
{
    while (chunk.len > 0) {
        size_t end = slice_find(chunk, '\n');
        buf_add(&f->tail, chunk.ptr, end);
        if (f->tail.failed)
            return errc_fail(why, ERRC_TOO_BIG,
                             "the audit trail \"%.200s\" has a line of over %u bytes", f->path,
                             LIMIT_LINE_BYTES);
        if (end == chunk.len)
            return ERRC_OK;
        if (audit_index_feed(&f->index, buf_slice(&f->tail)) != ERRC_OK)
            return errc_fail(why, ERRC_NOMEM, "out of memory");
        buf_reset(&f->tail);
        chunk = slice_from(chunk, end + 1);
    }
    return ERRC_OK;
}

/* Reads what stands behind the last line that the index knows. */
static enum errc catch_up(struct audit_file *f, struct errc_why *why)
{
    char chunk[CHUNK_BYTES];
    off_t at = f->index.offset;
    buf_reset(&f->tail);
    for (;;) {
        ssize_t n = pread(f->fd, chunk, sizeof chunk, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(f, "read", why);
        if (n == 0)
            return ERRC_OK;
        TRY(feed(f, slice_bytes(chunk, (size_t)n), why));
        at += n;
    }
}

/* Puts what mends a torn tail before the entry; previous is the hash to chain to. */
static enum errc format_repair(struct audit_file *f, const struct audit_entry *entry,
                               char previous[static DIGEST_HEX_BYTES], struct buf *out,
                               struct errc_why *why)
{
    char id[ENTROPY_UUID_BYTES];
    if (f->tail.len == 0)
        return ERRC_OK;
    buf_add_char(out, '\n');
    digest_sha256_hex(buf_slice(&f->tail), previous);
    if (audit_tail_is_whole(buf_slice(&f->tail)))
        return ERRC_OK;
    entropy_uuid(&f->entropy, id);
    struct audit_entry repair = {
        .action = AUDIT_TAIL_REPAIRED,
        .id = id,
        .actor = entry->actor,
        .wall_ns = entry->wall_ns,
        .torn_bytes = f->tail.len,
    };
    size_t start = out->len;
    TRY(audit_format(&repair, previous, out, why));
    digest_sha256_hex(slice_bytes(out->ptr + start, out->len - start - 1), previous);
    return ERRC_OK;
}

/* One write for all of it; what was written in part is cut off again, so that a full disk leaves
 * the trail as it was. */
static enum errc write_out(struct audit_file *f, struct slice bytes, struct errc_why *why)
{
    off_t before = f->index.offset + (off_t)f->tail.len;
    enum errc code = file_write_fd(f->fd, bytes, f->path, why);
    if (code == ERRC_OK && fsync(f->fd) == 0)
        return ERRC_OK;
    if (code == ERRC_OK)
        code = io_error(f, "sync", why);
    (void)!ftruncate(f->fd, before);
    return code;
}

static enum errc append_locked(struct audit_file *f, const struct audit_entry *entry,
                               struct errc_why *why)
{
    char previous[DIGEST_HEX_BYTES];
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 2 * LIMIT_AUDIT_LINE_BYTES);
    TRY(catch_up(f, why));
    memcpy(previous, f->index.previous, sizeof previous);
    TRY(format_repair(f, entry, previous, &out, why));
    TRY(audit_format(entry, previous, &out, why));
    TRY(write_out(f, buf_slice(&out), why));
    return catch_up(f, why);
}

/* All of it, or errno says why not. */
static bool read_at(int fd, char *out, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t n = pread(fd, out, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* shorter than it was */
        if (n <= 0)
            return false;
        out += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static enum errc lookup_locked(struct audit_file *f, const char *bundle_run_id,
                               struct audit_bundle *out, struct buf *line, struct errc_why *why)
{
    *out = (struct audit_bundle){.state = AUDIT_UNKNOWN};
    TRY(catch_up(f, why));
    const struct audit_bundle *found = audit_index_find(&f->index, bundle_run_id);
    if (found == NULL)
        return ERRC_OK;
    *out = *found;
    if (line == NULL || found->len == 0)
        return ERRC_OK;
    char *room = buf_reserve(line, found->len);
    if (room == NULL)
        return buf_status(line, why);
    if (!read_at(f->fd, room, found->len, found->offset))
        return io_error(f, "read", why);
    buf_commit(line, found->len);
    return ERRC_OK;
}

static void unlock(struct audit_file *f)
{
    if (f->fd >= 0)
        (void)flock(f->fd, LOCK_UN);
    (void)pthread_mutex_unlock(&f->mutex);
}

enum errc audit_file_append(struct audit_file *f, const struct audit_entry *entry,
                            struct errc_why *why)
{
    (void)pthread_mutex_lock(&f->mutex);
    enum errc code = lock_current(f, LOCK_EX, why);
    if (code == ERRC_OK)
        code = append_locked(f, entry, why);
    unlock(f);
    return code;
}

enum errc audit_file_lookup(struct audit_file *f, const char *bundle_run_id,
                            struct audit_bundle *out, struct buf *line, struct errc_why *why)
{
    (void)pthread_mutex_lock(&f->mutex);
    enum errc code = lock_current(f, LOCK_SH, why);
    if (code == ERRC_OK)
        code = lookup_locked(f, bundle_run_id, out, line, why);
    unlock(f);
    return code;
}

enum errc audit_file_open(const char *path, struct clock clock, struct entropy entropy,
                          struct audit_file **out, struct errc_why *why)
{
    struct audit_bundle ignored;
    struct audit_file *f = calloc(1, sizeof *f);
    if (f == NULL || (f->path = slice_dup(slice_of(path))) == NULL) {
        free(f);
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    }
    f->fd = -1;
    f->clock = clock;
    f->entropy = entropy;
    CHECK(pthread_mutex_init(&f->mutex, NULL) == 0);
    audit_index_init(&f->index);
    buf_init(&f->tail, LIMIT_LINE_BYTES);
    enum errc code = audit_file_lookup(f, "", &ignored, NULL, why);
    if (code != ERRC_OK) {
        audit_file_close(f);
        return code;
    }
    *out = f;
    return ERRC_OK;
}

void audit_file_close(struct audit_file *f)
{
    if (f == NULL)
        return;
    forget(f);
    buf_done(&f->tail);
    (void)pthread_mutex_destroy(&f->mutex);
    free(f->path);
    free(f);
}

/* One byte of the lock file stands for one bundle, by the hash of its id. */
static off_t byte_of(const char *bundle_run_id)
{
    uint8_t hash[DIGEST_BYTES];
    uint64_t byte = 0;
    digest_sha256(slice_of(bundle_run_id), hash);
    memcpy(&byte, hash, sizeof byte);
    return (off_t)(byte >> 2);
}

enum errc audit_file_claim(struct audit_file *f, const char *bundle_run_id, int *claim,
                           struct errc_why *why)
{
    char path[LIMIT_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s.lock", f->path);
    int fd = n > 0 && (size_t)n < sizeof path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return io_error(f, "open the lock beside", why);
    struct flock range = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte_of(bundle_run_id), .l_len = 1};
    if (fcntl(fd, F_OFD_SETLK, &range) == 0) {
        *claim = fd;
        return ERRC_OK;
    }
    int e = errno;
    (void)close(fd);
    errno = e;
    if (e != EAGAIN && e != EACCES)
        return io_error(f, "lock", why);
    return errc_fail(why, ERRC_STATE, "bundle %s is being signed by another process",
                     bundle_run_id);
}
