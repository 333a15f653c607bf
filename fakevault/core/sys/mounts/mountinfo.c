#include "fakevault/core/sys/mounts/mountinfo.h"

#include <string.h>

#define TOKEN_TYPE "default-service"

static json_t *options_of(const struct mount *m)
{
    return m->options == NULL ? json_null() : json_incref(m->options);
}

/* Adds what is tuned and which kind of token a method gives; frees the tree when it fails. */
static json_t *with_tuned(json_t *tree, const struct mount *m)
{
    int failed = tree == NULL;
    if (!failed && mount_is_auth(m))
        failed = json_object_set_new(tree, "token_type", json_string(TOKEN_TYPE));
    if (!failed && m->tuned != NULL)
        failed = json_object_update(tree, m->tuned);
    if (!failed)
        return tree;
    json_decref(tree);
    return NULL;
}

static json_t *config_of(const struct mount *m)
{
    json_t *config =
        with_tuned(json_pack("{s:I,s:I,s:b}", "default_lease_ttl", (json_int_t)m->default_ttl_s,
                             "max_lease_ttl", (json_int_t)m->max_ttl_s, "force_no_cache",
                             (int)m->force_no_cache),
                   m);
    if (config != NULL)
        (void)json_object_del(config, "plugin_version"); /* stands outside of the config */
    return config;
}

json_t *mountinfo_full(const struct mount *m)
{
    const char *status = builtin_status_text(m->plugin->status);
    const char *version = json_string_value(json_object_get(m->tuned, "plugin_version"));
    json_t *tree =
        json_pack("{s:s,s:o?,s:s,s:b,s:b,s:o,s:s,s:s,s:s,s:b,s:s,s:s}", "accessor", m->accessor,
                  "config", config_of(m), "description", m->description, "external_entropy_access",
                  (int)m->external_entropy, "local", (int)m->local, "options", options_of(m),
                  "plugin_version", version == NULL ? "" : version, "running_plugin_version",
                  m->plugin->version, "running_sha256", "", "seal_wrap", (int)m->seal_wrap, "type",
                  m->plugin->type, "uuid", m->uuid);
    bool complete = json_is_object(json_object_get(tree, "config"));
    if (complete && status != NULL)
        complete = json_object_set_new(tree, "deprecation_status", json_string(status)) == 0;
    if (complete)
        return tree;
    json_decref(tree);
    return NULL;
}

json_t *mountinfo_brief(const struct mount *m)
{
    return json_pack("{s:s,s:s,s:o}", "type", m->plugin->type, "description", m->description,
                     "options", options_of(m));
}

static json_int_t ttl_or_default(int64_t ttl_s)
{
    return ttl_s == 0 ? MOUNT_TTL_DEFAULT : ttl_s;
}

json_t *mountinfo_tuning(const struct mount *m)
{
    json_t *tree = with_tuned(json_pack("{s:I,s:s,s:b,s:I}", "default_lease_ttl",
                                        ttl_or_default(m->default_ttl_s), "description",
                                        m->description, "force_no_cache", (int)m->force_no_cache,
                                        "max_lease_ttl", ttl_or_default(m->max_ttl_s)),
                              m);
    int failed = tree == NULL;
    if (!failed && m->external_entropy)
        failed = json_object_set_new(tree, "external_entropy_access", json_true());
    if (!failed && json_object_size(m->options) > 0)
        failed = json_object_set(tree, "options", m->options);
    if (!failed)
        return tree;
    json_decref(tree);
    return NULL;
}
