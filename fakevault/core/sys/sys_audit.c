/* Enabling and disabling audit devices (vault-api.md 2.11). A device is tried out in `work`,
 * without the lock, because its file may block. */
#include "base/limits.h"

#include "fakevault/core/api.h"
#include "fakevault/core/audit/audit_entry.h"
#include "fakevault/core/state.h"

static const struct field_spec enable_fields[] = {
    {.name = "type", .type = FIELD_STRING},
    {.name = "description", .type = FIELD_STRING},
    {.name = "options", .type = FIELD_PAIRS},
    {.name = "local", .type = FIELD_BOOL},
    {0},
};

static const struct field_spec hash_fields[] = {
    {.name = "input", .type = FIELD_STRING},
    {0},
};

/* The path of a request as a device has it: with one '/' at its end. */
static bool device_path(struct vault_job *job, struct buf *out)
{
    struct slice path = call_capture(job, "path");
    while (slice_ends_with(path, "/"))
        path.len--;
    buf_init(out, LIMIT_PATH_BYTES + 1);
    buf_add_slice(out, path);
    buf_add_char(out, '/');
    job->no_memory = job->no_memory || out->failed;
    return !job->no_memory;
}

static void list_finish(struct vault_job *job)
{
    const struct audit_table *t = &job->vault->audit;
    struct jsonwrite *w = call_data(job);
    for (size_t i = 0; i < t->count; i++) {
        jsonwrite_object(w, t->items[i]->path);
        jsonwrite_string(w, "description", t->items[i]->description);
        jsonwrite_bool(w, "local", t->items[i]->local);
        jsonwrite_value(w, "options", t->items[i]->options);
        jsonwrite_string(w, "path", t->items[i]->path);
        jsonwrite_string(w, "type", "file");
        jsonwrite_end(w);
    }
    call_answer(job, CALL_INJECTED);
}

/* --- enable ----------------------------------------------------------------------------------- */

/* Devices that write over a network are refused as by a machine that has neither. */
static bool check_type(struct vault_job *job)
{
    struct slice type = field_text(&job->fields, "type");
    const json_t *options = field_get(&job->fields, "options")->tree;
    const char *address = json_string_value(json_object_get(options, "address"));
    if (slice_equal_text(type, "file") && job->vault->ports.audit != NULL)
        return true;
    if (slice_equal_text(type, "syslog"))
        call_fail(job, 400, "Unix syslog delivery error");
    else if (slice_equal_text(type, "socket") && address == NULL)
        call_fail(job, 400, "address is required");
    else if (slice_equal_text(type, "socket"))
        call_fail(
            job, 400,
            "audit backend failed test message: 2 errors occurred:\n\t* dial tcp %s: connect: "
            "connection refused\n\t* dial tcp %s: connect: connection refused\n\n",
            address, address);
    else
        call_fail(job, 400, "unknown backend type: \"%.*s\"", SLICE_FMT(type));
    return false;
}

static void release_device(void *device)
{
    audit_device_release(device);
}

static bool free_path(struct vault_job *job, struct slice path)
{
    if (audit_table_conflict(&job->vault->audit, path) != NULL)
        call_fail(job, 400, "path already in use");
    return !call_answered(job);
}

static void enable_prepare(struct vault_job *job)
{
    struct buf path CLEANUP(buf_done);
    struct errc_why why = {{0}};
    struct audit_device *d = NULL;
    char salt[ENTROPY_UUID_BYTES];
    if (!device_path(job, &path) || !free_path(job, buf_slice(&path)) || !check_type(job))
        return;
    entropy_uuid(&job->vault->ports.entropy, salt);
    enum errc code = audit_device_new(
        job->vault->ports.audit, salt, buf_slice(&path), field_text(&job->fields, "description"),
        field_flag(&job->fields, "local"), field_get(&job->fields, "options")->tree, &d, &why);
    if (code == ERRC_SCHEMA)
        call_fail(job, 400, "%s", why.text);
    else if (code != ERRC_OK)
        job->no_memory = true;
    else
        job->state = (struct call_state){d, release_device};
}

static void enable_work(struct vault_job *job)
{
    struct audit_device *d = job->state.ptr;
    struct errc_why why = {{0}};
    struct buf line CLEANUP(buf_done);
    char id[ENTROPY_UUID_BYTES];
    buf_init(&line, LIMIT_LINE_BYTES);
    entropy_uuid(&job->vault->ports.entropy, id);
    audit_entry_test(d, id, job->now.wall_ns, &line);
    if (line.failed)
        job->no_memory = true;
    else if (audit_device_test(d, buf_slice(&line), &why) != ERRC_OK)
        call_fail(job, 400, "%s", why.text);
}

static void enable_finish(struct vault_job *job)
{
    struct audit_device *d = job->state.ptr;
    struct errc_why why = {{0}};
    if (!free_path(job, slice_of(d->path)))
        return;
    enum errc code = audit_table_change(&job->vault->audit, &job->vault->barrier, d, NULL, &why);
    call_done(job, code, &why);
}

/* --- disable, hash ---------------------------------------------------------------------------- */

static void disable_finish(struct vault_job *job)
{
    struct buf path CLEANUP(buf_done);
    struct errc_why why = {{0}};
    if (!device_path(job, &path))
        return;
    struct audit_table *t = &job->vault->audit;
    struct audit_device *d = audit_table_find(t, buf_slice(&path));
    enum errc code =
        d == NULL ? ERRC_OK : audit_table_change(t, &job->vault->barrier, NULL, d, &why);
    call_done(job, code, &why);
}

static void hash_finish(struct vault_job *job)
{
    struct buf path CLEANUP(buf_done);
    char hash[AUDIT_HASH_BYTES];
    struct slice input = field_text(&job->fields, "input");
    if (!device_path(job, &path))
        return;
    const struct audit_device *d = audit_table_find(&job->vault->audit, buf_slice(&path));
    if (input.len == 0) {
        call_fail(job, 400, "the \"input\" parameter is empty");
    } else if (d == NULL) {
        call_fail(job, 400, "unknown audit backend \"%s\"", buf_text(&path));
    } else {
        audit_device_hash(d, input, hash);
        jsonwrite_string(call_data(job), "hash", hash);
        call_answer(job, CALL_INJECTED);
    }
}

static const struct route_endpoint rows[] = {
    {.pattern = "audit", .operation = ROUTE_READ, .finish = list_finish},
    {.pattern = "audit/+path",
     .operation = ROUTE_UPDATE,
     .fields = enable_fields,
     .blocks = true,
     .prepare = enable_prepare,
     .work = enable_work,
     .finish = enable_finish},
    {.pattern = "audit/+path", .operation = ROUTE_DELETE, .finish = disable_finish},
    {.pattern = "audit-hash/+path",
     .operation = ROUTE_UPDATE,
     .fields = hash_fields,
     .finish = hash_finish},
};

const struct route_table sys_audit_table = ROUTE_TABLE(rows);
