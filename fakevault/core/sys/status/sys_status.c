/* sys_status: what a server tells of itself behind the token: ha-status, replication/status,
 * version-history, host-info, in-flight-req, counters, experiments (vault-api.md 2.6, 2.17). */
#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

static void ha_status_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_INJECTED,
                     json_pack("{s:[{s:b,s:s,s:s,s:s,s:n,s:s}]}", "nodes", "active_node", 1,
                               "api_address", "", "cluster_address", "", "hostname", "localhost",
                               "last_echo", "version", job->vault->version));
}

static void replication_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA, json_pack("{s:s}", "mode", "disabled"));
}

/* One version, installed when the vault was made. */
static void version_list(struct vault_job *job)
{
    const struct vault *v = job->vault;
    char installed[STAMP_BYTES];
    stamp_format(v->barrier.terms[0].installed_ns / NS_PER_S * NS_PER_S, STAMP_GO_NANO, installed);
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:{s:{s:s,s:n,s:s}},s:[s]}", "key_info", v->version, "build_date",
                               "", "previous_version", "timestamp_installed", installed, "keys",
                               v->version));
}

/* The core knows nothing of the machine it runs on. */
static void host_info_read(struct vault_job *job)
{
    char now[STAMP_BYTES];
    stamp_format(job->now.wall_ns, STAMP_GO_NANO, now);
    call_answer_tree(
        job, CALL_DATA,
        json_pack("{s:[],s:[],s:[],s:{s:s,s:i,s:i,s:i,s:s,s:s},s:{s:i,s:i,s:i,s:i},s:s}", "cpu",
                  "cpu_times", "disk", "host", "hostname", "localhost", "uptime", 0, "bootTime", 0,
                  "procs", 0, "os", "linux", "platform", "", "memory", "total", 0, "available", 0,
                  "used", 0, "free", 0, "timestamp", now));
}

/* The requests that are open now; this one is among them. */
static void in_flight_read(struct vault_job *job)
{
    const struct vault *v = job->vault;
    struct jsonwrite *w = call_data(job);
    for (const struct vault_job *other = v->jobs; other != NULL; other = other->next) {
        char id[ENTROPY_UUID_BYTES], started[STAMP_BYTES];
        struct buf path CLEANUP(buf_done);
        buf_init(&path, 4 * LIMIT_PATH_BYTES);
        buf_addf(&path, "/v1/%.*s", SLICE_FMT(buf_slice(&other->path)));
        entropy_uuid(&v->ports.entropy, id);
        stamp_format(other->now.wall_ns, STAMP_GO_NANO, started);
        jsonwrite_object(w, id);
        jsonwrite_string(w, "start_time", started);
        jsonwrite_string(w, "client_remote_address", "");
        jsonwrite_slice(w, "request_path", buf_slice(&path));
        jsonwrite_slice(w, "request_method", other->request.method);
        jsonwrite_string(w, "client_id", "");
        jsonwrite_end(w);
        job->no_memory = job->no_memory || path.failed;
    }
    call_answer(job, CALL_BARE);
}

static void experiments_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:[s],s:[]}", "available", "events.alpha1", "enabled"));
}

static void counters_requests_read(struct vault_job *job)
{
    call_fail(job, 404, "The functionality has been removed on this path");
}

static void counters_tokens_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:{s:{s:I}}}", "counters", "service_tokens", "total",
                               (json_int_t)job->vault->tokens.count));
}

static void counters_entities_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:{s:{s:i}}}", "counters", "entities", "total", 0));
}

/* The first moment of the month that is `back` months before now, "2026-11-01T00:00:00Z". */
static void month_begin(int64_t wall_ns, int back, char out[static STAMP_BYTES])
{
    char now[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_GO_NANO, now);
    int months = (int)strtol(now, NULL, 10) * 12 + (int)strtol(now + 5, NULL, 10) - 1 - back;
    (void)snprintf(out, STAMP_BYTES, "%04d-%02d-01T00:00:00Z", months / 12, months % 12 + 1);
}

/* Nothing counts clients here: the twelve months before this one had none. */
static void activity_read(struct vault_job *job)
{
    char start[STAMP_BYTES], end[STAMP_BYTES];
    int64_t end_ns = 0;
    month_begin(job->now.wall_ns, 0, end);
    month_begin(job->now.wall_ns, 12, start);
    if (stamp_parse(slice_of(end), &end_ns))
        stamp_format(end_ns - NS_PER_S, STAMP_GO_NANO, end);
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:[],s:s,s:[],s:s,s:{s:i,s:i,s:i,s:i,s:i}}", "by_namespace",
                               "end_time", end, "months", "start_time", start, "total", "clients",
                               0, "distinct_entities", 0, "entity_clients", 0, "non_entity_clients",
                               0, "non_entity_tokens", 0));
}

static void activity_export_read(struct vault_job *job)
{
    call_fault(job, "no data to export in provided time range");
}

static void counters_config_read(struct vault_job *job)
{
    char month[STAMP_BYTES];
    month_begin(job->now.wall_ns, 0, month);
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:s,s:i,s:s,s:i,s:b,s:b,s:i}", "billing_start_timestamp", month,
                               "default_report_months", 12, "enabled", "default-disabled",
                               "minimum_retention_months", 0, "queries_available", 0,
                               "reporting_enabled", 0, "retention_months", 24));
}

/* What a configuration file would say; here it is what there is without one. */
static void sanitized_read(struct vault_job *job)
{
    const char *kind = job->vault->ports.store->kind;
    call_answer_tree(
        job, CALL_DATA,
        json_pack("{s:s,s:i,s:s,s:s,s:i,s:b,s:b,s:b,s:b,s:[],s:s,s:s,s:i,s:s,s:b,s:[{s:b,s:s}],"
                  "s:{s:s,s:b,s:s,s:s}}",
                  "api_addr", "", "cache_size", 0, "cluster_addr", "", "cluster_name", "",
                  "default_lease_ttl", 0, "disable_cache", 0, "disable_clustering", 0,
                  "disable_mlock", 0, "enable_ui", 0, "listeners", "log_format", "", "log_level",
                  "", "max_lease_ttl", 0, "plugin_directory", "", "raw_storage_endpoint", 0,
                  "seals", "disabled", 0, "type", "shamir", "storage", "cluster_addr", "",
                  "disable_clustering", 0, "redirect_addr", "", "type", kind));
}

static void locked_users_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA, json_pack("{s:[],s:i}", "by_namespace", "total", 0));
}

static void inspect_read(struct vault_job *job)
{
    call_fail(job, 400,
              "The Vault configuration must set \"introspection_endpoint\" to true to enable this "
              "endpoint");
}

/* There is no log of the server's to follow. */
static const struct field_spec monitor_fields[] = {
    {.name = "log_level", .type = FIELD_STRING},
    {.name = "log_format", .type = FIELD_STRING},
    {0},
};

static void monitor_read(struct vault_job *job)
{
    static const char *const levels[] = {"",     "trace",   "debug", "info", "notice",
                                         "warn", "warning", "err",   "error"};
    bool known = false;
    for (size_t i = 0; i < COUNT(levels); i++)
        known = known || slice_equal_text(field_text(&job->fields, "log_level"), levels[i]);
    call_fail(job, 400,
              known ? "monitoring the log is not offered by this server" : "unknown log level");
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "ha-status", .operation = ROUTE_READ, .finish = ha_status_read},
    {.pattern = "replication/status", .operation = ROUTE_READ,
     .public = true, .finish = replication_read},
    {.pattern = "version-history/?", .operation = ROUTE_LIST, .finish = version_list},
    {.pattern = "host-info/?", .operation = ROUTE_READ, .finish = host_info_read},
    {.pattern = "in-flight-req", .operation = ROUTE_READ, .finish = in_flight_read},
    {.pattern = "experiments", .operation = ROUTE_READ, .finish = experiments_read},
    {.pattern = "internal/counters/requests", .operation = ROUTE_READ,
     .finish = counters_requests_read},
    {.pattern = "internal/counters/tokens", .operation = ROUTE_READ,
     .finish = counters_tokens_read},
    {.pattern = "internal/counters/entities", .operation = ROUTE_READ,
     .finish = counters_entities_read},
    {.pattern = "internal/counters/activity", .operation = ROUTE_READ, .finish = activity_read},
    {.pattern = "internal/counters/activity/monthly", .operation = ROUTE_READ,
     .finish = call_empty},
    {.pattern = "internal/counters/activity/export", .operation = ROUTE_READ,
     .finish = activity_export_read},
    {.pattern = "internal/counters/config", .operation = ROUTE_READ,
     .finish = counters_config_read},
    {.pattern = "config/state/sanitized", .operation = ROUTE_READ, .finish = sanitized_read},
    {.pattern = "internal/inspect/router/:tag", .operation = ROUTE_READ, .finish = inspect_read},
    {.pattern = "locked-users", .operation = ROUTE_READ, .finish = locked_users_read},
    {.pattern = "locked-users/:mount_accessor/unlock/+alias_identifier", .operation = ROUTE_UPDATE,
     .finish = call_empty},
    {.pattern = "monitor", .operation = ROUTE_READ,
     .fields = monitor_fields, .finish = monitor_read},
};
/* clang-format on */

const struct route_table sys_status_table = ROUTE_TABLE(rows);
