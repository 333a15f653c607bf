#include "chaos/shell/run/runfiles.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/count.h"

#define NAMES_BYTES_MAX (256u << 20)
#define FIRST_ROOM 64u
#define PERMISSIONS 07777u

static const char *const private_folders[] = {"private", "vault"};

void runfiles_done(struct runfiles *list)
{
    free(list->items);
    pool_done(&list->pool);
    *list = (struct runfiles){0};
}

static enum world_file_kind kind_of(mode_t mode)
{
    return S_ISREG(mode)   ? WORLD_FILE_REGULAR
           : S_ISDIR(mode) ? WORLD_FILE_FOLDER
           : S_ISLNK(mode) ? WORLD_FILE_LINK
                           : WORLD_FILE_OTHER;
}

static enum errc add(struct runfiles *list, const char *name, mode_t mode, struct errc_why *why)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
        struct world_file *items = reallocarray(list->items, room, sizeof *items);
        if (items == NULL)
            return errc_fail(why, ERRC_NOMEM, "out of memory");
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = (struct world_file){.name = pool_text(&list->pool, slice_of(name)),
                                                     .kind = kind_of(mode),
                                                     .mode = (unsigned)mode & PERMISSIONS};
    return pool_status(&list->pool, why);
}

static bool is_private(const FTSENT *entry)
{
    for (size_t i = 0; i < COUNT(private_folders); i++)
        if (entry->fts_level == 1 && strcmp(entry->fts_name, private_folders[i]) == 0)
            return true;
    return false;
}

/* What went away meanwhile is none, unless it is the folder itself. */
static bool is_trouble(const FTSENT *entry)
{
    return entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
           (entry->fts_info == FTS_NS && entry->fts_level == 0);
}

static enum errc walk(struct runfiles *list, FTS *fts, size_t prefix, struct errc_why *why)
{
    FTSENT *entry = NULL;
    while (errno = 0, (entry = fts_read(fts)) != NULL) {
        if (is_private(entry)) {
            (void)fts_set(fts, entry, FTS_SKIP);
            continue;
        }
        if (is_trouble(entry))
            return errc_fail(why, ERRC_IO, "cannot list \"%s\": %s", entry->fts_path,
                             strerror(entry->fts_errno));
        if (entry->fts_level > 0 && entry->fts_info != FTS_DP && entry->fts_info != FTS_NS)
            TRY(add(list, entry->fts_path + prefix, entry->fts_statp->st_mode, why));
    }
    return errno == 0 ? ERRC_OK : errc_fail(why, ERRC_IO, "cannot list: %s", strerror(errno));
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

enum errc runfiles_list(struct runfiles *list, const char *folder, struct errc_why *why)
{
    char *roots[] = {strdup(folder), NULL};
    runfiles_done(list);
    pool_init(&list->pool, NAMES_BYTES_MAX);
    FTS *fts =
        roots[0] == NULL ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
    enum errc code = ERRC_OK;
    if (fts != NULL) {
        code = walk(list, fts, strlen(folder) + 1, why);
        (void)fts_close(fts);
    } else {
        code = errc_fail(why, roots[0] == NULL ? ERRC_NOMEM : ERRC_IO, "cannot list \"%s\": %s",
                         folder, strerror(errno));
    }
    free(roots[0]);
    return code;
}
