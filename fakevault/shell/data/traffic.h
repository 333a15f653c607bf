/*
 * traffic: one request of the data port, from its arrival to the record of its end.
 *
 *     arrive (rules, `request` record) -> (held) -> begin -> run -> end -> answer -> `reply` record
 *
 * A held request is decided once, when it arrives, and authorised anew when it is executed. One
 * whose client hangs up while it is held is not executed: nobody waits for it, and a signature made
 * then would be one that nobody asked for.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "fakevault/shell/control/control.h"

struct traffic;

/* Starts serving the gate's connections on `loops` threads. Lends all. */
MUST_USE enum errc traffic_start(struct control *control, struct gate *gate, struct hold *hold,
                                 unsigned loops, struct traffic **out, struct errc_why *why);

/* What `hold` is to call. */
void traffic_wake(void *context, void *item, enum hold_end end);

/* Stops accepting, drops what is held, lets requests in flight finish (for grace_ms at most), ends.
 * NULL allowed. */
void traffic_stop(struct traffic *traffic, int64_t grace_ms);
