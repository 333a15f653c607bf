#include <string.h>

#include "fakevault/core/sys/mounts/mountconf.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

const struct field_spec sys_enable_fields[] = {
    {.name = "type", .type = FIELD_STRING},
    {.name = "description", .type = FIELD_STRING},
    {.name = "config", .type = FIELD_MAP},
    {.name = "local", .type = FIELD_BOOL},
    {.name = "seal_wrap", .type = FIELD_BOOL},
    {.name = "external_entropy_access", .type = FIELD_BOOL},
    {.name = "options", .type = FIELD_PAIRS},
    {.name = "plugin_name", .type = FIELD_STRING},
    {.name = "plugin_version", .type = FIELD_STRING}, /* Vault ignores it, too */
    {0},
};

/* What a request names besides the path. */
struct wanted {
    struct slice type;
    const char *version; /* of the options, or NULL */
    json_t *options;     /* owned */
};

static void wanted_done(struct wanted *w)
{
    json_decref(w->options);
}

static const json_t *config_of(const struct vault_job *job)
{
    return field_get(&job->fields, "config")->tree;
}

static struct slice text_of(const json_t *value)
{
    return slice_bytes(json_string_value(value), json_string_length(value));
}

/* "plugin" is a type for which the name is told elsewhere. */
static bool read_type(struct vault_job *job, struct wanted *w)
{
    w->type = field_text(&job->fields, "type");
    if (w->type.len == 0) {
        call_fail(job, 400, "backend type must be specified as a string");
        return false;
    }
    if (!slice_equal_text(w->type, "plugin"))
        return true;
    const json_t *name = json_object_get(config_of(job), "plugin_name");
    w->type =
        json_string_length(name) > 0 ? text_of(name) : field_text(&job->fields, "plugin_name");
    if (w->type.len == 0)
        call_fail(job, 400, "plugin_name must be provided for plugin backend");
    return w->type.len > 0;
}

/* kv-v1 and kv-v2 are kv with an option. */
static bool read_options(struct vault_job *job, struct wanted *w)
{
    static const char *const aliases[] = {"kv-v1", "kv-v2"};
    const json_t *sent = field_get(&job->fields, "options")->tree;
    w->options = mount_tree_copy(sent);
    for (size_t i = 0; i < 2 && w->options != NULL && !sys_mounts_for_auth(job); i++) {
        if (!slice_equal_text(w->type, aliases[i]))
            continue;
        w->type = SLICE_LITERAL("kv");
        if (json_object_set_new(w->options, "version", json_string(i == 0 ? "1" : "2")) != 0)
            job->no_memory = true;
    }
    job->no_memory = job->no_memory || w->options == NULL;
    w->version = json_string_value(json_object_get(w->options, "version"));
    return !job->no_memory;
}

static bool check_version(struct vault_job *job, const struct wanted *w)
{
    bool auth = sys_mounts_for_auth(job);
    struct slice plugin = text_of(json_object_get(config_of(job), "plugin_version"));
    bool versioned = w->version != NULL && w->version[0] != '\0';
    bool kv = !auth && slice_equal_text(w->type, "kv");
    if (versioned && !auth && !kv)
        call_fail(job, 400, "secrets engine \"%.*s\" does not allow setting a version",
                  SLICE_FMT(w->type));
    else if (plugin.len > 0 && !mountconf_version(job, plugin, w->type))
        return false;
    else if (versioned && auth)
        call_fail(job, 400, "auth method \"%.*s\" does not allow setting a version",
                  SLICE_FMT(w->type));
    return !call_answered(job);
}

static bool path_is_free(struct vault_job *job, const struct wanted *w, const struct mount *m)
{
    bool auth = sys_mounts_for_auth(job);
    const struct builtin *plugin = builtin_named(w->type, false);
    plugin = plugin == NULL ? builtin_named(w->type, true) : plugin; /* not even as an engine */
    bool single = plugin != NULL && plugin->single;
    if (!auth && sys_mounts_protected(m->path, false)) {
        call_fail(job, 400, "cannot mount \"%s\"", m->path);
        return false;
    }
    if (!auth && single) {
        call_fail(job, 400, "mount type of \"%.*s\" is not mountable", SLICE_FMT(w->type));
        return false;
    }
    const struct mount *other = sys_mounts_in_the_way(job->vault, m->path);
    if (other != NULL)
        call_fail(job, 400, "path is already in use at %s", mount_api_path(other));
    return other == NULL;
}

static bool plugin_is_there(struct vault_job *job, const struct wanted *w, struct mount *m)
{
    bool auth = sys_mounts_for_auth(job);
    bool kv_version_known = w->version == NULL || strcmp(w->version, "") == 0 ||
                            strcmp(w->version, "1") == 0 || strcmp(w->version, "2") == 0;
    m->plugin = builtin_named(w->type, auth);
    m->engine = m->plugin == NULL ? MOUNT_EMPTY : m->plugin->engine;
    if (auth && m->engine == MOUNT_TOKEN)
        call_fail(job, 400, "token credential backend cannot be instantiated");
    else if (m->plugin == NULL || m->plugin->single)
        call_fail(job, 400, "plugin not found in the catalog: %.*s", SLICE_FMT(w->type));
    else if (m->plugin->status == BUILTIN_REMOVED)
        call_fail(job, 400, "could not mount \"%.*s\": mount entry associated with removed builtin",
                  SLICE_FMT(w->type));
    else if (m->engine == MOUNT_KV && !kv_version_known)
        call_fail(job, 400, "nil backend of type \"kv\" returned from factory");
    return !call_answered(job);
}

static bool read_mount(struct vault_job *job, struct mount *m)
{
    struct wanted w CLEANUP(wanted_done) = {0};
    const json_t *visibility = json_object_get(config_of(job), "listing_visibility");
    m->local = field_flag(&job->fields, "local");
    m->seal_wrap = field_flag(&job->fields, "seal_wrap");
    m->external_entropy = field_flag(&job->fields, "external_entropy_access");
    return sys_mounts_requested(job, m->path) &&
           mountconf_description(job, m, field_text(&job->fields, "description")) &&
           mountconf_read(job, config_of(job), m) && read_type(job, &w) && read_options(job, &w) &&
           check_version(job, &w) && mountconf_visibility(job, m, text_of(visibility)) &&
           path_is_free(job, &w, m) && plugin_is_there(job, &w, m) &&
           sys_mounts_done(job, mount_set_options(m, json_incref(w.options)));
}

void sys_enable_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct mount m CLEANUP(mount_done) = {0};
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    if (!read_mount(job, &m))
        return;
    mount_identify(&m, &v->ports.entropy);
    enum errc code = mount_table_copy(&v->mounts, &changed);
    if (code == ERRC_OK)
        code = mount_table_add(&changed, &m);
    if (code == ERRC_TOO_BIG)
        call_fail(job, 400, "there are %u mounts already", MOUNT_MAX);
    else if (sys_mounts_done(job, code))
        sys_mounts_commit(job, &changed);
    if (job->executed && m.plugin->status == BUILTIN_DEPRECATED) {
        call_warn(job, "mount entry associated with deprecated builtin");
        call_answer_none(job, 200);
    }
}
