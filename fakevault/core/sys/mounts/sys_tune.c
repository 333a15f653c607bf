#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakevault/core/kv/kv_upgrade.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/mounts/mountconf.h"
#include "fakevault/core/sys/mounts/mountinfo.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

const struct field_spec sys_tune_fields[] = {
    {.name = "default_lease_ttl", .type = FIELD_STRING},
    {.name = "max_lease_ttl", .type = FIELD_STRING},
    {.name = "description", .type = FIELD_STRING},
    {.name = "audit_non_hmac_request_keys", .type = FIELD_STRINGS},
    {.name = "audit_non_hmac_response_keys", .type = FIELD_STRINGS},
    {.name = "passthrough_request_headers", .type = FIELD_STRINGS},
    {.name = "allowed_response_headers", .type = FIELD_STRINGS},
    {.name = "allowed_managed_keys", .type = FIELD_STRINGS},
    {.name = "listing_visibility", .type = FIELD_STRING},
    {.name = "options", .type = FIELD_PAIRS},
    {.name = "token_type", .type = FIELD_STRING},
    {.name = "plugin_version", .type = FIELD_STRING},
    {.name = "user_lockout_config", .type = FIELD_MAP},
    {0},
};

/* The mount that the path lies in: tuning "transit/below" tunes "transit/", as in Vault. */
static struct mount *tuned_mount(struct vault_job *job, const struct mount_table *t,
                                 char path[static MOUNT_PATH_BYTES])
{
    return sys_mounts_requested(job, path) ? mount_find(t, slice_of(path)) : NULL;
}

void sys_tune_read(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    const struct mount *m = tuned_mount(job, &job->vault->mounts, path);
    if (m != NULL)
        call_answer_tree(job, CALL_INJECTED, mountinfo_tuning(m));
    else if (!call_answered(job))
        call_fail(job, 400, "cannot fetch sysview for path \"%s\"", path);
}

static bool tune_ttls(struct vault_job *job, struct mount *m)
{
    struct errc_why why = {{0}};
    int64_t def = m->default_ttl_s, max = m->max_ttl_s;
    if (mountconf_ttl(field_text(&job->fields, "default_lease_ttl"), &def, &why) != ERRC_OK ||
        mountconf_ttl(field_text(&job->fields, "max_lease_ttl"), &max, &why) != ERRC_OK)
        call_fail(job, 400, "%s", why.text);
    else if (def != 0 && max != 0 && max < def && (def != m->default_ttl_s || max != m->max_ttl_s))
        call_fail(job, 400,
                  "backend max lease TTL of %" PRId64
                  " would be less than backend default lease TTL of %" PRId64,
                  max, def);
    m->default_ttl_s = def;
    m->max_ttl_s = max;
    return !call_answered(job);
}

static bool tune_lockout(struct vault_job *job, const struct mount *m)
{
    const json_t *lockout = field_get(&job->fields, "user_lockout_config")->tree;
    if (json_object_size(lockout) == 0)
        return true;
    call_fail(job, 400, "tuning of user lockout configuration for auth type \"%s\" not allowed",
              m->plugin->type);
    return false;
}

static bool tune_version(struct vault_job *job, struct mount *m)
{
    const struct field_value *version = field_get(&job->fields, "plugin_version");
    if (!version->present)
        return true;
    return mountconf_version(job, version->text, slice_of(m->plugin->type)) &&
           sys_mounts_done(job, mount_tune(m, "plugin_version", json_string(m->plugin->version)));
}

static bool tune_lists(struct vault_job *job, struct mount *m)
{
    for (size_t i = 0; mountconf_lists[i] != NULL; i++) {
        const struct field_value *list = field_get(&job->fields, mountconf_lists[i]);
        if (list->present && !mountconf_list(job, m, mountconf_lists[i], list))
            return false;
    }
    return true;
}

static bool tune_token_type(struct vault_job *job, struct mount *m)
{
    const struct field_value *type = field_get(&job->fields, "token_type");
    if (!type->present)
        return true;
    if (!mount_is_auth(m))
        call_fail(job, 400, "'token_type' can only be modified on auth mounts");
    else if (m->engine == MOUNT_TOKEN)
        call_fail(job, 400, "'token_type' cannot be set for 'token' or 'ns_token' auth mounts");
    return !call_answered(job) && mountconf_token_type(job, m, type->text);
}

static long version_of(const struct mount *m)
{
    const char *version = json_string_value(json_object_get(m->options, "version"));
    return version == NULL ? 0 : strtol(version, NULL, 10);
}

/* The version of a mount goes up only; an engine without versions is at 0 and takes one, too. */
static bool check_upgrade(struct vault_job *job, const struct mount *m, const char *version)
{
    char *end;
    long old = version_of(m), new = strtol(version, &end, 10);
    if (*end != '\0' || (version[0] != '\0' && end == version))
        call_fail(job, 400,
                  "unable to parse options: strconv.ParseInt: parsing \"%s\": invalid syntax",
                  version);
    else if (new != 1 && new != 2)
        call_fail(job, 400, "invalid version provided: %ld", new);
    else if (old > new)
        call_fail(job, 400, "cannot downgrade mount from version %ld", old);
    else if (old < new)
        call_warn(job,
                  "Upgrading mount from version %ld to version %ld. This mount will be unavailable "
                  "for a brief period and will resume service shortly.",
                  old, new);
    return !call_answered(job);
}

/* An option without a value is taken away, but for the version. */
static bool tune_options(struct vault_job *job, struct mount *m)
{
    json_t *sent = field_get(&job->fields, "options")->tree, *value;
    const char *key, *version = json_string_value(json_object_get(sent, "version"));
    if (json_object_size(sent) == 0)
        return true;
    if (version != NULL && !check_upgrade(job, m, version))
        return false;
    json_t *merged = mount_tree_copy(m->options);
    int failed = merged == NULL;
    json_object_foreach(sent, key, value)
    {
        if (json_string_length(value) == 0 && strcmp(key, "version") != 0)
            (void)json_object_del(merged, key);
        else
            failed = failed || json_object_set(merged, key, value);
    }
    if (failed) {
        json_decref(merged);
        merged = NULL;
    }
    return sys_mounts_done(job, mount_set_options(m, merged));
}

static bool tune(struct vault_job *job, struct mount *m)
{
    const struct field_value *description = field_get(&job->fields, "description");
    const struct field_value *visibility = field_get(&job->fields, "listing_visibility");
    return tune_ttls(job, m) && tune_lockout(job, m) &&
           (!description->present || mountconf_description(job, m, description->text)) &&
           tune_version(job, m) && tune_lists(job, m) &&
           (!visibility->present || mountconf_visibility(job, m, visibility->text)) &&
           tune_token_type(job, m) && tune_options(job, m);
}

/* The secrets of a kv mount become first versions, at once: there is no brief period here. */
static void upgrade_secrets(struct vault_job *job, const char *mount_uuid)
{
    struct errc_why why = {{0}};
    enum errc code = kv_upgrade_mount(&job->vault->barrier, mount_uuid, job->now.wall_ns, &why);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
}

/* Answers when the mount cannot be tuned. */
static bool may_tune(struct vault_job *job, const struct mount *m, const char *path)
{
    if (sys_mounts_protected(path, false) && !slice_starts_with(slice_of(path), MOUNT_AUTH))
        call_fail(job, 400, "cannot tune \"%s\"", path);
    else if (m == NULL)
        call_fail(job, 400, "tune of path \"%s\" failed: no mount entry found", path);
    else
        return true;
    return false;
}

void sys_tune_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES] = "";
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    if (!sys_mounts_done(job, mount_table_copy(&job->vault->mounts, &changed)))
        return;
    struct mount *m = tuned_mount(job, &changed, path);
    if (call_answered(job) || !may_tune(job, m, path))
        return;
    long version = version_of(m);
    bool had_versions = m->kv_version_2;
    if (!tune(job, m))
        return;
    bool upgraded = version_of(m) != version, gets_versions = m->kv_version_2 && !had_versions;
    char uuid[ENTROPY_UUID_BYTES];
    memcpy(uuid, m->uuid, sizeof uuid);
    sys_mounts_commit(job, &changed);
    if (job->executed && upgraded)
        call_answer_none(job, 200);
    if (job->executed && gets_versions)
        upgrade_secrets(job, uuid);
}
