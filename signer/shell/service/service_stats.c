#include "signer/shell/service/service_stats.h"

#include "base/bug.h"

static void lock(struct service_stats *stats)
{
    CHECK(pthread_mutex_lock(&stats->lock) == 0);
}

static void unlock(struct service_stats *stats)
{
    CHECK(pthread_mutex_unlock(&stats->lock) == 0);
}

void service_stats_init(struct service_stats *stats, bool fallback_allowed)
{
    CHECK(pthread_mutex_init(&stats->lock, NULL) == 0);
    stats->vault_reason = (struct errc_why){"not asked yet"};
    metrics_init(&stats->metrics);
    metrics_set(&stats->metrics, METRICS_SIGNING_FALLBACK_ALLOWED, fallback_allowed);
}

void service_stats_done(struct service_stats *stats)
{
    CHECK(pthread_mutex_destroy(&stats->lock) == 0);
}

bool service_stats_vault(struct service_stats *stats, bool up, const struct errc_why *why)
{
    lock(stats);
    bool was = metrics_get(&stats->metrics, METRICS_VAULT_UP, 0) > 0;
    metrics_set(&stats->metrics, METRICS_VAULT_UP, up);
    stats->vault_reason = up ? (struct errc_why){0} : *why;
    unlock(stats);
    return was != up;
}

void service_stats_signing(struct service_stats *stats, const struct op_result *result,
                           int64_t mono_ns)
{
    lock(stats);
    for (size_t i = 0; i < result->attempt_count; i++) {
        const struct audit_attempt *attempt = &result->attempts[i];
        metrics_add(&stats->metrics, METRICS_SIGNING_ATTEMPTS_TOTAL, attempt->class, 1);
        if (attempt->n > 1)
            metrics_backoff(&stats->metrics, (double)attempt->wait_ms / 1e3);
    }
    if (result->status == OP_COMPLETED)
        metrics_signed(&stats->metrics, result->mode == MANIFEST_FALLBACK, mono_ns);
    unlock(stats);
}

void service_stats_run(struct service_stats *stats, enum run_status status)
{
    lock(stats);
    metrics_add(&stats->metrics, METRICS_RUNS_TOTAL,
                metrics_label(METRICS_RUNS_TOTAL, run_status_name(status)), 1);
    unlock(stats);
}

void service_stats_http(struct service_stats *stats, unsigned status)
{
    const char *label = status < 400 ? "2xx" : status < 500 ? "4xx" : "5xx";
    lock(stats);
    metrics_add(&stats->metrics, METRICS_HTTP_REQUESTS_TOTAL,
                metrics_label(METRICS_HTTP_REQUESTS_TOTAL, label), 1);
    unlock(stats);
}

struct service_stats_view service_stats_view(struct service_stats *stats, int64_t mono_ns)
{
    lock(stats);
    const struct metrics *m = &stats->metrics;
    struct service_stats_view view = {
        .vault_up = metrics_get(m, METRICS_VAULT_UP, 0) > 0,
        .vault_reason = stats->vault_reason,
        .fallback_active = metrics_get(m, METRICS_SIGNING_FALLBACK_ACTIVE, 0) > 0,
        .fallback_seconds = metrics_fallback_seconds(m, mono_ns),
    };
    unlock(stats);
    return view;
}

void service_stats_format(struct service_stats *stats, unsigned queued, int64_t mono_ns,
                          struct buf *out)
{
    lock(stats);
    metrics_set(&stats->metrics, METRICS_RUNS_QUEUED, queued);
    struct metrics copy = stats->metrics;
    unlock(stats);
    metrics_format(&copy, mono_ns, out);
}
