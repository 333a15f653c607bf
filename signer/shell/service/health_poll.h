/*
 * health_poll: asks whether Vault is up, in a thread of its own, and tells the answer each time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"

struct health_poll;

struct health_poll_ports {
    /* Asks once; false with the reason. Must come back within a time limit of its own. */
    bool (*ask)(void *context, struct errc_why *why);
    /* Called after each ask. */
    void (*told)(void *context, bool up, const struct errc_why *why);
    void *context; /* of both; they are called by the poll's thread only */
};

/* Starts to ask at once, then every interval_ms. */
MUST_USE enum errc health_poll_start(const struct health_poll_ports *ports, int64_t interval_ms,
                                     struct health_poll **out, struct errc_why *why);

/* Waits until the first answer is in, at most timeout_ms. */
void health_poll_wait_first(struct health_poll *poll, int64_t timeout_ms);

/* Asks no more, without waiting for an ask that is under way. NULL allowed. */
void health_poll_quit(struct health_poll *poll);

/* Stops, joins and frees; takes at most the time of one ask. NULL allowed. */
void health_poll_stop(struct health_poll *poll);
