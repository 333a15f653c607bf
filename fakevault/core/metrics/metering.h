/*
 * metering: what of a vault's life is counted, under Vault's names.
 */
#pragma once

#include "fakevault/core/http/route.h"
#include "fakevault/core/metrics/meter.h"
#include "fakevault/core/mount.h"

struct vault;
struct vault_job;

/* What is counted with every request, without looking for its series. */
struct metering {
    struct meter meter;
    uint64_t handled, with_token, unaudited;
    struct meter_series *handle_request;
    struct meter_series *route; /* of the last request; most have the same */
    enum route_operation route_operation;
    char route_mount[MOUNT_PATH_BYTES];
};

/* Counts a request that ends now; one that cannot be counted is out of memory. */
void metering_request(struct vault_job *job);

/* Counts a seal that nobody asked for by a request. */
void metering_sealed(struct vault *v);

/* Brings the gauges up to date, and what other parts count by themselves. */
void metering_collect(struct vault *v);
