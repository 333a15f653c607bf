/*
 * metrics: the numbers of one service, and their text in Prometheus' exposition format 0.0.4.
 *
 * A fixed table of families; a family may have one label, whose values are a fixed list as well, so
 * that every series exists from the start with the value 0 (a rate over a series that appears only
 * with its first event misses that event). Not locked: the owner serialises.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text/buf.h"

#define METRICS_LABELS_MAX 32u  /* values of one label */
#define METRICS_BUCKETS_MAX 16u /* finite buckets of a histogram */

enum metrics_family {
    METRICS_VAULT_UP,                 /* gauge: 1 when the last poll of sys/health said usable */
    METRICS_SIGNING_TOTAL,            /* counter by mode */
    METRICS_SIGNING_ATTEMPTS_TOTAL,   /* counter by class */
    METRICS_SIGNING_FALLBACK_ACTIVE,  /* gauge: 1 when the local key made the last signature */
    METRICS_SIGNING_FALLBACK_ALLOWED, /* gauge: the switch as this process read it */
    METRICS_SIGNING_FALLBACK_SECONDS, /* gauge: since when fallback is active; 0 when it is not */
    METRICS_SIGNING_BACKOFF_SECONDS,  /* histogram of the waits before an attempt */
    METRICS_RUNS_TOTAL,               /* counter by the state a run was brought to */
    METRICS_RUNS_QUEUED,              /* gauge */
    METRICS_HTTP_REQUESTS_TOTAL,      /* counter by status class */
    METRICS_BUILD_INFO,               /* gauge, always 1; its label is the version */
    METRICS_FAMILY_COUNT,
};

struct metrics_histogram {
    uint64_t buckets[METRICS_BUCKETS_MAX + 1]; /* not cumulative; the last is +Inf */
    uint64_t count;
    double sum;
};

struct metrics {
    double values[METRICS_FAMILY_COUNT][METRICS_LABELS_MAX];
    struct metrics_histogram backoff;
    int64_t fallback_since_ns; /* monotonic; meaningful while fallback is active */
};

void metrics_init(struct metrics *m);

/* Adds to a counter. label: index into the family's list of values, 0 where it has no label. */
void metrics_add(struct metrics *m, enum metrics_family family, size_t label, double amount);

/* Sets a gauge. */
void metrics_set(struct metrics *m, enum metrics_family family, double value);

/* Returns the index of a label value, or METRICS_LABELS_MAX when the family does not know it. */
size_t metrics_label(enum metrics_family family, const char *value);

double metrics_get(const struct metrics *m, enum metrics_family family, size_t label);

/* Notes a wait before an attempt. */
void metrics_backoff(struct metrics *m, double seconds);

/* Notes a signature: counts it, and opens or closes the fallback period. */
void metrics_signed(struct metrics *m, bool fallback, int64_t mono_ns);

/* Returns for how long the fallback key has been signing; 0 when it is not. */
double metrics_fallback_seconds(const struct metrics *m, int64_t mono_ns);

/* Appends the text; mono_ns dates the seconds spent in fallback. */
void metrics_format(const struct metrics *m, int64_t mono_ns, struct buf *out);
