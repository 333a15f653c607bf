#include "fakevault/core/api.h"

#define TABLES_MAX 16u

/* Each row ends with NULL. */
static const struct route_table *const tables[MOUNT_ENGINE_COUNT][TABLES_MAX] = {
    [MOUNT_SYSTEM] = {&sys_mounts_table, &sys_barrier_table, &tools_sys_table},
    [MOUNT_TOKEN] = {&token_api_table},
    [MOUNT_TRANSIT] = {&transit_table, &tools_transit_table},
    [MOUNT_KV] = {&kv_table},
};

void api_find(struct vault_job *job)
{
    bool path_known = false;
    job->match = (struct route_match){0};
    for (size_t i = 0; i < TABLES_MAX && tables[job->engine][i] != NULL; i++) {
        if (route_find(tables[job->engine][i], job->below, job->operation, &job->match))
            return;
        path_known = path_known || job->match.path_known;
    }
    job->match.path_known = path_known;
}

void api_unknown_path(struct vault_job *job)
{
    if (job->engine == MOUNT_KV && job->operation == ROUTE_READ) {
        call_warn(job, "Invalid path for a versioned K/V secrets engine. See the API docs for the "
                       "appropriate API endpoints to use. If using the Vault CLI, use 'vault kv "
                       "get' for this operation.");
        call_answer_none(job, 404);
        return;
    }
    call_wrapped(job, 404, "unsupported path");
}
