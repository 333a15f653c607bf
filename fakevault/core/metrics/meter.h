/*
 * meter: how often things happened and how long they took, and what sys/metrics prints of it
 * (vault-api.md 2.12).
 *
 * A series is a name as Vault writes it inside ("route.update.secret-") and labels. Counting costs
 * a few additions, and an allocation only for the first time of a series. Times are milliseconds.
 *
 * Two views: Prometheus sees everything since the start, with quantiles over the last ten seconds;
 * the JSON view is Vault's own, of the last whole interval of ten seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text/buf.h"
#include "base/text/jsonwrite.h"

#define METER_SERIES_MAX 512u
#define METER_RECENT 64u /* samples that quantiles are made of */
#define METER_INTERVAL_S 10

enum meter_kind {
    METER_GAUGE,
    METER_COUNTER,
    METER_SUMMARY,
};

/* What was counted in one interval. */
struct meter_window {
    int64_t interval; /* wall time / METER_INTERVAL_S */
    uint64_t count;
    double sum, squares, least, most;
};

struct meter_series {
    enum meter_kind kind;
    char *name;
    char *labels; /* "cluster=x\nlocal=true\n", sorted; "" for none */
    uint64_t count;
    double sum; /* of a gauge: its value */
    struct meter_window now, before;
    struct {
        int64_t wall_ns;
        double value;
    } recent[METER_RECENT]; /* a ring; the next goes to count % METER_RECENT */
};

struct meter {
    struct meter_series **series; /* sorted by name, then labels; each stays where it is */
    size_t count;
    bool failed; /* a series could not be made; for the caller to see and clear */
};

void meter_done(struct meter *m);

/* Returns a series, which is made when it is new; NULL without memory. `labels` may be NULL. */
struct meter_series *meter_series(struct meter *m, enum meter_kind kind, const char *name,
                                  const char *labels);

/* Adds a sample to a series; NULL allowed. */
void meter_sample(struct meter_series *s, double value, int64_t wall_ns);

/* Both in one. */
void meter_add(struct meter *m, enum meter_kind kind, const char *name, const char *labels,
               double value, int64_t wall_ns);

/* Sets a gauge, or what another part of the core has counted itself. */
void meter_set(struct meter *m, enum meter_kind kind, const char *name, const char *labels,
               double value, uint64_t count);

/* Appends everything in Prometheus' text format 0.0.4. */
void meter_write_text(const struct meter *m, int64_t wall_ns, struct buf *out);

/* Writes the members of Vault's JSON into an open object. */
void meter_write_json(const struct meter *m, int64_t wall_ns, struct jsonwrite *w);
