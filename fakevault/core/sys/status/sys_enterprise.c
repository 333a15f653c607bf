/* sys_enterprise: paths that are there in every Vault and work in Vault Enterprise alone. */
#include "fakevault/core/api.h"

static void refuse(struct vault_job *job)
{
    call_fail(job, 404, "enterprise-only feature");
}

#define READ(path)                                                                                 \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_READ, .finish = refuse                                 \
    }
#define LIST(path)                                                                                 \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_LIST, .finish = refuse                                 \
    }
#define UPDATE(path)                                                                               \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_UPDATE, .finish = refuse                               \
    }
#define DELETE(path)                                                                               \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_DELETE, .finish = refuse                               \
    }
#define PATCH(path)                                                                                \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_PATCH, .finish = refuse                                \
    }
#define OPEN(path, what)                                                                           \
    {                                                                                              \
        .pattern = path, .operation = what, .public = true, .finish = refuse                       \
    }
#define ALL(path) READ(path), UPDATE(path), DELETE(path)

static const struct route_endpoint rows[] = {
    READ("license/status"),
    READ("config/group-policy-application"),
    UPDATE("config/group-policy-application"),
    LIST("namespaces/?"),
    UPDATE("namespaces/api-lock/lock/*path"),
    UPDATE("namespaces/api-lock/unlock/*path"),
    ALL("namespaces/+path"),
    PATCH("namespaces/+path"),
    UPDATE("replication/performance/primary/enable"),
    UPDATE("replication/dr/primary/enable"),
    UPDATE("replication/performance/primary/demote"),
    UPDATE("replication/dr/primary/demote"),
    UPDATE("replication/performance/primary/disable"),
    UPDATE("replication/dr/primary/disable"),
    UPDATE("replication/performance/primary/secondary-token"),
    UPDATE("replication/dr/primary/secondary-token"),
    UPDATE("replication/performance/primary/revoke-secondary"),
    UPDATE("replication/dr/primary/revoke-secondary"),
    UPDATE("replication/performance/secondary/generate-public-key"),
    UPDATE("replication/dr/secondary/generate-public-key"),
    UPDATE("replication/performance/secondary/enable"),
    UPDATE("replication/dr/secondary/enable"),
    UPDATE("replication/performance/secondary/promote"),
    OPEN("replication/dr/secondary/promote", ROUTE_UPDATE),
    UPDATE("replication/performance/secondary/disable"),
    OPEN("replication/dr/secondary/disable", ROUTE_UPDATE),
    OPEN("replication/dr/secondary/operation-token/delete", ROUTE_UPDATE),
    UPDATE("replication/performance/secondary/update-primary"),
    OPEN("replication/dr/secondary/update-primary", ROUTE_UPDATE),
    OPEN("replication/dr/secondary/license/status", ROUTE_READ),
    UPDATE("replication/dr/secondary/config/reload/+subsystem"),
    UPDATE("replication/recover"),
    OPEN("replication/dr/secondary/recover", ROUTE_UPDATE),
    OPEN("replication/dr/secondary/reindex", ROUTE_UPDATE),
    UPDATE("replication/reindex"),
    OPEN("replication/dr/status", ROUTE_READ),
    OPEN("replication/performance/status", ROUTE_READ),
    UPDATE("replication/primary/enable"),
    UPDATE("replication/primary/demote"),
    UPDATE("replication/primary/disable"),
    UPDATE("replication/primary/secondary-token"),
    ALL("replication/performance/primary/paths-filter/:id"),
    READ("replication/performance/primary/dynamic-filter/:id"),
    UPDATE("replication/primary/revoke-secondary"),
    UPDATE("replication/secondary/enable"),
    UPDATE("replication/secondary/promote"),
    UPDATE("replication/secondary/disable"),
    UPDATE("replication/secondary/update-primary"),
    READ("replication/performance/secondary/dynamic-filter/:id"),
    READ("sealwrap/rewrap"),
    UPDATE("sealwrap/rewrap"),
    LIST("mfa/method/?"),
    READ("mfa/method/totp/:name/generate"),
    UPDATE("mfa/method/totp/:name/admin-generate"),
    UPDATE("mfa/method/totp/:name/admin-destroy"),
    ALL("mfa/method/totp/:name"),
    ALL("mfa/method/okta/:name"),
    ALL("mfa/method/duo/:name"),
    ALL("mfa/method/pingid/:name"),
    UPDATE("control-group/authorize"),
    UPDATE("control-group/request"),
    ALL("config/control-group"),
    LIST("policies/rgp/?"),
    ALL("policies/rgp/+name"),
    LIST("policies/egp/?"),
    ALL("policies/egp/+name"),
    READ("plugins/reload/backend/status"),
    LIST("quotas/lease-count/?"),
    ALL("quotas/lease-count/:name"),
    LIST("storage/raft/snapshot-auto/config/"),
    ALL("storage/raft/snapshot-auto/config/:name"),
    READ("storage/raft/snapshot-auto/status/:name"),
    LIST("managed-keys/:type/?"),
    ALL("managed-keys/:type/:name"),
    UPDATE("managed-keys/:type/:name/test/sign"),
};

const struct route_table sys_enterprise_table = ROUTE_TABLE(rows);
