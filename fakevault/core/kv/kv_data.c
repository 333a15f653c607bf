/* Reading and writing versions of a secret. */
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/kv/kv.h"
#include "fakevault/core/kv/kv_merge.h"
#include "fakevault/core/state.h"

const struct field_spec kv_data_write_fields[] = {
    {.name = "data", .type = FIELD_MAP},
    {.name = "options", .type = FIELD_MAP},
    {.name = "version", .type = FIELD_INT},
    {0},
};

const struct field_spec kv_data_read_fields[] = {
    {.name = "version", .type = FIELD_INT},
    {.name = "options", .type = FIELD_MAP},
    {.name = "data", .type = FIELD_MAP},
    {0},
};

const struct field_spec kv_data_subkeys_fields[] = {
    {.name = "version", .type = FIELD_INT},
    {.name = "depth", .type = FIELD_INT},
    {0},
};

/* --- writing ---------------------------------------------------------------------------------- */

void kv_data_write_prepare(struct vault_job *job)
{
    if (!field_get(&job->fields, "data")->present)
        call_fail(job, 400, "no data provided");
}

/* Go's weak decoding of anything into an int; false when there is no way. */
static bool weak_int(json_t *value, int64_t *out)
{
    static const struct field_spec specs[] = {{.name = "cas", .type = FIELD_INT}, {0}};
    struct field_set set = {0};
    json_t *data = json_pack("{s:O}", "cas", value);
    bool read = data != NULL && field_read(&set, specs, data, NULL) == ERRC_OK;
    *out = read ? field_number(&set, "cas") : 0;
    field_done(&set);
    json_decref(data);
    return read;
}

/* True when the request's `cas` allows the write. */
static bool check_and_set(struct vault_job *job, const struct kv_config *config,
                          const struct kv_entry *e)
{
    json_t *cas = json_object_get(field_get(&job->fields, "options")->tree, "cas");
    int64_t number = 0;
    if (cas == NULL && (config->cas_required || e->cas_required))
        call_fail(job, 400, "check-and-set parameter required for this call");
    else if (cas != NULL && !weak_int(cas, &number))
        call_fail(job, 400, "error parsing check-and-set parameter");
    else if (cas != NULL && number != e->current)
        call_fail(job, 400, "check-and-set parameter did not match the current version");
    return !call_answered(job);
}

/* Writes `data` (NULL: null) as the next version and answers. */
static void put_version(struct vault_job *job, const struct kv_config *config, struct kv_entry *e,
                        const json_t *data)
{
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    struct errc_why why = {{0}};
    uint32_t most = e->max_versions > config->max_versions ? e->max_versions : config->max_versions;
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    if (data == NULL)
        jsonwrite_null(&w, NULL);
    else
        jsonwrite_value(&w, NULL, data);
    enum errc code = buf_status(&text, &why);
    if (code == ERRC_OK)
        code = kv_entry_write(e, &job->vault->barrier, job->mount_uuid, kv_path(job),
                              buf_slice(&text), most == 0 ? KV_ENTRY_VERSIONS_DEFAULT : most,
                              job->now.wall_ns, kv_deletion_ns(job, config, e), &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    kv_write_version(call_data(job), e, e->current);
    call_answer(job, CALL_DATA);
}

void kv_data_write_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct kv_config config;
    if (!kv_config_load(job, &config))
        return;
    (void)kv_load(job, &e);
    if (!call_answered(job) && check_and_set(job, &config, &e))
        put_version(job, &config, &e, field_get(&job->fields, "data")->tree);
}

void kv_data_delete_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    bool there = kv_load(job, &e);
    if (call_answered(job))
        return;
    struct kv_entry_version *version = kv_entry_version(&e, e.current);
    if (there && version != NULL && !kv_entry_gone(version, job->now.wall_ns)) {
        version->deleted_ns = job->now.wall_ns;
        if (!kv_store(job, &e))
            return;
    }
    call_empty(job);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Returns the text of a number that is beyond a float64, or NULL. */
static const char *find_infinite(json_t *value)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice number;
    const char *key, *found = NULL;
    json_t *member;
    size_t i;
    if (json_is_string(value) && gojson_number(value, room, &number))
        return isinf(strtod(number.ptr, NULL)) ? number.ptr : NULL;
    json_object_foreach(value, key, member)
    {
        if (found == NULL)
            found = find_infinite(member);
    }
    json_array_foreach(value, i, member)
    {
        if (found == NULL)
            found = find_infinite(member);
    }
    return found;
}

/* Reads a version's data as a tree; answers and returns false when that fails. */
static bool load_data(struct vault_job *job, uint32_t number, json_t **out)
{
    struct errc_why why = {{0}};
    struct secret text CLEANUP(secret_done) = {0};
    /* Vault looks for data at the path as it was asked for, '/' and all. */
    enum errc code = kv_entry_data(&job->vault->barrier, job->mount_uuid, call_capture(job, "path"),
                                   number, &text, &why);
    if (code == ERRC_NOT_FOUND)
        call_fault(job, "could not find version data");
    else if (code == ERRC_OK)
        code = gojson_parse(secret_slice(&text), out, &why);
    const char *infinite = code == ERRC_OK ? find_infinite(*out) : NULL;
    if (infinite != NULL)
        call_fault(job, "json: cannot unmarshal number %s into Go value of type float64", infinite);
    else if (code != ERRC_OK && !call_answered(job))
        call_trouble(job, code, &why);
    return !call_answered(job);
}

/* Every number passes through Go's float64 on its way out. */
static void write_scalar(struct jsonwrite *w, const char *key, const json_t *value)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice number;
    if (gojson_number(value, room, &number))
        jsonwrite_real(w, key, strtod(number.ptr, NULL));
    else
        jsonwrite_slice(w, key, slice_bytes(json_string_value(value), json_string_length(value)));
}

/* Answers with what `key` is to hold (NULL for a version that is gone) and the version. */
static void answer_version(struct vault_job *job, const struct kv_entry *e, uint32_t number,
                           const char *key, const json_t *data)
{
    bool first = key[0] < 'm'; /* members are sorted: data, metadata, subkeys */
    struct jsonwrite *w = call_data(job);
    w->scalar = write_scalar;
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == first && data != NULL) {
            jsonwrite_value(w, key, data);
        } else if ((i == 0) == first) {
            jsonwrite_null(w, key);
        } else {
            jsonwrite_object(w, "metadata");
            kv_write_version(w, e, number);
            jsonwrite_end(w);
        }
    }
    call_answer(job, CALL_DATA);
}

/* What a read of `key` is about: the version asked for, or the current one. Answers what needs no
 * data: a secret or version that is not there, a version that is gone (a 404 that still tells its
 * metadata). */
static bool find_version(struct vault_job *job, const char *key, struct kv_entry *e,
                         uint32_t *number)
{
    if (!kv_load(job, e)) {
        if (!call_answered(job))
            call_fail_bare(job, 404);
        return false;
    }
    int64_t wanted = field_number(&job->fields, "version");
    *number = wanted > UINT32_MAX ? 0 : wanted > 0 ? (uint32_t)wanted : e->current;
    const struct kv_entry_version *version = kv_entry_version(e, *number);
    if (version == NULL) {
        call_fail_bare(job, 404);
        return false;
    }
    if (!kv_entry_gone(version, job->now.wall_ns))
        return true;
    answer_version(job, e, *number, key, NULL);
    call_make_raw(job, 404);
    return false;
}

void kv_data_read_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    json_t *data CLEANUP(jsonread_done) = NULL;
    uint32_t number;
    if (find_version(job, "data", &e, &number) && load_data(job, number, &data))
        answer_version(job, &e, number, "data", data);
}

/* Leaves the names of an object and of the objects in it; depth 0 is without limit. */
static void drop_values(json_t *object, int64_t depth, int64_t level)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        bool deeper = json_object_size(value) > 0 && (depth == 0 || level < depth);
        if (deeper)
            drop_values(value, depth, level + 1);
        else
            (void)json_object_set_new_nocheck(object, key, json_null());
    }
}

void kv_data_subkeys_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    json_t *data CLEANUP(jsonread_done) = NULL;
    uint32_t number;
    if (!find_version(job, "subkeys", &e, &number) || !load_data(job, number, &data))
        return;
    drop_values(data, field_number(&job->fields, "depth"), 1);
    answer_version(job, &e, number, "subkeys", data);
}

/* --- patching --------------------------------------------------------------------------------- */

/* What there is to patch; answers when there is nothing. */
static bool find_patched(struct vault_job *job, struct kv_config *config, struct kv_entry *e)
{
    bool there = kv_load(job, e);
    if (call_answered(job))
        return false;
    if (!there) {
        call_bare_status(job, 404);
        return false;
    }
    if (!kv_config_load(job, config) || !check_and_set(job, config, e))
        return false;
    const struct kv_entry_version *version = kv_entry_version(e, e->current);
    if (version == NULL) {
        call_bare_status(job, 404);
    } else if (kv_entry_gone(version, job->now.wall_ns)) {
        kv_write_version(call_data(job), e, e->current);
        call_answer(job, CALL_DATA);
        call_make_raw(job, 404);
    }
    return !call_answered(job);
}

void kv_data_patch_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct kv_config config;
    json_t *data CLEANUP(jsonread_done) = NULL;
    json_t *patch = field_get(&job->fields, "data")->tree;
    if (!find_patched(job, &config, &e) || !load_data(job, e.current, &data))
        return;
    if (patch == NULL || !json_is_object(data))
        call_fault(job, "Invalid JSON %s", patch == NULL ? "Patch" : "Document");
    else if (kv_merge_apply(data, patch) != ERRC_OK)
        job->no_memory = true;
    else
        put_version(job, &config, &e, data);
}
