#include "fakevault/shell/ports/audit_device_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/limits.h"

#define WAIT_MS 50 /* between two looks at a file that is not ready */

struct audit_files {
    struct audit_port port;
    const struct vault_log *log;
    atomic_bool stopping;
    _Atomic unsigned generation; /* grows when all files are to be opened anew */
};

struct audit_sink {
    struct audit_files *files;
    char *path;
    unsigned mode; /* 0: as it is */
    bool standard_output;
    pthread_mutex_t lock; /* one line at a time */
    int fd;               /* -1: closed */
    unsigned generation;  /* that fd was opened in */
};

/* What Go's os package calls an error: the first letter is small. */
static enum errc failed(struct errc_why *why, const char *verb, const char *path, int number)
{
    char text[128];
    const char *known = strerrordesc_np(number);
    size_t len = strlen(known) < sizeof text ? strlen(known) : sizeof text - 1;
    memcpy(text, known, len);
    text[len] = '\0';
    if (text[0] >= 'A' && text[0] <= 'Z' && number != EIO)
        text[0] = (char)(text[0] - 'A' + 'a');
    return errc_fail(why, ERRC_IO, "%s %s: %s", verb, path, text);
}

static bool wait_a_little(const struct audit_sink *s, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    (void)poll(&ready, 1, WAIT_MS);
    return !atomic_load(&s->files->stopping);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Go's os.MkdirAll of the file's folder. */
static enum errc make_folders(const struct audit_sink *s, struct errc_why *why)
{
    char folder[LIMIT_PATH_BYTES];
    size_t len = strlen(s->path);
    if (len >= sizeof folder)
        return failed(why, "open", s->path, ENAMETOOLONG);
    memcpy(folder, s->path, len + 1);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, s->mode) != 0 && errno != EEXIST)
            return failed(why, "mkdir", folder, errno);
        *slash = '/';
    }
    return ERRC_OK;
}

/* A FIFO without a reader says ENXIO until there is one. */
static enum errc open_when_ready(struct audit_sink *s, struct errc_why *why)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    for (;;) {
        s->fd = open(s->path, flags, s->mode == 0 ? 0600 : s->mode);
        if (s->fd >= 0)
            return ERRC_OK;
        if (errno != ENXIO && errno != EINTR)
            return failed(why, "open", s->path, errno);
        if (!wait_a_little(s, -1))
            return failed(why, "open", s->path, EINTR);
    }
}

/* The mode counts also for a file that was there; a device of the system keeps its own. */
static enum errc set_mode(const struct audit_sink *s, struct errc_why *why)
{
    struct stat status;
    if (s->mode == 0 || fstat(s->fd, &status) != 0 || !S_ISREG(status.st_mode))
        return ERRC_OK;
    return fchmod(s->fd, s->mode) == 0 ? ERRC_OK : failed(why, "chmod", s->path, errno);
}

static void close_file(struct audit_sink *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static enum errc open_file(struct audit_sink *s, struct errc_why *why)
{
    struct stat status;
    unsigned generation = atomic_load(&s->files->generation);
    if (s->standard_output)
        return ERRC_OK;
    if (s->fd >= 0 && s->generation != generation)
        close_file(s);
    if (s->fd >= 0)
        return ERRC_OK;
    if (s->mode == 0 && stat(s->path, &status) != 0)
        return failed(why, "stat", s->path, errno);
    TRY(make_folders(s, why));
    TRY(open_when_ready(s, why));
    s->generation = generation;
    enum errc code = set_mode(s, why);
    if (code != ERRC_OK)
        close_file(s);
    return code;
}

/* --- the port --------------------------------------------------------------------------------- */

static enum errc make(void *context, const char *path, unsigned mode, struct audit_sink **out)
{
    struct audit_sink *s = calloc(1, sizeof *s);
    char *copy = strdup(path);
    if (s == NULL || copy == NULL) {
        free(s);
        free(copy);
        return ERRC_NOMEM;
    }
    *s = (struct audit_sink){.files = context,
                             .path = copy,
                             .mode = mode,
                             .standard_output = strcmp(path, "stdout") == 0,
                             .fd = -1};
    (void)pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return ERRC_OK;
}

static enum errc open_sink(struct audit_sink *s, struct errc_why *why)
{
    (void)pthread_mutex_lock(&s->lock);
    enum errc code = open_file(s, why);
    (void)pthread_mutex_unlock(&s->lock);
    return code;
}

static bool write_all(const struct audit_sink *s, struct slice rest)
{
    int fd = s->standard_output ? STDOUT_FILENO : s->fd;
    while (rest.len > 0) {
        ssize_t written = write(fd, rest.ptr, rest.len);
        if (written >= 0)
            rest = slice_from(rest, (size_t)written);
        else if ((errno != EAGAIN && errno != EINTR) || !wait_a_little(s, fd))
            return false;
    }
    return true;
}

/* Vault tries a second time on a file that it has just closed, so this is what it says. */
static enum errc write_sink(struct audit_sink *s, struct slice line, struct errc_why *why)
{
    struct errc_why mine = {""};
    why = why == NULL ? &mine : why;
    (void)pthread_mutex_lock(&s->lock);
    enum errc code = open_file(s, why);
    if (code == ERRC_OK && !write_all(s, line)) {
        close_file(s);
        code = errc_fail(why, ERRC_IO, "write %s: file already closed", s->path);
    }
    (void)pthread_mutex_unlock(&s->lock);
    const struct vault_log_pair pairs[] = {{"file", s->path}, {"error", why->text}, {NULL, NULL}};
    if (code != ERRC_OK)
        vault_log_write(s->files->log, VAULT_LOG_ERROR, "audit", "backend failed to log", pairs);
    return code;
}

static void free_sink(struct audit_sink *s)
{
    close_file(s);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

enum errc audit_device_file_new(const struct vault_log *log, struct audit_files **out)
{
    struct audit_files *files = calloc(1, sizeof *files);
    if (files == NULL)
        return ERRC_NOMEM;
    files->port = (struct audit_port){
        .make = make, .open = open_sink, .write = write_sink, .free = free_sink, .context = files};
    files->log = log;
    *out = files;
    return ERRC_OK;
}

const struct audit_port *audit_device_file_port(const struct audit_files *files)
{
    return &files->port;
}

void audit_device_file_stop(struct audit_files *files)
{
    if (files != NULL)
        atomic_store(&files->stopping, true);
}

void audit_device_file_reopen(struct audit_files *files)
{
    atomic_fetch_add(&files->generation, 1);
}

void audit_device_file_free(struct audit_files *files)
{
    free(files);
}
