/*
 * service_stats: the metrics of a running service, shared by its threads.
 */
#pragma once

#include <pthread.h>

#include "signer/core/attempt/op.h"
#include "signer/core/service/metrics.h"
#include "signer/core/service/run.h"

struct service_stats {
    pthread_mutex_t lock; /* guards all below */
    struct metrics metrics;
    struct errc_why vault_reason; /* why the last poll found it down; "" when up */
};

/* What /healthz tells. */
struct service_stats_view {
    bool vault_up;
    struct errc_why vault_reason;
    bool fallback_active;
    double fallback_seconds;
};

void service_stats_init(struct service_stats *stats, bool fallback_allowed);
void service_stats_done(struct service_stats *stats);

/* Notes a poll; true when up changed. */
bool service_stats_vault(struct service_stats *stats, bool up, const struct errc_why *why);

/* Notes the attempts of an operation, and its signature when it made one. */
void service_stats_signing(struct service_stats *stats, const struct op_result *result,
                           int64_t mono_ns);
void service_stats_run(struct service_stats *stats, enum run_status status);
void service_stats_http(struct service_stats *stats, unsigned status);

struct service_stats_view service_stats_view(struct service_stats *stats, int64_t mono_ns);

/* Appends the metrics as text. */
void service_stats_format(struct service_stats *stats, unsigned queued, int64_t mono_ns,
                          struct buf *out);
