#include "fakevault/core/api.h"

static const struct route_table none = {NULL, 0};

static const struct route_table *const tables[MOUNT_ENGINE_COUNT] = {
    [MOUNT_SYSTEM] = &sys_mounts_table, [MOUNT_IDENTITY] = &none,         [MOUNT_CUBBYHOLE] = &none,
    [MOUNT_TOKEN] = &token_api_table,   [MOUNT_TRANSIT] = &transit_table, [MOUNT_KV] = &kv_table,
};

const struct route_table *api_table(const struct vault_job *job)
{
    return tables[job->engine];
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
