#include <string.h>

#include "base/limits.h"
#include "base/text/stamp.h"
#include "fakevault/core/api.h"
#include "fakevault/core/kv/kv_entry.h"
#include "fakevault/core/state.h"
#include "fakevault/core/store/textorder.h"

static const struct field_spec write_fields[] = {
    {.name = "data", .type = FIELD_MAP},
    {.name = "options", .type = FIELD_MAP},
    {.name = "version", .type = FIELD_INT},
    {0},
};

static const struct field_spec read_fields[] = {
    {.name = "version", .type = FIELD_INT},
    {0},
};

static struct barrier *barrier_of(const struct vault_job *job)
{
    return &job->vault->barrier;
}

static void write_stamp(struct jsonwrite *w, const char *key, int64_t wall_ns)
{
    char text[STAMP_BYTES] = "";
    if (wall_ns != 0)
        stamp_format(wall_ns, STAMP_GO_NANO, text);
    jsonwrite_string(w, key, text);
}

static void write_version(struct jsonwrite *w, const struct kv_entry_version *version,
                          uint32_t number)
{
    write_stamp(w, "created_time", version->created_ns);
    jsonwrite_null(w, "custom_metadata");
    write_stamp(w, "deletion_time", version->deleted_ns);
    jsonwrite_bool(w, "destroyed", version->destroyed);
    jsonwrite_int(w, "version", number);
}

/* Loads the secret that the path names. False when it is not there (or trouble, answered). */
static bool load(struct vault_job *job, struct kv_entry *e)
{
    struct errc_why why = {{0}};
    enum errc code =
        kv_entry_load(e, barrier_of(job), job->mount_uuid, call_capture(job, "path"), &why);
    if (code == ERRC_RANGE)
        call_fail(job, 400, "%s", why.text);
    else if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

/* --- data ------------------------------------------------------------------------------------- */

static bool data_exists(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    return load(job, &e);
}

static void write_prepare(struct vault_job *job)
{
    if (field_get(&job->fields, "data")->tree == NULL)
        call_fail(job, 400, "no data provided");
}

/* True when the request's `cas` allows the write. */
static bool check_and_set(struct vault_job *job, const struct kv_entry *e)
{
    const json_t *cas = json_object_get(field_get(&job->fields, "options")->tree, "cas");
    if (cas == NULL || json_is_null(cas))
        return true;
    if (!json_is_integer(cas)) {
        call_fail(job, 400, "error parsing check-and-set parameter");
        return false;
    }
    if (json_integer_value(cas) == e->current)
        return true;
    call_fail(job, 400, "check-and-set parameter did not match the current version");
    return false;
}

static enum errc put_version(struct vault_job *job, struct kv_entry *e, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    jsonwrite_value(&w, NULL, field_get(&job->fields, "data")->tree);
    TRY(buf_status(&text, why));
    return kv_entry_write(e, barrier_of(job), job->mount_uuid, call_capture(job, "path"),
                          buf_slice(&text), KV_ENTRY_VERSIONS_DEFAULT, job->now.wall_ns, why);
}

static void write_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct errc_why why = {{0}};
    (void)load(job, &e);
    if (call_answered(job) || !check_and_set(job, &e))
        return;
    enum errc code = put_version(job, &e, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    write_version(call_data(job), kv_entry_version(&e, e.current), e.current);
    call_answer(job, CALL_DATA);
}

/* A deleted version is a 404 that still tells its metadata. */
static void answer_version(struct vault_job *job, const struct kv_entry_version *version,
                           uint32_t number)
{
    struct errc_why why = {{0}};
    struct secret data CLEANUP(secret_done) = {0};
    bool gone = version->destroyed || version->deleted_ns != 0;
    enum errc code = gone ? ERRC_OK
                          : kv_entry_data(barrier_of(job), job->mount_uuid,
                                          call_capture(job, "path"), number, &data, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    struct jsonwrite *w = call_data(job);
    if (gone)
        jsonwrite_null(w, "data");
    else
        jsonwrite_raw(w, "data", secret_slice(&data));
    jsonwrite_object(w, "metadata");
    write_version(w, version, number);
    jsonwrite_end(w);
    call_answer_status(job, CALL_DATA, gone ? 404 : 200);
}

static void read_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    if (!load(job, &e)) {
        if (!call_answered(job))
            call_fail_bare(job, 404);
        return;
    }
    int64_t wanted = field_number(&job->fields, "version");
    uint32_t number = wanted == 0 ? e.current : (uint32_t)wanted;
    const struct kv_entry_version *version =
        wanted < 0 || wanted > UINT32_MAX ? NULL : kv_entry_version(&e, number);
    if (version == NULL)
        call_fail_bare(job, 404);
    else
        answer_version(job, version, number);
}

static void delete_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct errc_why why = {{0}};
    bool there = load(job, &e);
    if (call_answered(job))
        return;
    struct kv_entry_version *version = kv_entry_version(&e, e.current);
    if (!there || version == NULL || version->deleted_ns != 0) {
        call_empty(job);
        return;
    }
    version->deleted_ns = job->now.wall_ns;
    enum errc code =
        kv_entry_store(&e, barrier_of(job), job->mount_uuid, call_capture(job, "path"), &why);
    if (code == ERRC_OK)
        call_empty(job);
    else
        call_trouble(job, code, &why);
}

/* --- metadata and config ---------------------------------------------------------------------- */

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

static void list_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    char prefix[STORE_NAME_MAX];
    struct slice path = call_capture(job, "path");
    if (path.len > KV_ENTRY_PATH_MAX) {
        call_fail_bare(job, 404);
        return;
    }
    (void)snprintf(prefix, sizeof prefix, "logical/%s/metadata/%.*s", job->mount_uuid,
                   SLICE_FMT(path));
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

struct versions {
    struct jsonwrite *w;
    const struct kv_entry *e;
};

static void write_version_state(void *context, uint32_t number)
{
    const struct versions *v = context;
    const struct kv_entry_version *version = kv_entry_version(v->e, number);
    char name[16];
    (void)snprintf(name, sizeof name, "%u", number);
    jsonwrite_object(v->w, name);
    write_stamp(v->w, "created_time", version->created_ns);
    write_stamp(v->w, "deletion_time", version->deleted_ns);
    jsonwrite_bool(v->w, "destroyed", version->destroyed);
    jsonwrite_end(v->w);
}

static void metadata_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    if (!load(job, &e)) {
        if (!call_answered(job))
            call_fail_bare(job, 404);
        return;
    }
    struct jsonwrite *w = call_data(job);
    struct versions v = {w, &e};
    jsonwrite_bool(w, "cas_required", false);
    write_stamp(w, "created_time", e.created_ns);
    jsonwrite_int(w, "current_version", e.current);
    jsonwrite_null(w, "custom_metadata");
    jsonwrite_string(w, "delete_version_after", "0s");
    jsonwrite_int(w, "max_versions", 0);
    /* Vault counts from 0 until the first version is dropped. */
    jsonwrite_int(w, "oldest_version", e.oldest > 1 ? e.oldest : 0);
    write_stamp(w, "updated_time", e.updated_ns);
    jsonwrite_object(w, "versions");
    textorder_each(e.oldest, e.current, write_version_state, &v);
    jsonwrite_end(w);
    call_answer(job, CALL_DATA);
}

static void metadata_delete_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct errc_why why = {{0}};
    bool there = load(job, &e);
    if (call_answered(job))
        return;
    enum errc code = there ? kv_entry_erase(&e, barrier_of(job), job->mount_uuid,
                                            call_capture(job, "path"), &why)
                           : ERRC_OK;
    if (code == ERRC_OK)
        call_empty(job);
    else
        call_trouble(job, code, &why);
}

static void config_finish(struct vault_job *job)
{
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "cas_required", false);
    jsonwrite_string(w, "delete_version_after", "0s");
    jsonwrite_int(w, "max_versions", 0);
    call_answer(job, CALL_DATA);
}

static const struct route_endpoint rows[] = {
    {.pattern = "data/*path",
     .operation = ROUTE_READ,
     .fields = read_fields,
     .finish = read_finish},
    {.pattern = "data/*path",
     .operation = ROUTE_UPDATE,
     .fields = write_fields,
     .exists = data_exists,
     .prepare = write_prepare,
     .finish = write_finish},
    {.pattern = "data/*path", .operation = ROUTE_DELETE, .finish = delete_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_LIST, .finish = list_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_READ, .finish = metadata_finish},
    {.pattern = "metadata/*path", .operation = ROUTE_DELETE, .finish = metadata_delete_finish},
    {.pattern = "config", .operation = ROUTE_READ, .finish = config_finish},
};

const struct route_table kv_table = ROUTE_TABLE(rows);
