/*
 * clock: the port through which a program learns the time. A shell reads it
 * once per step and hands the instant to its core; a core never reads it.
 */
#pragma once

#include <stdint.h>

struct instant {
    int64_t mono_ns; /* monotonic, arbitrary zero, never goes back */
    int64_t wall_ns; /* nanoseconds since 1970-01-01T00:00:00Z */
};

struct clock {
    struct instant (*now)(void *context);
    void *context;
};
