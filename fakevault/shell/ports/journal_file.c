#include "fakevault/shell/ports/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/os/file.h"
#include "base/os/monocond.h"
#include "fakevault/core/outage/numbering.h"

#define READ_BYTES (256u << 10)
#define QUEUE_BYTES_MAX (64u * LIMIT_LINE_BYTES) /* every thread has at most one line in it */

struct journal_file {
    int fd;
    char name[LIMIT_PATH_BYTES];
    struct clock clock;

    pthread_mutex_t lock; /* guards from here to `end`; held for a moment only */
    pthread_cond_t grown;
    struct buf queued; /* whole lines that nobody has begun to write */
    struct buf line;   /* of the record being formatted */
    struct numbering numbering;
    uint64_t newest; /* seq of the newest record in the file */
    off_t end;       /* where its line ends */

    pthread_mutex_t writing; /* held while lines are written; before `lock` when both are */
    struct buf batch;        /* what is being written */
};

static enum errc system_trouble(const char *name, const char *doing, struct errc_why *why)
{
    return errc_fail(why, ERRC_IO, "journal \"%s\": cannot %s: %s", name, doing, strerror(errno));
}

/* Returns how many bytes stand behind the last newline, -1 when the file cannot be read. */
static off_t torn_bytes(int fd, off_t size)
{
    char block[4096];
    for (off_t end = size; end > 0;) {
        off_t from = end > (off_t)sizeof block ? end - (off_t)sizeof block : 0;
        ssize_t n = pread(fd, block, (size_t)(end - from), from);
        if (n != (ssize_t)(end - from))
            return -1;
        char *newline = memrchr(block, '\n', (size_t)n);
        if (newline != NULL)
            return size - (from + (newline - block) + 1);
        end = from;
    }
    return size;
}

static enum errc cut_tail(struct journal_file *j, uint64_t *cut, struct errc_why *why)
{
    struct stat st;
    if (fstat(j->fd, &st) != 0)
        return system_trouble(j->name, "stat", why);
    if (!S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_IO, "journal \"%s\" is not a regular file", j->name);
    off_t torn = torn_bytes(j->fd, st.st_size);
    if (torn < 0)
        return system_trouble(j->name, "read", why);
    if (torn > 0 && ftruncate(j->fd, st.st_size - torn) != 0)
        return system_trouble(j->name, "cut a torn line off", why);
    j->end = st.st_size - torn;
    numbering_init(&j->numbering, (uint64_t)j->end);
    *cut = (uint64_t)torn;
    return ERRC_OK;
}

static enum errc open_named(struct journal_file *j, const char *path, struct errc_why *why)
{
    int n = snprintf(j->name, sizeof j->name, "%s", path);
    if (n < 0 || (size_t)n >= sizeof j->name)
        return errc_fail(why, ERRC_TOO_BIG, "the journal's path is longer than %u bytes",
                         LIMIT_PATH_BYTES - 1);
    j->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (j->fd < 0)
        return system_trouble(j->name, "open", why);
    if (flock(j->fd, LOCK_EX | LOCK_NB) == 0)
        return ERRC_OK;
    if (errno == EWOULDBLOCK)
        return errc_fail(why, ERRC_STATE, "journal \"%s\" is written by another process", path);
    return system_trouble(j->name, "lock", why);
}

static enum errc open_unnamed(struct journal_file *j, struct errc_why *why)
{
    const char *folder = getenv("TMPDIR");
    folder = folder == NULL || *folder == '\0' ? "/tmp" : folder;
    (void)snprintf(j->name, sizeof j->name, "(temporary)");
    j->fd = open(folder, O_RDWR | O_APPEND | O_TMPFILE | O_CLOEXEC, 0600);
    if (j->fd < 0) /* not every file system can; memory is the last resort */
        j->fd = memfd_create("fakevault-journal", MFD_CLOEXEC);
    if (j->fd < 0)
        return system_trouble(folder, "make a temporary file there", why);
    return ERRC_OK;
}

static enum errc begin(struct journal_file *j, const char *path, uint64_t *cut,
                       struct errc_why *why)
{
    TRY(path == NULL ? open_unnamed(j, why) : open_named(j, path, why));
    return cut_tail(j, cut, why);
}

enum errc journal_file_open(const char *path, struct clock clock, struct journal_file **out,
                            uint64_t *cut, struct errc_why *why)
{
    struct journal_file *j = calloc(1, sizeof *j);
    if (j == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    j->fd = -1;
    j->clock = clock;
    buf_init(&j->line, LIMIT_LINE_BYTES);
    buf_init(&j->queued, QUEUE_BYTES_MAX);
    buf_init(&j->batch, QUEUE_BYTES_MAX);
    /* Held for microseconds by every request: not worth a sleep. */
    pthread_mutexattr_t adaptive;
    (void)pthread_mutexattr_init(&adaptive);
    (void)pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    (void)pthread_mutex_init(&j->lock, &adaptive);
    (void)pthread_mutex_init(&j->writing, &adaptive);
    (void)pthread_mutexattr_destroy(&adaptive);
    monocond_init(&j->grown);
    enum errc code = begin(j, path, cut, why);
    if (code != ERRC_OK) {
        journal_file_close(j);
        return code;
    }
    *out = j;
    return ERRC_OK;
}

void journal_file_close(struct journal_file *journal)
{
    if (journal == NULL)
        return;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    (void)pthread_mutex_destroy(&journal->lock);
    (void)pthread_mutex_destroy(&journal->writing);
    (void)pthread_cond_destroy(&journal->grown);
    buf_done(&journal->line);
    buf_done(&journal->queued);
    buf_done(&journal->batch);
    numbering_done(&journal->numbering);
    free(journal);
}

/* The one end that is right for a server whose ledger has a hole: a loud one. */
static _Noreturn void give_up(const struct journal_file *j, const char *reason)
{
    (void)fprintf(stderr, "fakevault: journal \"%s\": %s; a record would be lost, stopping\n",
                  j->name, reason);
    _exit(EX_IOERR);
}

uint64_t journal_file_put(struct journal_file *journal, const struct journal_record *record)
{
    struct errc_why why;
    uint64_t seq = 0;
    (void)pthread_mutex_lock(&journal->lock);
    buf_reset(&journal->line);
    if (numbering_add(&journal->numbering, record, journal->clock.now(journal->clock.context),
                      &journal->line, &seq, &why) != ERRC_OK)
        give_up(journal, why.text);
    buf_add_slice(&journal->queued, buf_slice(&journal->line));
    if (buf_status(&journal->queued, &why) != ERRC_OK)
        give_up(journal, why.text);
    (void)pthread_mutex_unlock(&journal->lock);
    return seq;
}

/* Takes what is queued; returns the seq of its last record. */
static uint64_t take_queue(struct journal_file *j, off_t *end)
{
    (void)pthread_mutex_lock(&j->lock);
    struct buf empty = j->batch;
    j->batch = j->queued;
    j->queued = empty;
    uint64_t last = j->numbering.newest;
    *end = (off_t)j->numbering.end;
    (void)pthread_mutex_unlock(&j->lock);
    return last;
}

static void publish(struct journal_file *j, uint64_t newest, off_t end)
{
    (void)pthread_mutex_lock(&j->lock);
    j->newest = newest;
    j->end = end;
    (void)pthread_cond_broadcast(&j->grown);
    (void)pthread_mutex_unlock(&j->lock);
}

void journal_file_flush(struct journal_file *journal, uint64_t seq)
{
    struct errc_why why;
    off_t end = 0;
    (void)pthread_mutex_lock(&journal->writing);
    if (journal_file_newest(journal) < seq) { /* else somebody has written it along */
        uint64_t last = take_queue(journal, &end);
        if (file_write_fd(journal->fd, buf_slice(&journal->batch), journal->name, &why) != ERRC_OK)
            give_up(journal, why.text);
        buf_reset(&journal->batch);
        publish(journal, last, end);
    }
    (void)pthread_mutex_unlock(&journal->writing);
}

void journal_file_flush_all(struct journal_file *journal)
{
    (void)pthread_mutex_lock(&journal->lock);
    uint64_t numbered = journal->numbering.newest;
    (void)pthread_mutex_unlock(&journal->lock);
    journal_file_flush(journal, numbered);
}

uint64_t journal_file_add(struct journal_file *journal, const struct journal_record *record)
{
    uint64_t seq = journal_file_put(journal, record);
    journal_file_flush(journal, seq);
    return seq;
}

uint64_t journal_file_newest(struct journal_file *journal)
{
    (void)pthread_mutex_lock(&journal->lock);
    uint64_t newest = journal->newest;
    (void)pthread_mutex_unlock(&journal->lock);
    return newest;
}

/* What a reader needs to know, taken in one go; the bytes below `end` never change. */
struct place {
    off_t at; /* of a line */
    off_t end;
    uint64_t seq; /* of the line at `at` */
    uint64_t newest;
};

static struct place place_of(struct journal_file *j, uint64_t since)
{
    (void)pthread_mutex_lock(&j->lock);
    struct place place = {.at = j->end, .end = j->end, .seq = since + 1, .newest = j->newest};
    if (since < j->newest) {
        struct numbering_place known = numbering_place(&j->numbering, since);
        place.at = (off_t)known.at;
        place.seq = known.seq;
    }
    (void)pthread_mutex_unlock(&j->lock);
    return place;
}

/* Takes the whole lines of block that are wanted; returns how many bytes of it are dealt with. */
static size_t take_lines(struct slice block, struct place *place, uint64_t *since, size_t room,
                         struct buf *out, bool *full)
{
    size_t used = 0;
    while (used < block.len && !*full) {
        struct slice rest = slice_from(block, used);
        size_t len = slice_find(rest, '\n') + 1;
        if (len > rest.len)
            break;
        bool wanted = place->seq > *since;
        *full = wanted && out->len > 0 && out->len + len > room;
        if (*full)
            break;
        if (wanted) {
            buf_add(out, rest.ptr, len);
            *since = place->seq;
        }
        place->seq++;
        used += len;
    }
    return used;
}

enum errc journal_file_read(struct journal_file *journal, uint64_t *since, size_t room,
                            struct buf *out, struct errc_why *why)
{
    struct place place = place_of(journal, *since);
    struct buf block CLEANUP(buf_done);
    buf_init(&block, LIMIT_LINE_BYTES + READ_BYTES);
    size_t ask = READ_BYTES;
    bool full = false;
    while (place.at < place.end && !full) {
        size_t left = (size_t)(place.end - place.at);
        buf_reset(&block);
        char *to = buf_reserve(&block, ask);
        if (to == NULL)
            return errc_fail(why, ERRC_NOMEM, "out of memory");
        ssize_t n = pread(journal->fd, to, left < ask ? left : ask, place.at);
        if (n <= 0)
            return system_trouble(journal->name, "read", why);
        buf_commit(&block, (size_t)n);
        size_t used = take_lines(buf_slice(&block), &place, since, room, out, &full);
        if (used == 0 && !full)
            ask = LIMIT_LINE_BYTES + 1; /* a line longer than a block */
        place.at += (off_t)used;
    }
    return buf_status(out, why);
}

bool journal_file_wait(struct journal_file *journal, uint64_t since, int64_t timeout_ms)
{
    const struct timespec until = monocond_in_ms(timeout_ms);
    (void)pthread_mutex_lock(&journal->lock);
    int end = 0;
    while (journal->newest <= since && end == 0)
        end = pthread_cond_timedwait(&journal->grown, &journal->lock, &until);
    bool there = journal->newest > since;
    (void)pthread_mutex_unlock(&journal->lock);
    return there;
}
