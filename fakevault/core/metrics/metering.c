#include "fakevault/core/metrics/metering.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/call.h"
#include "fakevault/core/state.h"

#define LABELS_BYTES 640u

static void count_up(const struct vault_job *job, const char *name, const char *labels)
{
    meter_add(&job->vault->tally.meter, METER_COUNTER, name, labels, 1, job->now.wall_ns);
}

static void took(const struct vault_job *job, const char *name, double ms)
{
    meter_add(&job->vault->tally.meter, METER_SUMMARY, name, NULL, ms, job->now.wall_ns);
}

/* --- a request -------------------------------------------------------------------------------- */

/* "route.update.secret-", as Vault writes a mount in a name. */
static struct meter_series *find_route(const struct vault_job *job)
{
    char name[64 + MOUNT_PATH_BYTES];
    (void)snprintf(name, sizeof name, "route.%s.%s", job->facts.operation, job->mount_path);
    for (char *c = strchr(name, '/'); c != NULL; c = strchr(c, '/'))
        *c = '-';
    return meter_series(&job->vault->tally.meter, METER_SUMMARY, name, NULL);
}

static void count_route(const struct vault_job *job, double ms)
{
    struct tally *m = &job->vault->tally;
    if (!job->authorised || job->mount_path[0] == '\0')
        return;
    if (m->route == NULL || m->route_operation != job->operation ||
        strcmp(m->route_mount, job->mount_path) != 0) {
        m->route = find_route(job);
        m->route_operation = job->operation;
        memcpy(m->route_mount, job->mount_path, sizeof m->route_mount);
    }
    meter_sample(m->route, ms, job->now.wall_ns);
}

static const char *ttl_bucket(int64_t seconds)
{
    static const struct {
        int64_t most;
        const char *name;
    } buckets[] = {{60, "1m"},    {600, "10m"},   {1200, "20m"},  {3600, "1h"},    {7200, "2h"},
                   {86400, "1d"}, {172800, "2d"}, {604800, "7d"}, {2592000, "30d"}};
    for (size_t i = 0; i < COUNT(buckets); i++)
        if (seconds <= buckets[i].most)
            return buckets[i].name;
    return "+Inf";
}

static void count_token(const struct vault_job *job, const char *method, const char *mount,
                        int64_t ttl_s, const char *type)
{
    char labels[LABELS_BYTES];
    (void)snprintf(labels, sizeof labels,
                   "auth_method=%s\ncluster=%s\ncreation_ttl=%s\nmount_point=%s\nnamespace=root\n"
                   "token_type=%s\n",
                   method, job->vault->cluster_name, ttl_bucket(ttl_s), mount, type);
    count_up(job, "token.creation", labels);
    took(job, "token.create", 0);
}

/* A token was made when an answer has one and the path is not one that renews. */
static void count_tokens(const struct vault_job *job)
{
    bool made = slice_starts_with(buf_slice(&job->path), "auth/token/create");
    json_t *auth CLEANUP(jsonread_done) = NULL;
    if (!job->executed)
        return;
    if (job->wrap_out.len > 0)
        count_token(job, "response_wrapping", "sys/", job->wrap_ttl_ns / NS_PER_S, "service");
    if (!made || job->auth_out.len == 0)
        return;
    if (jsonread_parse(buf_slice(&job->auth_out), &auth, NULL) != ERRC_OK) {
        job->vault->tally.meter.failed = true;
        return;
    }
    const json_t *policies = json_object_get(auth, "policies");
    const char *first = json_string_value(json_array_get(policies, 0));
    count_token(job, "token", "auth/token/",
                json_integer_value(json_object_get(auth, "lease_duration")),
                jsonread_string_or(auth, "token_type", "service"));
    if (json_array_size(policies) == 1 && first != NULL && strcmp(first, "root") == 0)
        count_up(job, "token.create_root", NULL);
}

/* What is before the logical router: only sealing and unsealing are counted. */
static void count_hard_wired(const struct vault_job *job, double ms)
{
    bool unsealed = !state_sealed(job->vault);
    if (!job->executed)
        return;
    if (slice_equal_text(buf_slice(&job->path), "sys/unseal")) {
        took(job, "core.unseal", ms);
        if (unsealed)
            took(job, "core.post_unseal", ms);
    } else if (slice_equal_text(buf_slice(&job->path), "sys/seal") && !unsealed) {
        took(job, "core.seal-with-request", ms);
    }
}

static void count_request(const struct vault_job *job)
{
    struct tally *m = &job->vault->tally;
    double ms = (double)(job->now.mono_ns - job->begun_mono_ns) / (double)NS_PER_MS;
    if (job->bare_protocol) {
        count_hard_wired(job, ms);
        return;
    }
    if (!job->audited) /* it was refused before it was looked at */
        return;
    if (m->handle_request == NULL)
        m->handle_request = meter_series(&m->meter, METER_SUMMARY, "core.handle_request", NULL);
    meter_sample(m->handle_request, ms, job->now.wall_ns);
    m->handled++;
    m->with_token += job->token != NULL;
    m->unaudited += job->audit_failed;
    count_route(job, ms);
    count_tokens(job);
}

void metering_request(struct vault_job *job)
{
    struct meter *m = &job->vault->tally.meter;
    count_request(job);
    job->no_memory = job->no_memory || m->failed;
    m->failed = false;
}

void metering_sealed(struct vault *v)
{
    meter_add(&v->tally.meter, METER_SUMMARY, "core.pre_seal", NULL, 0, 0);
    meter_add(&v->tally.meter, METER_SUMMARY, "core.seal-internal", NULL, 0, 0);
}

/* --- gauges ----------------------------------------------------------------------------------- */

static void set_gauge(struct vault *v, const char *name, const char *labels, double value)
{
    meter_set(&v->tally.meter, METER_GAUGE, name, labels, value, 0);
}

static void set_cluster_gauge(struct vault *v, const char *name, double value)
{
    char labels[64];
    (void)snprintf(labels, sizeof labels, "cluster=%s\n", v->cluster_seen);
    set_gauge(v, name, labels, value);
}

static void collect_mounts(struct vault *v)
{
    static const char *const types[] = {"logical", "auth"};
    unsigned counts[2][2] = {{0}};
    size_t sizes[2][2] = {{0}};
    for (size_t i = 0; i < v->mounts.count; i++) {
        const struct mount *m = &v->mounts.items[i];
        bool auth = slice_starts_with(slice_of(m->path), "auth/");
        counts[auth][m->local]++;
        sizes[auth][m->local] += strlen(m->path) + strlen(m->accessor) + sizeof m->uuid;
    }
    for (int auth = 0; auth < 2; auth++)
        for (int local = 0; local < 2; local++) {
            char labels[LABELS_BYTES];
            (void)snprintf(labels, sizeof labels, "cluster=%s\nlocal=%s\ntype=%s\n",
                           v->cluster_seen, local == 1 ? "true" : "false", types[auth]);
            set_gauge(v, "core.mount_table.num_entries", labels, counts[auth][local]);
            set_gauge(v, "core.mount_table.size", labels, (double)sizes[auth][local]);
        }
}

static void collect_barrier(struct vault *v)
{
    const struct barrier *b = &v->barrier;
    char labels[32];
    (void)snprintf(labels, sizeof labels, "term=%zu\n", b->term_count);
    meter_set(&v->tally.meter, METER_COUNTER, "barrier.estimated_encryptions", labels,
              (double)b->encryptions, b->encryptions);
}

/* How often each came is known; how long it took, is not measured. */
static void collect_steps(struct vault *v)
{
    const struct tally *m = &v->tally;
    const struct {
        const char *name;
        uint64_t count;
    } steps[] = {
        {"audit.log_request", m->handled}, {"audit.log_response", m->handled},
        {"core.check_token", m->handled},  {"core.fetch_acl_and_token", m->handled},
        {"token.lookup", m->with_token},   {"barrier.get", v->barrier.gets},
        {"barrier.put", v->barrier.puts},  {"barrier.delete", v->barrier.deletes},
    };
    for (size_t i = 0; i < COUNT(steps); i++)
        meter_set(&v->tally.meter, METER_SUMMARY, steps[i].name, NULL, 0, steps[i].count);
    meter_set(&v->tally.meter, METER_COUNTER, "audit.log_request_failure", NULL,
              (double)m->unaudited, m->unaudited);
}

static double open_requests(const struct vault *v)
{
    double count = 0;
    for (const struct vault_job *job = v->jobs; job != NULL; job = job->next)
        count += !job->bare_protocol;
    return count;
}

void metering_collect(struct vault *v)
{
    static const char *const zeros[] = {
        "core.performance_standby",
        "core.replication.dr.primary",
        "core.replication.dr.secondary",
        "core.replication.performance.primary",
        "core.replication.performance.secondary",
        "core.replication.write_undo_logs",
    };
    bool unsealed = !state_sealed(v);
    collect_steps(v);
    set_gauge(v, "core.unsealed", "cluster=\n", 0);
    if (v->cluster_seen[0] == '\0')
        return;
    set_cluster_gauge(v, "core.unsealed", unsealed);
    set_cluster_gauge(v, "core.active", unsealed);
    if (!unsealed)
        return;
    set_cluster_gauge(v, "core.in_flight_requests", open_requests(v));
    for (size_t i = 0; i < COUNT(zeros); i++)
        set_cluster_gauge(v, zeros[i], 0);
    set_gauge(v, "core.locked_users", NULL, 0);
    set_gauge(v, "expire.num_irrevocable_leases", NULL, 0);
    set_gauge(v, "expire.num_leases", NULL, (double)v->tokens.heap_count);
    set_gauge(v, "identity.num_entities", NULL, 0);
    collect_mounts(v);
    collect_barrier(v);
}
