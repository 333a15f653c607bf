#include "fakevault/core/policy/authorise.h"

#include "base/count.h"
#include "fakevault/core/policy/policy_store.h"
#include "fakevault/core/state.h"

/* Below sys/ and auth/token/; a '*' at the end is a prefix (vault-api.md 2). */
static const char *const sudo_paths[] = {
    "sys/auth/*",
    "sys/remount",
    "sys/audit",
    "sys/audit/*",
    "sys/raw",
    "sys/raw/*",
    "sys/replication/primary/secondary-token",
    "sys/replication/performance/primary/secondary-token",
    "sys/replication/dr/primary/secondary-token",
    "sys/replication/reindex",
    "sys/replication/dr/reindex",
    "sys/replication/performance/reindex",
    "sys/rotate",
    "sys/config/cors",
    "sys/config/auditing/*",
    "sys/config/ui/headers/*",
    "sys/plugins/catalog/*",
    "sys/revoke-prefix/*",
    "sys/revoke-force/*",
    "sys/leases/revoke-prefix/*",
    "sys/leases/revoke-force/*",
    "sys/leases/lookup/*",
    "sys/storage/raft/snapshot-auto/config/*",
    "sys/leases",
    "sys/internal/inspect/*",
    "auth/token/revoke-orphan/*",
    "auth/token/accessors*",
};

static bool needs_sudo(struct slice path)
{
    for (size_t i = 0; i < COUNT(sudo_paths); i++) {
        struct slice pattern = slice_of(sudo_paths[i]);
        bool prefix = slice_ends_with(pattern, "*");
        struct slice stem = {pattern.ptr, pattern.len - prefix};
        struct slice front = {path.ptr, prefix && path.len > stem.len ? stem.len : path.len};
        if (slice_equal(stem, front))
            return true;
    }
    return false;
}

const struct acl *authorise_acl(struct vault_job *job, const struct token *token)
{
    const struct acl *acl = NULL;
    if (policy_store_acl(&job->vault->policies, token->policies, token->policy_count, &acl) !=
        ERRC_OK)
        job->no_memory = true;
    return acl;
}

static struct acl_request request_of(const struct vault_job *job)
{
    return (struct acl_request){
        .operation = job->operation,
        .path = buf_slice(&job->path),
        .data = job->data,
        .wrap_ttl_ns = job->wrap_ttl_ns,
        .sudo = needs_sudo(buf_slice(&job->path)),
    };
}

void authorise_job(struct vault_job *job)
{
    if (token_is_root(job->token))
        return;
    const struct acl *acl = authorise_acl(job, job->token);
    const struct acl_request request = request_of(job);
    if (acl != NULL && !acl_allows(acl, &request))
        call_wrapped(job, 403, "permission denied");
}

bool authorise_grants(const struct vault_job *job, const struct slice *policy)
{
    const struct acl *acl = NULL;
    const struct acl_request request = request_of(job);
    return policy_store_acl(&job->vault->policies, policy, 1, &acl) == ERRC_OK &&
           acl_allows(acl, &request);
}
