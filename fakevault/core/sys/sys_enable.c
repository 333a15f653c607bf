#include <string.h>

#include "fakevault/core/state.h"
#include "fakevault/core/sys/sys_mounts.h"

const struct field_spec sys_enable_fields[] = {
    {.name = "type", .type = FIELD_STRING},
    {.name = "description", .type = FIELD_STRING},
    {.name = "config", .type = FIELD_MAP},
    {.name = "local", .type = FIELD_BOOL},
    {.name = "seal_wrap", .type = FIELD_BOOL},
    {.name = "external_entropy_access", .type = FIELD_BOOL},
    {.name = "options", .type = FIELD_ANY},
    {.name = "plugin_name", .type = FIELD_STRING},
    {.name = "plugin_version", .type = FIELD_STRING},
    {0},
};

/* Paths that are Vault's own. */
static const char *const protected[] = {"auth/", "sys/", "cubbyhole/", "identity/", "audit/"};

bool sys_enable_ttl(struct vault_job *job, const char *which, const json_t *value, int64_t *out)
{
    struct errc_why why = {{0}};
    if (value == NULL || json_is_null(value))
        return true;
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    struct slice text = slice_bytes(json_string_value(value), json_string_length(value));
    if (slice_equal_text(text, "system")) {
        *out = 0;
        return true;
    }
    if (json_is_string(value) && field_parse_seconds(text, out, &why) == ERRC_OK)
        return true;
    call_fail(job, 400, "unable to parse %s TTL of %.*s: %s", which, SLICE_FMT(text), why.text);
    return false;
}

/* Finds the engine that `type` and `options` name; answers when there is none. */
static bool read_engine(struct vault_job *job, struct mount *m)
{
    struct slice type = field_text(&job->fields, "type");
    const json_t *options = field_get(&job->fields, "options")->tree;
    const char *version = json_string_value(json_object_get(options, "version"));
    bool alias = slice_equal_text(type, "kv-v2");
    if (type.len == 0) {
        call_fail(job, 400, "backend type must be specified as a string");
        return false;
    }
    m->engine = alias ? MOUNT_KV : mount_engine_named(type);
    if (m->engine == MOUNT_SYSTEM) {
        call_fail(job, 400, "mount type of \"system\" is not mountable");
    } else if (m->engine == MOUNT_ENGINE_COUNT || !mount_traits(m->engine)->mountable) {
        call_fail(job, 400, "plugin not found in the catalog: %.*s", SLICE_FMT(type));
    } else if (m->engine != MOUNT_KV && version != NULL) {
        call_fail(job, 400, "secrets engine \"%.*s\" does not allow setting a version",
                  SLICE_FMT(type));
    } else {
        m->kv_version_2 = alias || (version != NULL && strcmp(version, "2") == 0);
        return true;
    }
    return false;
}

static bool read_config(struct vault_job *job, struct mount *m)
{
    const json_t *config = field_get(&job->fields, "config")->tree;
    if (!sys_enable_ttl(job, "default", json_object_get(config, "default_lease_ttl"),
                        &m->default_ttl_s) ||
        !sys_enable_ttl(job, "max", json_object_get(config, "max_lease_ttl"), &m->max_ttl_s))
        return false;
    m->force_no_cache = json_is_true(json_object_get(config, "force_no_cache"));
    if (m->max_ttl_s > 0 && m->default_ttl_s > m->max_ttl_s) {
        call_fail(job, 400, "given default lease TTL greater than given max lease TTL");
        return false;
    }
    return true;
}

static bool path_is_free(struct vault_job *job, const struct mount *m)
{
    for (size_t i = 0; i < sizeof protected / sizeof protected[0]; i++)
        if (strncmp(m->path, protected[i], strlen(protected[i])) == 0) {
            call_fail(job, 400, "cannot mount \"%s\"", m->path);
            return false;
        }
    const struct mount *other = mount_conflict(&job->vault->mounts, slice_of(m->path));
    if (other == NULL)
        return true;
    if (strlen(other->path) <= strlen(m->path))
        call_fail(job, 400, "path is already in use at %s", other->path);
    else
        call_fail(job, 400, "existing mount at %s", other->path);
    return false;
}

static bool read_mount(struct vault_job *job, struct mount *m)
{
    memset(m, 0, sizeof *m);
    struct slice description = field_text(&job->fields, "description");
    if (!sys_mounts_path(job, m->path)) {
        call_fail(job, 400, "the path of a mount is limited to %u bytes", MOUNT_PATH_BYTES - 2);
        return false;
    }
    if (description.len >= sizeof m->description) {
        call_fail(job, 400, "the description of a mount is limited to %u bytes",
                  MOUNT_DESCRIPTION_BYTES - 1);
        return false;
    }
    if (description.len > 0)
        memcpy(m->description, description.ptr, description.len);
    m->local = field_flag(&job->fields, "local");
    m->seal_wrap = field_flag(&job->fields, "seal_wrap");
    m->external_entropy = field_flag(&job->fields, "external_entropy_access");
    return read_config(job, m) && read_engine(job, m);
}

void sys_enable_prepare(struct vault_job *job)
{
    struct mount m;
    if (read_mount(job, &m))
        (void)path_is_free(job, &m);
}

void sys_enable_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct mount m;
    struct errc_why why = {{0}};
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    if (!read_mount(job, &m) || !path_is_free(job, &m))
        return;
    mount_identify(&m, &v->ports.entropy);
    enum errc code = mount_table_copy(&v->mounts, &changed);
    if (code == ERRC_OK)
        code = mount_table_add(&changed, &m);
    if (code == ERRC_TOO_BIG)
        (void)errc_fail(&why, code, "there are %u mounts already", MOUNT_MAX);
    if (code == ERRC_OK)
        code = sys_mounts_commit(v, &changed, &why);
    if (code == ERRC_OK)
        call_empty(job);
    else
        call_trouble(job, code, &why);
}
