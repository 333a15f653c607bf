/*
 * health_poll: asks Vault's sys/health in a thread of its own, on a connection of its own, and
 * tells the answer each time.
 *
 * Usable are 200, and the codes of standby nodes that forward signing or do it themselves: 429 and
 * 473 (failures.md C7, C8). Anything else, 472 and no answer at all included, is down.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"

struct health_poll;

struct health_poll_ports {
    /* Asks once; returns the HTTP status, 0 when there was no answer. Called by the poll's thread
     * only. It must come back within its own time limit. */
    int (*ask)(void *context);
    /* Called by the poll's thread after each ask. */
    void (*told)(void *context, bool up, int status);
    void *context;
};

/* True for the codes above. */
bool health_poll_usable(int status);

/* Starts to ask at once, then every interval_ms. */
MUST_USE enum errc health_poll_start(const struct health_poll_ports *ports, int interval_ms,
                                     struct health_poll **out, struct errc_why *why);

/* Waits until the first answer is in, at most timeout_ms. */
void health_poll_wait_first(struct health_poll *poll, int timeout_ms);

/* Stops and joins; takes at most the time of one ask. NULL allowed. */
void health_poll_stop(struct health_poll *poll);
