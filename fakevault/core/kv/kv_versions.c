/* Deleting, undeleting and destroying versions by their numbers. What is not there is passed over
 * in silence. */
#include "fakevault/core/kv/kv.h"
#include "fakevault/core/state.h"

const struct field_spec kv_versions_fields[] = {
    {.name = "versions", .type = FIELD_INTS},
    {0},
};

/* Loads the secret of a request that names versions; false when all is said already. */
static bool load_named(struct vault_job *job, const char *sentence, struct kv_entry *e)
{
    if (field_get(&job->fields, "versions")->list_len == 0) {
        call_fail(job, 400, "%s", sentence);
        return false;
    }
    bool there = kv_load(job, e);
    if (!there && !call_answered(job))
        call_empty(job);
    return there;
}

/* The i-th version that the request names, or NULL when it is not there or destroyed. */
static struct kv_entry_version *named(struct vault_job *job, const struct kv_entry *e, size_t i)
{
    int64_t number = field_get(&job->fields, "versions")->list[i];
    struct kv_entry_version *version =
        number < 1 || number > UINT32_MAX ? NULL : kv_entry_version(e, (uint32_t)number);
    return version == NULL || version->destroyed ? NULL : version;
}

static size_t named_count(const struct vault_job *job)
{
    return field_get(&job->fields, "versions")->list_len;
}

void kv_versions_delete_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    if (!load_named(job, "No version number provided", &e))
        return;
    for (size_t i = 0; i < named_count(job); i++) {
        struct kv_entry_version *version = named(job, &e, i);
        if (version != NULL && !kv_entry_gone(version, job->now.wall_ns))
            version->deleted_ns = job->now.wall_ns;
    }
    if (kv_store(job, &e))
        call_empty(job);
}

void kv_versions_undelete_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct kv_config config;
    if (!load_named(job, "No version number provided", &e) || !kv_config_load(job, &config))
        return;
    for (size_t i = 0; i < named_count(job); i++) {
        struct kv_entry_version *version = named(job, &e, i);
        if (version != NULL)
            version->deleted_ns = kv_deletion_ns(job, &config, &e);
    }
    if (kv_store(job, &e))
        call_empty(job);
}

void kv_versions_destroy_finish(struct vault_job *job)
{
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct errc_why why = {{0}};
    if (!load_named(job, "no version number provided", &e))
        return;
    for (size_t i = 0; i < named_count(job); i++) {
        struct kv_entry_version *version = named(job, &e, i);
        if (version != NULL)
            version->destroyed = true;
    }
    if (!kv_store(job, &e))
        return;
    enum errc code =
        kv_entry_erase_destroyed(&e, &job->vault->barrier, job->mount_uuid, kv_path(job), &why);
    call_done(job, code, &why);
}
