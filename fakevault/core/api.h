/*
 * api: the tables of endpoints of each engine, and the hard-wired ones before them. A new table is
 * a line here and a word in api.c.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/http/route.h"

/* Endpoints that need no token and work while sealed, with their own body rules: sys/init,
 * sys/unseal, sys/health ... (vault-api.md 2.1 to 2.6). */
extern const struct route_table sys_seal_table;
extern const struct route_table sys_rekey_table;
extern const struct route_table sys_genroot_table;

/* Finds the endpoint for job->path among these. True when the path is one of theirs, whatever the
 * operation. */
bool api_find_hard_wired(struct vault_job *job);

/* Returns all these tables, whose paths begin with "sys/"; NULL ends them. */
const struct route_table *const *api_hard_wired(void);

/* sys/metrics when it asks for no token; beside the above. */
extern const struct route_table sys_metrics_open_table;

/* Below sys/, behind the token. */
extern const struct route_table sys_mounts_table;
extern const struct route_table sys_uimounts_table;
extern const struct route_table sys_barrier_table;
extern const struct route_table sys_audit_table;
extern const struct route_table sys_config_table;
extern const struct route_table sys_headers_table;
extern const struct route_table sys_plugins_table;
extern const struct route_table sys_quotas_table;
extern const struct route_table sys_status_table;
extern const struct route_table sys_leases_table;
extern const struct route_table sys_enterprise_table;
extern const struct route_table sys_rekey_backup_table;
extern const struct route_table sys_genroot_decode_table;
extern const struct route_table sys_metrics_table;

/* Hashes and random bytes: sys/tools/..., and the same straight below a transit mount. */
extern const struct route_table tools_sys_table;
extern const struct route_table tools_transit_table;

extern const struct route_table policy_api_table;
extern const struct route_table capability_api_table;
extern const struct route_table help_table; /* below sys/ */
extern const struct route_table token_api_table;
extern const struct route_table token_role_table;
extern const struct route_table token_counter_table; /* below sys/ */
extern const struct route_table transit_key_table;
extern const struct route_table ops_table; /* what is done with transit keys */
extern const struct route_table cubbyhole_table;
extern const struct route_table wrapping_table; /* below sys/ */

/* Returns the tables of an engine; NULL ends them. */
const struct route_table *const *api_tables(enum mount_engine engine, bool kv_version_2);

/* Finds the endpoint for job->below in the tables of the mount's engine; fills job->match. */
void api_find(struct vault_job *job);

/* What an engine says about a path that it does not have. */
void api_unknown_path(struct vault_job *job);
