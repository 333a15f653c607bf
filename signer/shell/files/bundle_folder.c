#include "signer/shell/files/bundle_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/os/clock_os.h"
#include "base/os/file.h"
#include "base/units.h"

/* What a reading may take. */
struct budget {
    const struct bundle_folder_limits *limits;
    struct clock clock;
    int64_t deadline_ns; /* monotonic */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void digest_done(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

enum errc bundle_folder_path(const char *folder, const char *name, char *out, size_t size,
                             struct errc_why *why)
{
    int n = snprintf(out, size, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= size)
        return errc_fail(why, ERRC_TOO_BIG, "path \"%.60s...\" is too long", folder);
    return ERRC_OK;
}

/* Walks down one name at a time, so that no symbolic link leads out of the folder. */
static int open_inside(int folder_fd, const char *path)
{
    struct slice rest = slice_of(path);
    int at = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
    while (at >= 0 && rest.len > 0) {
        char name[LIMIT_BUNDLE_TEXT_BYTES + 1];
        struct slice part = slice_cut(&rest, '/');
        memcpy(name, part.ptr, part.len);
        name[part.len] = '\0';
        int flags =
            O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (rest.len > 0 ? O_DIRECTORY : 0);
        int next = openat(at, name, flags);
        int e = errno;
        (void)close(at);
        errno = e;
        at = next;
    }
    return at;
}

static enum errc check_size(const struct budget *budget, uint64_t size, const char *path,
                            struct errc_why *why)
{
    uint64_t max = budget->limits->artefact_bytes;
    return size <= max
               ? ERRC_OK
               : errc_fail(why, ERRC_TOO_BIG, "\"%.200s\" has %llu bytes, at most %llu are taken",
                           path, (unsigned long long)size, (unsigned long long)max);
}

static enum errc check_time(const struct budget *budget, const char *path, struct errc_why *why)
{
    return budget->clock.now(budget->clock.context).mono_ns < budget->deadline_ns
               ? ERRC_OK
               : errc_fail(why, ERRC_TIMEOUT,
                           "\"%.200s\" was not read in time: all artefacts together have %lld ms",
                           path, (long long)budget->limits->ms);
}

static enum errc hash_fd(int fd, const char *path, const struct budget *budget,
                         uint8_t out[static DIGEST_BYTES], struct errc_why *why)
{
    char chunk[65536];
    uint64_t size = 0; /* the file may grow while it is read */
    EVP_MD_CTX *context CLEANUP(digest_done) = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (;;) {
        TRY(check_time(budget, path, why));
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errc_fail(why, ERRC_IO, "cannot read \"%.200s\": %s", path, strerror(errno));
        if (n == 0)
            break;
        TRY(check_size(budget, size += (uint64_t)n, path, why));
        (void)EVP_DigestUpdate(context, chunk, (size_t)n);
    }
    return EVP_DigestFinal_ex(context, out, NULL) == 1
               ? ERRC_OK
               : errc_fail(why, ERRC_INTERNAL, "SHA-256 failed");
}

static enum errc check_artefact(int folder_fd, const struct budget *budget,
                                struct manifest_bundle *bundle, size_t i, struct errc_why *why)
{
    const char *path = bundle->artefacts[i].path;
    uint8_t hash[DIGEST_BYTES];
    struct stat st;
    int fd CLEANUP(close_fd) = open_inside(folder_fd, path);
    if (fd < 0)
        return errc_fail(why, ERRC_NOT_FOUND, "artefacts[%zu]: cannot open \"%.200s\": %s", i, path,
                         errno == ELOOP ? "it is a symbolic link" : strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_SCHEMA, "artefacts[%zu]: \"%.200s\" is not a regular file", i,
                         path);
    enum errc code = check_size(budget, (uint64_t)st.st_size, path, why);
    if (code == ERRC_OK)
        code = hash_fd(fd, path, budget, hash, why);
    if (code != ERRC_OK) {
        errc_prefix(why, "artefacts[%zu]", i);
        return code;
    }
    return manifest_set_checksum(bundle, i, hash, why);
}

static enum errc read_it(int folder_fd, const char *folder, const struct budget *budget,
                         struct manifest_bundle *out, struct errc_why *why)
{
    struct stat st;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    int fd CLEANUP(close_fd) = open_inside(folder_fd, BUNDLE_FOLDER_FILE);
    if (fd < 0)
        return errc_fail(why, ERRC_NOT_FOUND, "cannot open \"%.200s/" BUNDLE_FOLDER_FILE "\": %s",
                         folder, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_SCHEMA, "it is not a regular file");
    TRY(file_read_fd(fd, BUNDLE_FOLDER_FILE, &text, why));
    TRY(manifest_bundle_parse(buf_slice(&text), MANIFEST_FOLDER, out, why));
    for (size_t i = 0; i < out->artefact_count; i++)
        TRY(check_artefact(folder_fd, budget, out, i, why));
    return ERRC_OK;
}

enum errc bundle_folder_read_within(const char *folder, const struct bundle_folder_limits *limits,
                                    struct manifest_bundle *out, struct errc_why *why)
{
    struct budget budget = {.limits = limits, .clock = clock_os()};
    budget.deadline_ns = budget.clock.now(budget.clock.context).mono_ns + limits->ms * NS_PER_MS;
    *out = (struct manifest_bundle){0};
    int fd CLEANUP(close_fd) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errc_fail(why, ERRC_NOT_FOUND, "cannot open the folder \"%.200s\": %s", folder,
                         strerror(errno));
    enum errc code = read_it(fd, folder, &budget, out, why);
    if (code != ERRC_OK)
        manifest_bundle_done(out);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        errc_prefix(why, "%.200s/" BUNDLE_FOLDER_FILE, folder);
    return code;
}

enum errc bundle_folder_read(const char *folder, struct manifest_bundle *out, struct errc_why *why)
{
    static const struct bundle_folder_limits limits = {LIMIT_ARTEFACT_BYTES, LIMIT_ARTEFACTS_MS};
    return bundle_folder_read_within(folder, &limits, out, why);
}
