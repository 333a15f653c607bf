#include "signer/shell/service/run_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "signer/core/service/run_json.h"

#define RUNS "runs"
#define MANIFESTS "manifests"
#define SUFFIX ".json"

struct run_store {
    char *folder;
    char name[RUN_NAME_BYTES];
    int folder_lock; /* shared: the folder is in use */
    int name_lock;   /* exclusive: this service is running */
};

static enum errc path_of(const struct run_store *store, const char *kind, const char *id,
                         struct buf *out, struct errc_why *why)
{
    buf_init(out, LIMIT_PATH_BYTES - 1);
    buf_addf(out, "%s/%s/%s" SUFFIX, store->folder, kind, id);
    return buf_status(out, why);
}

enum errc run_store_manifest_path(const struct run_store *store, const char *id, struct buf *out,
                                  struct errc_why *why)
{
    return path_of(store, MANIFESTS, id, out, why);
}

/* Opens FOLDER/NAME.lock and locks it as asked. */
static enum errc take_lock(const char *folder, const char *name, int how, int *out,
                           struct errc_why *why)
{
    char path[LIMIT_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s.lock", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return errc_fail(why, ERRC_TOO_BIG, "path \"%.60s…\" is too long", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errc_fail(why, ERRC_IO, "cannot open \"%s\": %s", path, strerror(errno));
    if (flock(fd, how | LOCK_NB) != 0) {
        enum errc code = errno == EWOULDBLOCK ? ERRC_STATE : ERRC_IO;
        (void)errc_fail(why, code, "cannot lock \"%s\": %s", path,
                        code == ERRC_STATE ? "another process serves there" : strerror(errno));
        (void)close(fd);
        return code;
    }
    *out = fd;
    return ERRC_OK;
}

static enum errc make_folders(const char *folder, struct errc_why *why)
{
    static const char *const kinds[] = {RUNS, MANIFESTS};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct buf path CLEANUP(buf_done);
        buf_init(&path, LIMIT_PATH_BYTES - 1);
        buf_addf(&path, "%s/%s", folder, kinds[i]);
        TRY(buf_status(&path, why));
        TRY(file_make_folder(buf_text(&path), 0700, why));
        TRY(file_sync_folder_of(buf_text(&path), why));
    }
    return ERRC_OK;
}

static void close_folder(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

static DIR *open_kind(const struct run_store *store, const char *kind)
{
    char path[LIMIT_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", store->folder, kind);
    return n < 0 || (size_t)n >= sizeof path ? NULL : opendir(path);
}

/* True for what file_replace and file_publish write beside: "{id}.json." and six characters. */
static bool is_leftover(const char *name)
{
    size_t stem = ENTROPY_UUID_BYTES - 1 + strlen(SUFFIX);
    return strlen(name) == stem + 7 && name[stem] == '.' &&
           memcmp(name + ENTROPY_UUID_BYTES - 1, SUFFIX, strlen(SUFFIX)) == 0;
}

static void sweep(const struct run_store *store, const char *kind)
{
    DIR *dir CLEANUP(close_folder) = open_kind(store, kind);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (is_leftover(entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
}

/* Only who is alone in the folder may take a file beside for a leftover: another service may be
 * writing one just now. */
static enum errc lock_folder(struct run_store *store, struct errc_why *why)
{
    TRY(take_lock(store->folder, "store", LOCK_SH, &store->folder_lock, why));
    if (flock(store->folder_lock, LOCK_EX | LOCK_NB) != 0)
        return ERRC_OK;
    sweep(store, RUNS);
    sweep(store, MANIFESTS);
    if (flock(store->folder_lock, LOCK_SH | LOCK_NB) != 0)
        return errc_fail(why, ERRC_IO, "cannot lock \"%s\": %s", store->folder, strerror(errno));
    return ERRC_OK;
}

static enum errc open_in(struct run_store *store, struct errc_why *why)
{
    TRY(make_folders(store->folder, why));
    TRY(take_lock(store->folder, store->name, LOCK_EX, &store->name_lock, why));
    return lock_folder(store, why);
}

enum errc run_store_open(const char *folder, const char *name, struct run_store **out,
                         struct errc_why *why)
{
    CHECK(strlen(name) < RUN_NAME_BYTES);
    struct run_store *store = calloc(1, sizeof *store);
    char *copy = slice_dup(slice_of(folder));
    if (store == NULL || copy == NULL) {
        free(store);
        free(copy);
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    }
    *store = (struct run_store){.folder = copy, .folder_lock = -1, .name_lock = -1};
    strcpy(store->name, name);
    enum errc code = open_in(store, why);
    if (code != ERRC_OK) {
        run_store_close(store);
        return code;
    }
    *out = store;
    return ERRC_OK;
}

void run_store_close(struct run_store *store)
{
    if (store == NULL)
        return;
    if (store->folder_lock >= 0)
        (void)close(store->folder_lock);
    if (store->name_lock >= 0)
        (void)close(store->name_lock);
    free(store->folder);
    free(store);
}

typedef enum errc (*write_fn)(const char *path, struct slice bytes, mode_t mode,
                              struct errc_why *why);

static enum errc write_run(const struct run_store *store, const struct run *run, write_fn write,
                           struct errc_why *why)
{
    struct buf path CLEANUP(buf_done), text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    TRY(path_of(store, RUNS, run->id, &path, why));
    run_json_store(run, &text);
    TRY(buf_status(&text, why));
    return write(buf_text(&path), buf_slice(&text), 0600, why);
}

enum errc run_store_create(struct run_store *store, const struct run *run, struct errc_why *why)
{
    return write_run(store, run, file_publish, why);
}

enum errc run_store_save(struct run_store *store, const struct run *run, struct errc_why *why)
{
    return write_run(store, run, file_replace, why);
}

static enum errc load_path(const char *path, const char *id, struct run *out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    *out = (struct run){0};
    TRY(file_read(path, &text, why));
    enum errc code = run_json_parse(buf_slice(&text), out, why);
    if (code == ERRC_OK && strcmp(out->id, id) != 0) {
        code = errc_fail(why, ERRC_SCHEMA, "the run inside is \"%s\"", out->id);
        run_done(out);
    }
    if (code != ERRC_OK)
        errc_prefix(why, "\"%s\"", path);
    return code;
}

enum errc run_store_load(struct run_store *store, const char *id, struct run *out,
                         struct errc_why *why)
{
    struct buf path CLEANUP(buf_done);
    TRY(path_of(store, RUNS, id, &path, why));
    return load_path(buf_text(&path), id, out, why);
}

enum errc run_store_manifest(struct run_store *store, const char *id, struct buf *out,
                             struct errc_why *why)
{
    struct buf path CLEANUP(buf_done);
    TRY(path_of(store, MANIFESTS, id, &path, why));
    return file_read(buf_text(&path), out, why);
}

struct found {
    char id[ENTROPY_UUID_BYTES];
    int64_t created_ns;
};

struct found_list {
    struct found *items;
    size_t count;
    size_t capacity;
};

static void free_found(struct found_list *list)
{
    free(list->items);
}

static enum errc add_found(struct found_list *list, const struct run *run, struct errc_why *why)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct found *items = reallocarray(list->items, capacity, sizeof *items);
        if (items == NULL)
            return errc_fail(why, ERRC_NOMEM, "out of memory");
        list->items = items;
        list->capacity = capacity;
    }
    struct found *item = &list->items[list->count++];
    memcpy(item->id, run->id, sizeof item->id);
    item->created_ns = run->created_ns;
    return ERRC_OK;
}

static int by_age(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->created_ns != y->created_ns ? (x->created_ns > y->created_ns) * 2 - 1
                                          : strcmp(x->id, y->id);
}

static enum errc consider(struct run_store *store, const char *file,
                          const struct run_store_visitor *visitor, struct found_list *list,
                          struct errc_why *why)
{
    char id[ENTROPY_UUID_BYTES];
    struct run run CLEANUP(run_done) = {0};
    struct errc_why bad = {0};
    if (strlen(file) != sizeof id - 1 + strlen(SUFFIX) || strcmp(file + sizeof id - 1, SUFFIX) != 0)
        return ERRC_OK;
    memcpy(id, file, sizeof id - 1);
    id[sizeof id - 1] = '\0';
    enum errc code = run_store_load(store, id, &run, &bad);
    if (code != ERRC_OK) {
        visitor->bad(visitor->context, file, &bad);
        return ERRC_OK;
    }
    bool open = run.status != RUN_COMPLETED && run.status != RUN_FAILED;
    return open && strcmp(run.service, store->name) == 0 ? add_found(list, &run, why) : ERRC_OK;
}

enum errc run_store_each_open(struct run_store *store, const struct run_store_visitor *visitor,
                              struct errc_why *why)
{
    struct found_list list CLEANUP(free_found) = {0};
    DIR *dir CLEANUP(close_folder) = open_kind(store, RUNS);
    const struct dirent *entry = NULL;
    if (dir == NULL)
        return errc_fail(why, ERRC_IO, "cannot read the folder \"%s/" RUNS "\": %s", store->folder,
                         strerror(errno));
    errno = 0;
    while ((entry = readdir(dir)) != NULL) {
        TRY(consider(store, entry->d_name, visitor, &list, why));
        errno = 0;
    }
    if (errno != 0)
        return errc_fail(why, ERRC_IO, "cannot read the folder \"%s/" RUNS "\": %s", store->folder,
                         strerror(errno));
    if (list.count > 0)
        qsort(list.items, list.count, sizeof *list.items, by_age);
    for (size_t i = 0; i < list.count; i++)
        TRY(visitor->visit(visitor->context, list.items[i].id, why));
    return ERRC_OK;
}
