#include "fakevault/core/sys/mounts/sys_mounts.h"

#include <string.h>

#include "base/count.h"
#include "fakevault/core/api.h"
#include "fakevault/core/sys/mounts/mountinfo.h"

/* Paths of Vault's own. */
static const char *const protected[] = {"audit/", MOUNT_AUTH, "sys/", "cubbyhole/", "identity/"};

bool sys_mounts_for_auth(const struct vault_job *job)
{
    return slice_starts_with(job->below, MOUNT_AUTH);
}

bool sys_mounts_protected(const char *path, bool auth)
{
    if (auth)
        return slice_starts_with(slice_of(path), MOUNT_AUTH "token/");
    for (size_t i = 0; i < COUNT(protected); i++)
        if (slice_starts_with(slice_of(path), protected[i]))
            return true;
    return false;
}

bool sys_mounts_path(const char *prefix, struct slice text, char out[static MOUNT_PATH_BYTES])
{
    size_t begin = strlen(prefix);
    while (slice_ends_with(text, "/"))
        text.len--;
    out[0] = '\0';
    if (begin + text.len + 2 > MOUNT_PATH_BYTES)
        return false;
    memcpy(out, prefix, begin);
    if (text.len > 0)
        memcpy(out + begin, text.ptr, text.len);
    memcpy(out + begin + text.len, "/", 2);
    return true;
}

bool sys_mounts_requested(struct vault_job *job, char out[static MOUNT_PATH_BYTES])
{
    if (sys_mounts_path(sys_mounts_for_auth(job) ? MOUNT_AUTH : "", call_capture(job, "path"), out))
        return true;
    call_fail(job, 400, "the path of a mount is limited to %u bytes", MOUNT_PATH_BYTES - 2);
    return false;
}

/* A path without "auth/" when the request is for an auth method. */
static const char *shown(const struct vault_job *job, const char *path)
{
    return path + (sys_mounts_for_auth(job) ? strlen(MOUNT_AUTH) : 0);
}

const struct mount *sys_mounts_in_the_way(const struct vault *v, const char *path)
{
    return mount_conflict(&v->mounts, slice_of(path));
}

static void list_finish(struct vault_job *job)
{
    const struct mount_table *t = &job->vault->mounts;
    bool auth = slice_equal_text(job->below, "auth");
    json_t *all = json_object();
    int failed = all == NULL;
    for (size_t i = 0; i < t->count && !failed; i++)
        if (mount_is_auth(&t->items[i]) == auth)
            failed = json_object_set_new(all, mount_api_path(&t->items[i]),
                                         mountinfo_full(&t->items[i]));
    if (failed) {
        json_decref(all);
        all = NULL;
    }
    call_answer_tree(job, CALL_INJECTED, all);
}

/* sys/mounts/x/below shows x/; an auth method must be named exactly. */
static void read_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    if (!sys_mounts_requested(job, path))
        return;
    bool auth = sys_mounts_for_auth(job);
    const struct mount *m = auth ? mount_at(&job->vault->mounts, slice_of(path))
                                 : mount_find(&job->vault->mounts, slice_of(path));
    if (m != NULL)
        call_answer_tree(job, CALL_INJECTED, mountinfo_full(m));
    else
        call_fail(job, 400, "No %s engine%s at %s", auth ? "auth" : "secret", auth ? "" : " mount",
                  shown(job, path));
}

bool sys_mounts_done(struct vault_job *job, enum errc code)
{
    job->no_memory = job->no_memory || code == ERRC_NOMEM;
    return code == ERRC_OK;
}

void sys_mounts_commit(struct vault_job *job, struct mount_table *changed)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    mount_table_batch(changed, &v->barrier, &batch);
    enum errc code = barrier_commit(&v->barrier, &batch, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    mount_table_done(&v->mounts);
    v->mounts = *changed;
    mount_table_init(changed);
    call_empty(job);
}

/* The table's record without the mount is what unmounts it. Its data cannot be reached any more
 * from then on; should deleting it fail, unreadable records stay behind. */
static void unmount(struct vault_job *job, const struct mount *m)
{
    struct vault *v = job->vault;
    char prefix[STORE_NAME_MAX], uuid[ENTROPY_UUID_BYTES];
    memcpy(uuid, m->uuid, sizeof uuid);
    (void)snprintf(prefix, sizeof prefix, "logical/%s/", uuid);
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    if (!sys_mounts_done(job, mount_table_copy(&v->mounts, &changed)))
        return;
    mount_table_remove(&changed, m->path);
    sys_mounts_commit(job, &changed);
    if (!job->executed)
        return;
    keyring_cache_remove_mount(&v->keyrings, uuid);
    (void)!barrier_erase_all(&v->barrier, prefix, NULL);
}

static void disable_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    if (!sys_mounts_requested(job, path))
        return;
    const struct mount *m = mount_at(&job->vault->mounts, slice_of(path));
    bool auth = sys_mounts_for_auth(job);
    if (m == NULL)
        call_empty(job);
    else if (auth && m->engine == MOUNT_TOKEN)
        call_fail(job, 400, "token credential backend cannot be disabled");
    else if (!auth && sys_mounts_protected(path, false))
        call_fail(job, 400, "cannot unmount \"%s\"", path);
    else
        unmount(job, m);
}

#define ROWS_OF(kind)                                                                              \
    {.pattern = kind, .operation = ROUTE_READ, .finish = list_finish},                             \
        {.pattern = kind "/+path/tune", .operation = ROUTE_READ, .finish = sys_tune_read},         \
        {.pattern = kind "/+path/tune",                                                            \
         .operation = ROUTE_UPDATE,                                                                \
         .fields = sys_tune_fields,                                                                \
         .finish = sys_tune_finish},                                                               \
        {.pattern = kind "/+path", .operation = ROUTE_READ, .finish = read_finish},                \
        {.pattern = kind "/+path",                                                                 \
         .operation = ROUTE_UPDATE,                                                                \
         .fields = sys_enable_fields,                                                              \
         .finish = sys_enable_finish},                                                             \
    {                                                                                              \
        .pattern = kind "/+path", .operation = ROUTE_DELETE, .finish = disable_finish              \
    }

static const struct route_endpoint rows[] = {
    ROWS_OF("mounts"),
    ROWS_OF("auth"),
    {.pattern = "remount",
     .operation = ROUTE_UPDATE,
     .fields = sys_remount_fields,
     .finish = sys_remount_finish},
    {.pattern = "remount/status/+migration_id",
     .operation = ROUTE_READ,
     .finish = sys_remount_status},
};

const struct route_table sys_mounts_table = ROUTE_TABLE(rows);
