#include "fakevault/core/sys/sys_mounts.h"

#include <string.h>

#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

bool sys_mounts_path(const struct vault_job *job, char out[static MOUNT_PATH_BYTES])
{
    struct slice path = call_capture(job, "path");
    while (slice_ends_with(path, "/"))
        path.len--;
    if (path.len == 0 || path.len + 2 > MOUNT_PATH_BYTES)
        return false;
    memcpy(out, path.ptr, path.len);
    memcpy(out + path.len, "/", 2);
    return true;
}

static void write_config(struct jsonwrite *w, const struct mount *m)
{
    const char *header = mount_traits(m->engine)->passthrough;
    jsonwrite_object(w, "config");
    jsonwrite_int(w, "default_lease_ttl", m->default_ttl_s);
    jsonwrite_bool(w, "force_no_cache", m->force_no_cache);
    jsonwrite_int(w, "max_lease_ttl", m->max_ttl_s);
    if (header != NULL) {
        jsonwrite_array(w, "passthrough_request_headers");
        jsonwrite_string(w, NULL, header);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
}

static void write_options(struct jsonwrite *w, const struct mount *m)
{
    if (!mount_traits(m->engine)->mountable) {
        jsonwrite_null(w, "options");
        return;
    }
    jsonwrite_object(w, "options");
    if (m->engine == MOUNT_KV)
        jsonwrite_string(w, "version", m->kv_version_2 ? "2" : "1");
    jsonwrite_end(w);
}

/* With a path, as internal/ui/mounts shows it: the members are sorted by name. */
static void write_members(struct jsonwrite *w, const struct mount *m, bool with_path)
{
    const struct mount_traits *traits = mount_traits(m->engine);
    jsonwrite_string(w, "accessor", m->accessor);
    write_config(w, m);
    if (traits->mountable)
        jsonwrite_string(w, "deprecation_status", "supported");
    jsonwrite_string(w, "description", m->description);
    jsonwrite_bool(w, "external_entropy_access", m->external_entropy);
    jsonwrite_bool(w, "local", m->local);
    write_options(w, m);
    if (with_path)
        jsonwrite_string(w, "path", m->path);
    jsonwrite_string(w, "plugin_version", "");
    jsonwrite_string(w, "running_plugin_version", traits->plugin_version);
    jsonwrite_string(w, "running_sha256", "");
    jsonwrite_bool(w, "seal_wrap", m->seal_wrap);
    jsonwrite_string(w, "type", traits->type);
    jsonwrite_string(w, "uuid", m->uuid);
}

void sys_mounts_write(struct jsonwrite *w, const struct mount *m)
{
    write_members(w, m, false);
}

static bool is_secret_mount(const struct mount *m)
{
    return m->engine != MOUNT_TOKEN;
}

static void list_finish(struct vault_job *job)
{
    const struct mount_table *t = &job->vault->mounts;
    struct jsonwrite *w = call_data(job);
    for (size_t i = 0; i < t->count; i++) {
        if (!is_secret_mount(&t->items[i]))
            continue;
        jsonwrite_object(w, t->items[i].path);
        sys_mounts_write(w, &t->items[i]);
        jsonwrite_end(w);
    }
    call_answer(job, CALL_INJECTED);
}

/* The mount that the path names; NULL for none. `path` receives what was looked for. */
static struct mount *named_mount(const struct vault_job *job, char path[static MOUNT_PATH_BYTES])
{
    path[0] = '\0';
    struct mount *m =
        sys_mounts_path(job, path) ? mount_at(&job->vault->mounts, slice_of(path)) : NULL;
    return m != NULL && is_secret_mount(m) ? m : NULL;
}

static void read_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    const struct mount *m = named_mount(job, path);
    if (m == NULL) {
        call_fail(job, 400, "No secret engine mount at %s", path);
        return;
    }
    struct jsonwrite *w = call_data(job);
    sys_mounts_write(w, m);
    call_answer(job, CALL_INJECTED);
}

enum errc sys_mounts_commit(struct vault *v, struct mount_table *changed, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    mount_table_batch(changed, &v->barrier, &batch);
    enum errc code = barrier_commit(&v->barrier, &batch, why);
    if (code != ERRC_OK)
        return code;
    mount_table_done(&v->mounts);
    v->mounts = *changed;
    mount_table_init(changed);
    return ERRC_OK;
}

/* The table's record without the mount is what unmounts it. Its data cannot be reached any more
 * from then on; should deleting it fail, unreadable records stay behind. */
static void disable_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    char path[MOUNT_PATH_BYTES];
    const struct mount *m = named_mount(job, path);
    if (m == NULL) {
        call_empty(job);
        return;
    }
    if (!mount_traits(m->engine)->mountable) {
        call_fail(job, 400, "cannot unmount \"%s\"", path);
        return;
    }
    char prefix[STORE_NAME_MAX], uuid[ENTROPY_UUID_BYTES];
    memcpy(uuid, m->uuid, sizeof uuid);
    (void)snprintf(prefix, sizeof prefix, "logical/%s/", uuid);
    struct errc_why why = {{0}};
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    enum errc code = mount_table_copy(&v->mounts, &changed);
    mount_table_remove(&changed, path);
    if (code == ERRC_OK)
        code = sys_mounts_commit(v, &changed, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    keyring_cache_remove_mount(&v->keyrings, uuid);
    (void)!barrier_erase_all(&v->barrier, prefix, NULL);
    call_empty(job);
}

static const struct field_spec tune_fields[] = {
    {.name = "default_lease_ttl", .type = FIELD_STRING},
    {.name = "max_lease_ttl", .type = FIELD_STRING},
    {.name = "description", .type = FIELD_STRING},
    {0},
};

static int64_t ttl_or_default(int64_t ttl_s)
{
    return ttl_s == 0 ? MOUNT_TTL_DEFAULT : ttl_s;
}

static void tune_read_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    const struct mount *m = named_mount(job, path);
    if (m == NULL) {
        call_fail(job, 400, "cannot fetch sysview for path \"%s\"", path);
        return;
    }
    struct jsonwrite *w = call_data(job);
    jsonwrite_int(w, "default_lease_ttl", ttl_or_default(m->default_ttl_s));
    jsonwrite_string(w, "description", m->description);
    jsonwrite_bool(w, "force_no_cache", m->force_no_cache);
    jsonwrite_int(w, "max_lease_ttl", ttl_or_default(m->max_ttl_s));
    if (m->engine == MOUNT_KV)
        write_options(w, m);
    call_answer(job, CALL_INJECTED);
}

static bool tune(struct vault_job *job, struct mount *m)
{
    const struct field_value *description = field_get(&job->fields, "description");
    if (!sys_enable_ttl(job, "default", field_get(&job->fields, "default_lease_ttl")->tree,
                        &m->default_ttl_s) ||
        !sys_enable_ttl(job, "max", field_get(&job->fields, "max_lease_ttl")->tree, &m->max_ttl_s))
        return false;
    if (description->text.len >= sizeof m->description) {
        call_fail(job, 400, "the description of a mount is limited to %u bytes",
                  MOUNT_DESCRIPTION_BYTES - 1);
        return false;
    }
    if (description->present) {
        memset(m->description, 0, sizeof m->description);
        if (description->text.len > 0)
            memcpy(m->description, description->text.ptr, description->text.len);
    }
    return true;
}

static void tune_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    struct errc_why why = {{0}};
    if (named_mount(job, path) == NULL) {
        call_fail(job, 400, "tune of path \"%s\" failed: no mount entry found", path);
        return;
    }
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    enum errc code = mount_table_copy(&job->vault->mounts, &changed);
    if (code == ERRC_OK && !tune(job, mount_at(&changed, slice_of(path))))
        return;
    if (code == ERRC_OK)
        code = sys_mounts_commit(job->vault, &changed, &why);
    if (code == ERRC_OK)
        call_empty(job);
    else
        call_trouble(job, code, &why);
}

static void ui_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    const struct mount *m =
        sys_mounts_path(job, path) ? mount_find(&job->vault->mounts, slice_of(path)) : NULL;
    if (m == NULL) {
        call_fail(job, 403,
                  "preflight capability check returned 403, please ensure client's policies grant "
                  "access to path \"%s\"",
                  path);
        return;
    }
    struct jsonwrite *w = call_data(job);
    write_members(w, m, true);
    call_answer(job, CALL_DATA);
}

static const struct route_endpoint rows[] = {
    {.pattern = "mounts/?", .operation = ROUTE_READ, .finish = list_finish},
    {.pattern = "mounts/+path/tune", .operation = ROUTE_READ, .finish = tune_read_finish},
    {.pattern = "mounts/+path/tune",
     .operation = ROUTE_UPDATE,
     .fields = tune_fields,
     .finish = tune_finish},
    {.pattern = "mounts/+path", .operation = ROUTE_READ, .finish = read_finish},
    {.pattern = "mounts/+path",
     .operation = ROUTE_UPDATE,
     .fields = sys_enable_fields,
     .prepare = sys_enable_prepare,
     .finish = sys_enable_finish},
    {.pattern = "mounts/+path", .operation = ROUTE_DELETE, .finish = disable_finish},
    {.pattern = "internal/ui/mounts/+path", .operation = ROUTE_READ, .finish = ui_finish},
};

const struct route_table sys_mounts_table = ROUTE_TABLE(rows);
