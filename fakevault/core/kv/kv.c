#include "fakevault/core/kv/kv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/state.h"

struct slice kv_path(const struct vault_job *job)
{
    struct slice path = call_capture(job, "path");
    while (slice_ends_with(path, "/"))
        path.len--;
    return path;
}

bool kv_load(struct vault_job *job, struct kv_entry *e)
{
    struct errc_why why = {{0}};
    struct slice path = kv_path(job);
    if (path.len == 0)
        return false;
    enum errc code = kv_entry_load(e, &job->vault->barrier, job->mount_uuid, path, &why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

static bool exists(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    return kv_load(job, &e);
}

bool kv_store(struct vault_job *job, const struct kv_entry *e)
{
    struct errc_why why = {{0}};
    enum errc code = kv_entry_store(e, &job->vault->barrier, job->mount_uuid, kv_path(job), &why);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

int64_t kv_deletion_ns(const struct vault_job *job, const struct kv_config *config,
                       const struct kv_entry *e)
{
    int64_t mount = config->delete_after_s, own = e->delete_after_s;
    if (mount < 0 || (mount == 0 && own == 0))
        return 0;
    int64_t after = own == 0 || (mount != 0 && mount < own) ? mount : own;
    return after > INT64_MAX / NS_PER_S / 2 ? INT64_MAX : job->now.wall_ns + after * NS_PER_S;
}

/* --- text ------------------------------------------------------------------------------------- */

void kv_write_stamp(struct jsonwrite *w, const char *key, int64_t wall_ns)
{
    char text[STAMP_BYTES] = "";
    if (wall_ns != 0)
        stamp_format(wall_ns, STAMP_GO_NANO, text);
    jsonwrite_string(w, key, text);
}

void kv_write_duration(struct jsonwrite *w, const char *key, int64_t seconds)
{
    char text[48];
    int64_t hours = seconds / 3600, minutes = seconds / 60 % 60, rest = seconds % 60;
    if (hours != 0)
        (void)snprintf(text, sizeof text, "%" PRId64 "h%" PRId64 "m%" PRId64 "s", hours, minutes,
                       rest);
    else if (minutes != 0)
        (void)snprintf(text, sizeof text, "%" PRId64 "m%" PRId64 "s", minutes, rest);
    else
        (void)snprintf(text, sizeof text, "%" PRId64 "s", rest);
    jsonwrite_string(w, key, text);
}

void kv_write_version(struct jsonwrite *w, const struct kv_entry *e, uint32_t number)
{
    const struct kv_entry_version *version = kv_entry_version(e, number);
    kv_write_stamp(w, "created_time", version->created_ns);
    if (e->custom == NULL)
        jsonwrite_null(w, "custom_metadata");
    else
        jsonwrite_value(w, "custom_metadata", e->custom);
    kv_write_stamp(w, "deletion_time", version->deleted_ns);
    jsonwrite_bool(w, "destroyed", version->destroyed);
    jsonwrite_int(w, "version", number);
}

/* --- names ------------------------------------------------------------------------------------ */

struct listing {
    struct jsonwrite *w;
    char last[STORE_NAME_MAX]; /* a folder comes once, however much is in it */
    size_t count;
};

static enum errc add_name(void *context, struct slice rest)
{
    struct listing *l = context;
    size_t slash = slice_find(rest, '/');
    struct slice name = {rest.ptr, slash < rest.len ? slash + 1 : rest.len};
    if (slice_equal_text(name, l->last))
        return ERRC_OK;
    memcpy(l->last, name.ptr, name.len);
    l->last[name.len] = '\0';
    jsonwrite_slice(l->w, NULL, name);
    l->count++;
    return ERRC_OK;
}

void kv_answer_names(struct vault_job *job, const char *prefix)
{
    struct errc_why why = {{0}};
    struct listing l = {.w = call_data(job)};
    jsonwrite_array(l.w, "keys");
    enum errc code = store_list(job->vault->ports.store, slice_of(prefix), add_name, &l, &why);
    jsonwrite_end(l.w);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else if (l.count == 0)
        call_fail_bare(job, 404);
    else
        call_answer(job, CALL_DATA);
}

/* --- table ------------------------------------------------------------------------------------ */

static bool is_root_word(struct slice path)
{
    static const char *const words[] = {"metadata", "data", "delete", "undelete", "destroy"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (slice_equal_text(path, words[i]))
            return true;
    return false;
}

void kv_unknown_path(struct vault_job *job)
{
    static const char *const commands[] = {
        [ROUTE_READ] = "get",   [ROUTE_LIST] = "list",     [ROUTE_UPDATE] = "put",
        [ROUTE_CREATE] = "put", [ROUTE_DELETE] = "delete", [ROUTE_PATCH] = "patch",
    };
    if (job->operation != ROUTE_LIST && is_root_word(job->below))
        call_warn(job, "Non-listing operations on the root of a K/V v2 mount are not supported.");
    else
        call_warn(job,
                  "Invalid path for a versioned K/V secrets engine. See the API docs for the "
                  "appropriate API endpoints to use. If using the Vault CLI, use 'vault kv %s' for "
                  "this operation.",
                  commands[job->operation]);
    call_answer_none(job, 404);
    job->raw = true;
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "config", .operation = ROUTE_READ, .finish = kv_config_read_finish},
    {.pattern = "config", .operation = ROUTE_UPDATE,
     .fields = kv_config_fields, .finish = kv_config_write_finish},
    {.pattern = "data/~path", .operation = ROUTE_READ,
     .fields = kv_data_read_fields, .finish = kv_data_read_finish},
    {.pattern = "data/~path", .operation = ROUTE_UPDATE,
     .fields = kv_data_write_fields, .exists = exists, .prepare = kv_data_write_prepare,
     .finish = kv_data_write_finish},
    {.pattern = "data/~path", .operation = ROUTE_PATCH,
     .fields = kv_data_write_fields, .prepare = kv_data_write_prepare,
     .finish = kv_data_patch_finish},
    {.pattern = "data/~path", .operation = ROUTE_DELETE, .finish = kv_data_delete_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_LIST, .finish = kv_metadata_list_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_READ,
     .fields = kv_metadata_fields, .finish = kv_metadata_read_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_UPDATE,
     .fields = kv_metadata_fields, .exists = exists, .finish = kv_metadata_write_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_PATCH,
     .fields = kv_metadata_fields, .finish = kv_metadata_patch_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_DELETE, .finish = kv_metadata_delete_finish},
    {.pattern = "destroy/*path", .operation = ROUTE_UPDATE,
     .fields = kv_versions_fields, .finish = kv_versions_destroy_finish},
    {.pattern = "subkeys/*path", .operation = ROUTE_READ,
     .fields = kv_data_subkeys_fields, .finish = kv_data_subkeys_finish},
    {.pattern = "delete/*path", .operation = ROUTE_UPDATE,
     .fields = kv_versions_fields, .finish = kv_versions_delete_finish},
    {.pattern = "undelete/*path", .operation = ROUTE_UPDATE,
     .fields = kv_versions_fields, .finish = kv_versions_undelete_finish},
};
/* clang-format on */

const struct route_table kv_table = ROUTE_TABLE(rows);
