/* sys_quotas: sys/quotas/config and quotas/rate-limit (vault-api.md 1.7). Rules are kept and told;
 * no request is ever held back by one: to see a 429, set a fault rule. */
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/config/sys_config.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

#define CONFIG "quota_config"
#define RULES "rate_limits"
#define NAME_BYTES 256u

static const char *const exempt[] = {
    "sys/generate-recovery-token/attempt",
    "sys/generate-recovery-token/update",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
};

static const struct field_spec config_fields[] = {
    {.name = "rate_limit_exempt_paths", .type = FIELD_SLICE},
    {.name = "enable_rate_limit_audit_logging", .type = FIELD_BOOL},
    {.name = "enable_rate_limit_response_headers", .type = FIELD_BOOL},
    {0},
};

/* A copy of the configuration, for the caller to own and change; NULL when out of memory. */
static json_t *config_copy(const struct vault_job *job)
{
    const json_t *stored = settings_get(&job->vault->settings, CONFIG);
    if (stored != NULL)
        return mount_tree_copy(stored);
    json_t *paths = json_array();
    int failed = paths == NULL;
    for (size_t i = 0; i < COUNT(exempt) && !failed; i++)
        failed = json_array_append_new(paths, json_string(exempt[i]));
    if (failed) {
        json_decref(paths);
        return NULL;
    }
    return json_pack("{s:b,s:b,s:o}", "enable_rate_limit_audit_logging", 0,
                     "enable_rate_limit_response_headers", 0, "rate_limit_exempt_paths", paths);
}

static void config_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA, config_copy(job));
}

static void config_update(struct vault_job *job)
{
    json_t *changed = config_copy(job);
    int failed = changed == NULL;
    for (const struct field_spec *f = config_fields; f->name != NULL && !failed; f++) {
        const struct field_value *value = field_get(&job->fields, f->name);
        if (value->present && f->type == FIELD_BOOL)
            failed = json_object_set_new(changed, f->name, json_boolean(value->number));
        else if (value->present && value->tree != NULL)
            failed = json_object_set(changed, f->name, value->tree);
    }
    if (failed) {
        json_decref(changed);
        changed = NULL;
    }
    sys_config_set(job, CONFIG, changed);
}

/* --- rate-limit ------------------------------------------------------------------------------- */

static const struct field_spec rule_fields[] = {
    {.name = "type", .type = FIELD_STRING},
    {.name = "path", .type = FIELD_STRING},
    {.name = "role", .type = FIELD_STRING},
    {.name = "rate", .type = FIELD_ANY}, /* a float */
    {.name = "interval", .type = FIELD_SECONDS},
    {.name = "block_interval", .type = FIELD_SECONDS},
    {0},
};

/* Reads the rate; answers and returns false when it is no positive number. */
static bool read_rate(struct vault_job *job, double *out)
{
    const json_t *value = field_get(&job->fields, "rate")->tree;
    char room[GOJSON_NUMBER_BYTES], *end;
    struct slice text = {0};
    bool known =
        value != NULL && (gojson_number(value, room, &text) || gojson_string(value, &text));
    char copy[64] = "";
    if (known && text.len < sizeof copy)
        memcpy(copy, text.ptr, text.len);
    *out = strtod(copy, &end);
    if (*end != '\0' || text.len >= sizeof copy)
        call_fail(job, 400,
                  "Field validation failed: error converting input %.*s for field \"rate\": cannot "
                  "parse '' as float: strconv.ParseFloat: parsing \"%.*s\": invalid syntax",
                  SLICE_FMT(text), SLICE_FMT(text));
    else if (!(*out > 0))
        call_fail(job, 400, "'rate' is invalid");
    return !call_answered(job);
}

/* The path as a rule has it: the mount's, and what stands behind it without '/' at its end. Answers
 * and returns false when there is no such mount. */
static bool read_path(struct vault_job *job, char out[static MOUNT_PATH_BYTES])
{
    struct slice text = field_text(&job->fields, "path");
    struct slice role = field_text(&job->fields, "role");
    const struct mount *m = NULL;
    out[0] = '\0';
    if (text.len > 0) {
        bool fits = sys_mounts_path("", text, out);
        m = fits ? mount_find(&job->vault->mounts, slice_of(out)) : NULL;
        if (m == NULL)
            call_fail(job, 400, "invalid mount path \"%s\"", out);
        else if (strcmp(m->path, out) != 0)
            out[strlen(out) - 1] = '\0';
    }
    if (!call_answered(job) && role.len > 0)
        call_fail(job, 400,
                  "Mount path \"%s\" is not a valid auth method and therefore unsuitable for use "
                  "with role-based quotas",
                  out);
    return !call_answered(job);
}

/* Vault does not let two rules be for the same path. */
static bool path_is_free(struct vault_job *job, const char *path, const char *name)
{
    const char *other;
    json_t *rule, *all = (json_t *)(uintptr_t)settings_get(&job->vault->settings, RULES);
    json_object_foreach(all, other, rule)
    {
        const char *taken = json_string_value(json_object_get(rule, "path"));
        if (strcmp(other, name) != 0 && taken != NULL && strcmp(taken, path) == 0)
            call_fail(job, 400, "quota rule with similar properties exists under the name \"%s\"",
                      other);
    }
    return !call_answered(job);
}

/* False, with an answer, when the name is too long. */
static bool rule_name(struct vault_job *job, char out[static NAME_BYTES])
{
    struct slice name = call_capture(job, "name");
    if (name.len >= NAME_BYTES) {
        call_fail(job, 400, "the name of a quota is limited to %u bytes", NAME_BYTES - 1);
        return false;
    }
    memcpy(out, name.ptr, name.len);
    out[name.len] = '\0';
    return true;
}

static void rule_update(struct vault_job *job)
{
    char name[NAME_BYTES], path[MOUNT_PATH_BYTES];
    double rate;
    if (!rule_name(job, name) || !read_rate(job, &rate) || !read_path(job, path) ||
        !path_is_free(job, path, name))
        return;
    int64_t interval_s = field_number(&job->fields, "interval");
    json_t *rule = json_pack("{s:s,s:s,s:s,s:s,s:f,s:I,s:I}", "type", "rate-limit", "name", name,
                             "path", path, "role", "", "rate", rate, "interval",
                             (json_int_t)(interval_s == 0 ? 1 : interval_s), "block_interval",
                             (json_int_t)field_number(&job->fields, "block_interval"));
    sys_config_set_member(job, RULES, name, rule);
}

static void rule_read(struct vault_job *job)
{
    char name[NAME_BYTES];
    if (!rule_name(job, name))
        return;
    json_t *rule = json_object_get(settings_get(&job->vault->settings, RULES), name);
    if (rule == NULL)
        call_fail_bare(job, 404);
    else
        call_answer_tree(job, CALL_DATA, json_incref(rule));
}

static void rule_delete(struct vault_job *job)
{
    char name[NAME_BYTES];
    if (rule_name(job, name))
        sys_config_drop_member(job, RULES, name);
}

static void rule_list(struct vault_job *job)
{
    sys_config_list(job, RULES);
}

static const struct route_endpoint rows[] = {
    {.pattern = "quotas/config", .operation = ROUTE_READ, .finish = config_read},
    {.pattern = "quotas/config",
     .operation = ROUTE_UPDATE,
     .fields = config_fields,
     .finish = config_update},
    {.pattern = "quotas/rate-limit/?", .operation = ROUTE_LIST, .finish = rule_list},
    {.pattern = "quotas/rate-limit/:name",
     .operation = ROUTE_UPDATE,
     .fields = rule_fields,
     .finish = rule_update},
    {.pattern = "quotas/rate-limit/:name", .operation = ROUTE_READ, .finish = rule_read},
    {.pattern = "quotas/rate-limit/:name", .operation = ROUTE_DELETE, .finish = rule_delete},
};

const struct route_table sys_quotas_table = ROUTE_TABLE(rows);
