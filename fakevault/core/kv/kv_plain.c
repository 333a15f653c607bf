/* Version 1 of the kv engine: one record per path, "logical/<uuid>/plain/<path>", which holds the
 * body of the last write as it was sent (vault-api.md 5). */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/weak.h"
#include "fakevault/core/kv/kv.h"
#include "fakevault/core/kv/kv_upgrade.h"
#include "fakevault/core/state.h"

/* Vault's storage refuses any ".." in a name. */
static bool relative(struct slice path)
{
    return path.len > 0 && memmem(path.ptr, path.len, "..", 2) != NULL;
}

static enum errc load(struct vault_job *job, struct secret *out, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    struct slice path = call_capture(job, "path");
    if (path.len == 0)
        return ERRC_NOT_FOUND;
    kv_upgrade_name(job->mount_uuid, path, name);
    return barrier_get(&job->vault->barrier, name, out, why);
}

static bool exists(struct vault_job *job)
{
    struct errc_why why = {{0}};
    struct secret text CLEANUP(secret_done) = {0};
    if (relative(call_capture(job, "path"))) {
        call_fault(job, "internal error");
        return false;
    }
    enum errc code = load(job, &text, &why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

/* How long the secret says that it is good for; clients see it, nothing else happens then. */
static int64_t lease_seconds(const struct vault_job *job, const json_t *data)
{
    int64_t ns = 0;
    json_t *ttl = json_object_get(data, "ttl");
    if (ttl == NULL)
        ttl = json_object_get(data, "lease");
    if (ttl != NULL && weak_duration(ttl, &ns, NULL) == ERRC_OK)
        return ns / NS_PER_S;
    const struct mount *m = mount_at(&job->vault->mounts, slice_of(job->mount_path));
    return m == NULL || m->default_ttl_s == 0 ? MOUNT_TTL_DEFAULT : m->default_ttl_s;
}

static void read_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    struct secret text CLEANUP(secret_done) = {0};
    json_t *data CLEANUP(jsonread_done) = NULL;
    if (relative(call_capture(job, "path"))) {
        call_fault(job, "read failed: relative paths not supported");
        return;
    }
    enum errc code = load(job, &text, &why);
    if (code == ERRC_NOT_FOUND) {
        call_fail_bare(job, 404);
        return;
    }
    if (code == ERRC_OK)
        code = gojson_parse(secret_slice(&text), &data, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    call_answer_json(job, secret_slice(&text));
    job->leased = true;
    job->lease_duration_s = lease_seconds(job, data);
}

static void write_finish(struct vault_job *job)
{
    struct slice path = call_capture(job, "path");
    struct buf text CLEANUP(buf_done);
    struct errc_why why = {{0}};
    struct jsonwrite w;
    char name[STORE_NAME_MAX];
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    if (path.len == 0 || json_object_size(job->data) == 0) {
        call_fail(job, 400, path.len == 0 ? "missing path" : "missing data fields");
        return;
    }
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    jsonwrite_value(&w, NULL, job->data);
    kv_upgrade_name(job->mount_uuid, path, name);
    enum errc code = buf_status(&text, &why);
    if (code == ERRC_OK)
        code = barrier_put(&job->vault->barrier, name, buf_slice(&text), &why);
    call_done(job, code, &why);
}

static void delete_finish(struct vault_job *job)
{
    char name[STORE_NAME_MAX];
    struct errc_why why = {{0}};
    struct slice path = call_capture(job, "path");
    if (relative(path)) {
        call_wrapped(job, 400, "relative paths not supported");
        return;
    }
    kv_upgrade_name(job->mount_uuid, path, name);
    enum errc code = store_erase(job->vault->ports.store, slice_of(name), &why);
    call_done(job, code, &why);
}

static void list_finish(struct vault_job *job)
{
    char prefix[STORE_NAME_MAX];
    struct slice path = call_capture(job, "path");
    bool folder = path.len == 0 || slice_ends_with(path, "/");
    (void)snprintf(prefix, sizeof prefix, "logical/%s/plain/%.*s%s", job->mount_uuid,
                   SLICE_FMT(path), folder ? "" : "/");
    kv_answer_names(job, prefix);
}

static const struct route_endpoint rows[] = {
    {.pattern = "*path", .operation = ROUTE_READ, .finish = read_finish},
    {.pattern = "*path", .operation = ROUTE_UPDATE, .exists = exists, .finish = write_finish},
    {.pattern = "*path", .operation = ROUTE_DELETE, .finish = delete_finish},
    {.pattern = "*path", .operation = ROUTE_LIST, .finish = list_finish},
};

const struct route_table kv_plain_table = ROUTE_TABLE(rows);
