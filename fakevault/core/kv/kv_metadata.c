/* What is known about a secret beside its data: limits, custom metadata, the list of versions. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/weak.h"
#include "fakevault/core/kv/kv.h"
#include "fakevault/core/state.h"
#include "fakevault/core/store/textorder.h"

#define CUSTOM_KEYS_MAX 64u
#define CUSTOM_KEY_BYTES_MAX 128u
#define CUSTOM_VALUE_BYTES_MAX 512u
#define CUSTOM_FAILED "custom_metadata validation failed"
#define LINE "\t* " CUSTOM_FAILED ": "

const struct field_spec kv_metadata_fields[] = {
    {.name = "cas_required", .type = FIELD_BOOL},
    {.name = "max_versions", .type = FIELD_INT},
    {.name = "delete_version_after", .type = FIELD_SECONDS},
    {.name = "custom_metadata", .type = FIELD_MAP},
    {0},
};

/* --- reading ---------------------------------------------------------------------------------- */

void kv_metadata_list_finish(struct vault_job *job)
{
    char prefix[STORE_NAME_MAX];
    struct slice path = kv_path(job);
    (void)snprintf(prefix, sizeof prefix, "logical/%s/metadata/%.*s%s", job->mount_uuid,
                   SLICE_FMT(path), path.len == 0 ? "" : "/");
    kv_answer_names(job, prefix);
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
    kv_write_stamp(v->w, "created_time", version->created_ns);
    kv_write_stamp(v->w, "deletion_time", version->deleted_ns);
    jsonwrite_bool(v->w, "destroyed", version->destroyed);
    jsonwrite_end(v->w);
}

void kv_metadata_read_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    if (!kv_load(job, &e)) {
        if (!call_answered(job))
            call_fail_bare(job, 404);
        return;
    }
    struct jsonwrite *w = call_data(job);
    struct versions v = {w, &e};
    jsonwrite_bool(w, "cas_required", e.cas_required);
    kv_write_stamp(w, "created_time", e.created_ns);
    jsonwrite_int(w, "current_version", e.current);
    if (e.custom == NULL)
        jsonwrite_null(w, "custom_metadata");
    else
        jsonwrite_value(w, "custom_metadata", e.custom);
    kv_write_duration(w, "delete_version_after", e.delete_after_s);
    jsonwrite_int(w, "max_versions", e.max_versions);
    jsonwrite_int(w, "oldest_version", e.oldest);
    kv_write_stamp(w, "updated_time", e.updated_ns);
    jsonwrite_object(w, "versions");
    if (e.current > 0)
        textorder_each(kv_entry_first(&e), e.current, write_version_state, &v);
    jsonwrite_end(w);
    call_answer(job, CALL_DATA);
}

void kv_metadata_delete_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct errc_why why = {{0}};
    bool there = kv_load(job, &e);
    if (call_answered(job))
        return;
    enum errc code =
        there ? kv_entry_erase(&job->vault->barrier, job->mount_uuid, kv_path(job), &why) : ERRC_OK;
    call_done(job, code, &why);
}

/* --- custom metadata -------------------------------------------------------------------------- */

/* Unicode's controls, odd spaces and separators; all else is taken for printable. */
static bool printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char *c = (const unsigned char *)text.ptr + i;
        size_t left = text.len - i;
        bool control = *c < 0x20 || *c == 0x7f;
        bool latin = left > 1 && c[0] == 0xc2 && (c[1] <= 0xa0 || c[1] == 0xad);
        bool general = left > 2 && c[0] == 0xe2 && c[1] == 0x80 &&
                       (c[2] <= 0x8f || (c[2] >= 0xa8 && c[2] <= 0xaf));
        if (control || latin || general)
            return false;
    }
    return true;
}

/* Appends what is wrong with one pair, each fault a line of a Go multierror; returns how many. */
static unsigned check_pair(struct slice key, struct slice value, struct buf *out)
{
    bool long_key = key.len == 0 || key.len > CUSTOM_KEY_BYTES_MAX;
    bool long_value = value.len == 0 || value.len > CUSTOM_VALUE_BYTES_MAX;
    bool odd_key = !printable(key), odd_value = !printable(value);
    struct buf name CLEANUP(buf_done);
    buf_init(&name, LIMIT_REQUEST_BODY_BYTES);
    if (long_key || long_value || odd_key || odd_value)
        gotext_quote(key, &name);
    if (long_key)
        buf_addf(out, LINE "length of key %s is %zu but must be 0 < len(key) <= %u\n",
                 buf_text(&name), key.len, CUSTOM_KEY_BYTES_MAX);
    if (long_value)
        buf_addf(out, LINE "length of value for key %s is %zu but must be 0 < len(value) <= %u\n",
                 buf_text(&name), value.len, CUSTOM_VALUE_BYTES_MAX);
    if (odd_key)
        buf_addf(out, LINE "key %s (%.*s) contains unprintable characters\n", buf_text(&name),
                 SLICE_FMT(key));
    if (odd_value)
        buf_addf(out, LINE "value for key %s contains unprintable characters\n", buf_text(&name));
    out->failed = out->failed || name.failed;
    return (unsigned)long_key + long_value + odd_key + odd_value;
}

/* Checks a whole map of strings; answers and returns false when it is refused. */
static bool check_custom(struct vault_job *job, json_t *custom)
{
    struct buf lines CLEANUP(buf_done);
    buf_init(&lines, LIMIT_REPLY_BODY_BYTES);
    unsigned faults = 0;
    const char *key;
    json_t *value;
    if (json_object_size(custom) > CUSTOM_KEYS_MAX) {
        faults = 1;
        buf_addf(&lines, LINE "payload must contain at most %u keys, provided %zu\n",
                 CUSTOM_KEYS_MAX, json_object_size(custom));
    } else {
        json_object_foreach(custom, key, value)
        {
            struct slice text = {json_string_value(value), json_string_length(value)};
            faults += check_pair(slice_of(key), text, &lines);
        }
    }
    job->no_memory = job->no_memory || lines.failed;
    if (faults > 0)
        call_fail(job, 400, "%u error%s occurred:\n%s\n", faults, faults == 1 ? "" : "s",
                  buf_text(&lines));
    return faults == 0;
}

/* Makes strings of the values and checks them; with skip_nulls a null is left out. The caller owns
 * the result, which is NULL when this has answered. */
static json_t *read_custom(struct vault_job *job, json_t *tree, bool skip_nulls)
{
    json_t *custom = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(tree, key, value)
    {
        struct errc_why why = {{0}};
        json_t *text = NULL;
        if (skip_nulls && json_is_null(value))
            continue;
        enum errc code = weak_string("", value, &text, &why);
        if (code == ERRC_SCHEMA)
            call_fail(job, 400, CUSTOM_FAILED ": %s", why.text);
        else if (code != ERRC_OK || json_object_set_new_nocheck(custom, key, text) != 0)
            job->no_memory = true;
        if (call_answered(job) || job->no_memory)
            break;
    }
    job->no_memory = job->no_memory || custom == NULL;
    if (!call_answered(job) && !job->no_memory && check_custom(job, custom))
        return custom;
    json_decref(custom);
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Sets the numbers and flags of e that the request has. */
static void set_plain(const struct vault_job *job, struct kv_entry *e)
{
    const struct field_value *versions = field_get(&job->fields, "max_versions");
    const struct field_value *cas = field_get(&job->fields, "cas_required");
    const struct field_value *after = field_get(&job->fields, "delete_version_after");
    if (versions->present)
        e->max_versions = (uint32_t)versions->number;
    if (cas->present)
        e->cas_required = cas->number != 0;
    if (after->present)
        e->delete_after_s = after->number;
}

/* Stores e and answers: nothing, or the warning that cas_required is the mount's business. */
static void store_and_answer(struct vault_job *job, const struct kv_config *config,
                             const struct kv_entry *e)
{
    const struct field_value *cas = field_get(&job->fields, "cas_required");
    if (!kv_store(job, e))
        return;
    if (!cas->present || cas->number != 0 || !config->cas_required) {
        call_empty(job);
        return;
    }
    call_warn(job, "\"cas_required\" set to false, but is mandated by backend config. This value "
                   "will be ignored.");
    call_answer_none(job, 200);
}

/* Takes `fresh` over. An empty map is stored as none. */
static void replace_custom(struct kv_entry *e, json_t *fresh)
{
    json_decref(e->custom);
    e->custom = fresh;
    if (json_object_size(fresh) > 0)
        return;
    json_decref(fresh);
    e->custom = NULL;
}

static bool asks_for_something(const struct vault_job *job)
{
    for (const struct field_spec *s = kv_metadata_fields; s->name != NULL; s++)
        if (field_get(&job->fields, s->name)->present)
            return true;
    return false;
}

void kv_metadata_write_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct kv_config config;
    const struct field_value *custom = field_get(&job->fields, "custom_metadata");
    json_t *fresh = NULL;
    if (kv_path(job).len == 0) {
        call_fail(job, 400, "missing path");
        return;
    }
    if (!asks_for_something(job)) {
        call_empty(job);
        return;
    }
    if (!kv_config_load(job, &config))
        return;
    if (custom->present && (fresh = read_custom(job, custom->tree, false)) == NULL)
        return;
    if (!kv_load(job, &e))
        e.created_ns = e.updated_ns = job->now.wall_ns;
    if (custom->present)
        replace_custom(&e, fresh);
    set_plain(job, &e);
    if (!call_answered(job))
        store_and_answer(job, &config, &e);
}

/* What Go's decoder says about a patched value that is not of the stored type. */
static bool check_patched(struct vault_job *job, json_t *custom)
{
    static const char sentence[] =
        "json: cannot unmarshal %s into Go struct field KeyMetadata.%s of type %s";
    const struct field_value *versions = field_get(&job->fields, "max_versions");
    const char *key;
    json_t *value;
    char shown[40];
    json_object_foreach(custom, key, value)
    {
        struct slice text;
        if (json_is_null(value) || gojson_string(value, &text))
            continue;
        call_fault(job, sentence, json_is_boolean(value) ? "bool" : "number", "custom_metadata",
                   "string");
        return false;
    }
    (void)snprintf(shown, sizeof shown, "number %lld", (long long)versions->number);
    if (versions->number < 0 || versions->number > UINT32_MAX)
        call_fault(job, sentence, shown, "max_versions", "uint32");
    return !call_answered(job);
}

/* Nulls remove, all else is set. */
static void merge_custom(struct vault_job *job, struct kv_entry *e, json_t *patch)
{
    const char *key;
    json_t *value;
    if (e->custom == NULL)
        e->custom = json_object();
    json_object_foreach(patch, key, value)
    {
        if (json_is_null(value))
            (void)json_object_del(e->custom, key);
        else if (json_object_set_nocheck(e->custom, key, value) != 0)
            job->no_memory = true;
    }
    job->no_memory = job->no_memory || e->custom == NULL;
    replace_custom(e, e->custom == NULL ? NULL : json_incref(e->custom));
}

void kv_metadata_patch_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct kv_config config;
    const struct field_value *custom = field_get(&job->fields, "custom_metadata");
    json_t *checked = NULL;
    if (custom->present && (checked = read_custom(job, custom->tree, true)) == NULL)
        return;
    json_decref(checked);
    bool there = kv_config_load(job, &config) && kv_load(job, &e);
    if (call_answered(job))
        return;
    if (!there) {
        call_bare_status(job, 404);
        return;
    }
    if (!check_patched(job, custom->tree))
        return;
    if (custom->tree != NULL) {
        merge_custom(job, &e, custom->tree);
    } else if (custom->present) {
        replace_custom(&e, NULL);
    }
    set_plain(job, &e);
    if (!job->no_memory)
        store_and_answer(job, &config, &e);
}
