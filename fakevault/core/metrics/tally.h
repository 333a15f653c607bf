/*
 * tally: what metering keeps of a vault's life.
 */
#pragma once

#include "fakevault/core/http/route.h"
#include "fakevault/core/metrics/meter.h"
#include "fakevault/core/mount.h"

struct tally {
    struct meter meter;
    /* What is counted with every request, without looking for its series. */
    uint64_t handled, with_token, unaudited;
    struct meter_series *handle_request;
    struct meter_series *route; /* of the last request; most have the same */
    enum route_operation route_operation;
    char route_mount[MOUNT_PATH_BYTES];
};
