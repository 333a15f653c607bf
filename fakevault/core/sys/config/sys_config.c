#include "fakevault/core/sys/config/sys_config.h"

#include <string.h>

#include "base/count.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

void sys_config_set(struct vault_job *job, const char *topic, json_t *value)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    enum errc code = settings_set(&v->settings, &v->barrier, topic, value, &why);
    call_done(job, code, &why);
}

void sys_config_set_member(struct vault_job *job, const char *topic, const char *name,
                           json_t *value)
{
    json_t *members = mount_tree_copy(settings_get(&job->vault->settings, topic));
    if (value == NULL || members == NULL || json_object_set(members, name, value) != 0) {
        json_decref(members);
        members = NULL;
    }
    json_decref(value);
    sys_config_set(job, topic, members);
}

void sys_config_drop_member(struct vault_job *job, const char *topic, const char *name)
{
    const json_t *now = settings_get(&job->vault->settings, topic);
    if (json_object_get(now, name) == NULL) {
        call_empty(job);
        return;
    }
    json_t *members = mount_tree_copy(now);
    if (members != NULL)
        (void)json_object_del(members, name);
    sys_config_set(job, topic, members);
}

/* The first name behind `last`, bytewise; NULL for none. */
static const char *name_after(const json_t *object, const char *last)
{
    const char *key, *next = NULL;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcmp(key, last) > 0 && (next == NULL || strcmp(key, next) < 0))
            next = key;
    }
    return next;
}

void sys_config_list(struct vault_job *job, const char *topic)
{
    const json_t *all = settings_get(&job->vault->settings, topic);
    if (json_object_size(all) == 0) {
        call_fail_bare(job, 404);
        return;
    }
    json_t *keys = json_array();
    for (const char *name = name_after(all, ""); name != NULL; name = name_after(all, name))
        job->no_memory = job->no_memory || json_array_append_new(keys, json_string(name)) != 0;
    call_answer_tree(job, CALL_DATA, json_pack("{s:o}", "keys", keys));
}

/* --- cors: kept, but no reply has CORS headers ------------------------------------------------ */

#define CORS "cors"

static const char *const cors_headers[] = {
    "Content-Type",
    "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID",
    "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding",
    "X-Vault-Wrap-Format",
    "X-Vault-Wrap-TTL",
    "X-Vault-Policy-Override",
    "Authorization",
    "X-Vault-Token",
};

static const struct field_spec cors_fields[] = {
    {.name = "enable", .type = FIELD_BOOL},
    {.name = "allowed_origins", .type = FIELD_STRINGS},
    {.name = "allowed_headers", .type = FIELD_STRINGS},
    {0},
};

static void cors_read(struct vault_job *job)
{
    const json_t *cors = settings_get(&job->vault->settings, CORS);
    json_t *shown = mount_tree_copy(cors);
    bool enabled = json_object_size(cors) > 0;
    if (shown != NULL && json_object_set_new(shown, "enabled", json_boolean(enabled)) != 0) {
        json_decref(shown);
        shown = NULL;
    }
    call_answer_tree(job, CALL_INJECTED, shown);
}

/* The headers that are always allowed, and those of the request; NULL when out of memory. */
static json_t *headers_with(const json_t *more)
{
    json_t *all = json_array();
    int failed = all == NULL;
    for (size_t i = 0; i < COUNT(cors_headers) && !failed; i++)
        failed = json_array_append_new(all, json_string(cors_headers[i]));
    for (size_t i = 0; i < json_array_size(more) && !failed; i++)
        failed = json_array_append(all, json_array_get(more, i));
    if (!failed)
        return all;
    json_decref(all);
    return NULL;
}

static bool has_wildcard(const json_t *origins)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(origins); i++)
        found =
            found || slice_equal_text(slice_of(json_string_value(json_array_get(origins, i))), "*");
    return found;
}

static void cors_update(struct vault_job *job)
{
    json_t *origins = field_get(&job->fields, "allowed_origins")->tree;
    size_t count = json_array_size(origins);
    if (count == 0)
        call_fault(job, "at least one origin or the wildcard must be provided");
    else if (count > 1 && has_wildcard(origins))
        call_fault(job, "to allow all origins the '*' must be the only value for allowed_origins");
    else
        sys_config_set(job, CORS,
                       json_pack("{s:O,s:o}", "allowed_origins", origins, "allowed_headers",
                                 headers_with(field_get(&job->fields, "allowed_headers")->tree)));
}

static void cors_delete(struct vault_job *job)
{
    sys_config_set(job, CORS, json_object());
}

/* --- reload: there is nothing that could be read anew ----------------------------------------- */

static void reload_finish(struct vault_job *job)
{
    if (slice_equal_text(call_capture(job, "subsystem"), "license"))
        call_empty(job);
    else
        call_wrapped(job, 404, "unsupported path");
}

static const struct route_endpoint rows[] = {
    {.pattern = "config/cors", .operation = ROUTE_READ, .finish = cors_read},
    {.pattern = "config/cors",
     .operation = ROUTE_UPDATE,
     .fields = cors_fields,
     .finish = cors_update},
    {.pattern = "config/cors", .operation = ROUTE_DELETE, .finish = cors_delete},
    {.pattern = "config/reload/+subsystem", .operation = ROUTE_UPDATE, .finish = reload_finish},
};

const struct route_table sys_config_table = ROUTE_TABLE(rows);
