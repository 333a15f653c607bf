/*
 * control_inner: what the files of control share, and nobody else sees.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/text/jsonwrite.h"
#include "fakevault/core/outage/outage.h"
#include "fakevault/shell/control/control_log.h"
#include "fakevault/shell/control/control_ports.h"

struct control {
    struct control_ports ports;
    char boot_id[ENTROPY_UUID_BYTES];
    atomic_uint_fast64_t connections, requests, replies;
    pthread_t thread; /* ends leases */
    bool started;
    pthread_mutex_t lock; /* guards all below, and the vault */
    pthread_cond_t rules_changed;
    bool stopping;
    uint64_t unwritten; /* seq of the newest `control` record that is queued only, 0 for none */
    struct outage *outage;
    struct control_log_state told; /* what the log has */
};

void control_lock(struct control *c);

/* Unlocks, then writes the records of what was changed, and tells the log what became different: a
 * stalled disk holds up whoever changed something, and nobody else. */
void control_unlock(struct control *c);

/* All to be called under the lock. */

static inline struct instant control_now(const struct control *c)
{
    return c->ports.clock.now(c->ports.clock.context);
}

struct control_done {
    struct gate_refused refused;
    size_t released;
    enum errc opened; /* ERRC_UNAVAILABLE when the listener did not open: it stays closed */
};

/* Carries out what the outage orders: what stops, records (to be written by control_unlock), what
 * goes on. *done and *why may be NULL. */
void control_carry_out(struct control *c, const struct outage_orders *orders,
                       struct control_done *done, struct errc_why *why);

/* Takes away the rules whose lease is over, with all consequences. */
void control_expire(struct control *c);

void control_format_inner_head(const struct control *c, struct jsonwrite *w);
