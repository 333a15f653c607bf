#include "fakevault/core/api.h"

#include "base/count.h"
#include "fakevault/core/kv/kv.h"
#include "fakevault/core/state.h"

#define TABLES_MAX 24u

/* Each row ends with NULL. */
static const struct route_table *const tables[MOUNT_ENGINE_COUNT][TABLES_MAX] = {
    [MOUNT_SYSTEM] =
        {
            &sys_mounts_table,         &policy_api_table,
            &capability_api_table,     &help_table,
            &sys_uimounts_table,       &sys_barrier_table,
            &sys_audit_table,          &sys_config_table,
            &sys_headers_table,        &sys_plugins_table,
            &sys_quotas_table,         &sys_status_table,
            &sys_leases_table,         &sys_enterprise_table,
            &sys_metrics_table,        &sys_rekey_backup_table,
            &sys_genroot_decode_table, &tools_sys_table,
            &wrapping_table,           &token_counter_table,
        },
    [MOUNT_CUBBYHOLE] = {&cubbyhole_table},
    [MOUNT_TOKEN] = {&token_api_table, &token_role_table},
    [MOUNT_TRANSIT] = {&ops_table, &transit_key_table, &tools_transit_table},
    [MOUNT_KV] = {&kv_table},
};

static const struct route_table *const kv_plain[TABLES_MAX] = {&kv_plain_table};

/* The last one only when sys/metrics asks for no token. */
static const struct route_table *const hard_wired[] = {
    &sys_seal_table, &sys_rekey_table, &sys_genroot_table, &sys_metrics_open_table, NULL};

const struct route_table *const *api_hard_wired(void)
{
    return hard_wired;
}

bool api_find_hard_wired(struct vault_job *job)
{
    struct slice path = buf_slice(&job->path);
    size_t count = COUNT(hard_wired) - 1;
    bool known = false;
    count -= !job->vault->options.open_metrics;
    if (!slice_starts_with(path, "sys/"))
        return false;
    for (size_t i = 0; i < count && !known; i++) {
        (void)route_find(hard_wired[i], path, job->operation, &job->match);
        known = job->match.path_known;
    }
    return known;
}

const struct route_table *const *api_tables(enum mount_engine engine, bool kv_version_2)
{
    return engine == MOUNT_KV && !kv_version_2 ? kv_plain : tables[engine];
}

void api_find(struct vault_job *job)
{
    bool path_known = false;
    const struct route_table *const *list = api_tables(job->engine, job->kv_version_2);
    job->match = (struct route_match){0};
    for (size_t i = 0; list[i] != NULL; i++) {
        if (route_find(list[i], job->below, job->operation, &job->match))
            return;
        path_known = path_known || job->match.path_known;
    }
    job->match.path_known = path_known;
}

/* A kv takes any path; of what is no operation of it, it says so. */
void api_unknown_path(struct vault_job *job)
{
    if (job->engine != MOUNT_KV)
        call_wrapped(job, 404, "unsupported path");
    else if (job->operation < ROUTE_HEADER)
        kv_unknown_path(job);
    else
        call_wrapped(job, 405, "unsupported operation");
}
