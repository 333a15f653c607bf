#include "base/text/base64.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/keyring/keyring_json.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/transit.h"

const struct field_spec transit_key_restore_fields[] = {
    {.name = "backup", .type = FIELD_STRING},
    {.name = "force", .type = FIELD_BOOL},
    {0},
};

/* --- backup ----------------------------------------------------------------------------------- */

/* That a backup was taken is part of the key, and of the backup. */
static enum errc take_backup(struct vault_job *job, struct keyring *k, struct buf *json,
                             struct errc_why *why)
{
    struct keyring_event before = k->backup;
    k->backup = (struct keyring_event){job->now.wall_ns, k->latest_version};
    enum errc code = keyring_json_format(k, json);
    if (code == ERRC_OK)
        code = keyring_store(k, &job->vault->barrier, why);
    if (code != ERRC_OK)
        k->backup = before;
    return code;
}

static void answer_backup(struct vault_job *job, struct keyring *k)
{
    struct buf json CLEANUP(buf_done), text CLEANUP(buf_done);
    struct errc_why why = {{0}};
    buf_init(&json, LIMIT_REPLY_BODY_BYTES / 4);
    buf_init(&text, LIMIT_REPLY_BODY_BYTES / 2);
    enum errc code = take_backup(job, k, &json, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    base64_format(buf_slice(&json), BASE64_STANDARD, &text);
    job->no_memory = job->no_memory || text.failed;
    jsonwrite_slice(call_data(job), "backup", buf_slice(&text));
    call_answer(job, CALL_DATA);
}

void transit_key_backup_finish(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    if (call_answered(job))
        return;
    if (k == NULL)
        call_fault(job, "key \"%.*s\" not found", SLICE_FMT(call_capture(job, "name")));
    else if (!k->exportable)
        call_fault(job, "exporting is disallowed on the policy");
    else if (!k->allow_plaintext_backup)
        call_fault(job, "plaintext backup is disallowed on the policy");
    else
        answer_backup(job, k);
}

/* --- restore ---------------------------------------------------------------------------------- */

static enum errc parse(struct vault_job *job, struct slice name, struct keyring **out,
                       struct errc_why *why)
{
    struct buf json CLEANUP(buf_done);
    size_t bad_at = 0;
    buf_init(&json, LIMIT_REQUEST_BODY_BYTES);
    enum errc code =
        base64_parse(field_text(&job->fields, "backup"), BASE64_STANDARD, &json, &bad_at);
    if (code == ERRC_SYNTAX)
        return errc_fail(why, code, "illegal base64 data at input byte %zu", bad_at);
    const struct vault_ports *ports = &job->vault->ports;
    if (code == ERRC_OK)
        code = keyring_json_parse(buf_slice(&json), job->mount_uuid, name, ports->crypto,
                                  ports->arena, out, why);
    return code;
}

/* Stores the keyring and puts it in the place of one that has its name; takes it over. */
static enum errc put_in_place(struct vault_job *job, struct keyring *k, struct keyring *old,
                              struct errc_why *why)
{
    struct keyring_cache *cache = &job->vault->keyrings;
    k->restore = (struct keyring_event){job->now.wall_ns, k->latest_version};
    if (keyring_cache_add(cache, k) != ERRC_OK) {
        keyring_free(k);
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    }
    enum errc code = keyring_store(k, &job->vault->barrier, why);
    struct keyring *gone = code == ERRC_OK ? old : k;
    if (gone != NULL)
        keyring_cache_remove(cache, gone);
    return code;
}

void transit_key_restore_finish(struct vault_job *job)
{
    struct slice name = call_capture(job, "name");
    struct errc_why why = {{0}};
    struct keyring *k = NULL;
    if (field_text(&job->fields, "backup").len == 0) {
        call_fail(job, 400, "'backup' must be supplied");
        return;
    }
    if (slice_find(name, '/') < name.len) {
        call_fault(job, "key names cannot be paths");
        return;
    }
    enum errc code = parse(job, name, &k, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    struct keyring *old = transit_named(job, slice_of(k->name));
    if (old != NULL && !field_flag(&job->fields, "force"))
        call_fault(job, "key \"%s\" already exists", k->name);
    if (call_answered(job)) {
        keyring_free(k);
        return;
    }
    code = put_in_place(job, k, old, &why);
    call_done(job, code, &why);
}
