/*
 * traffic: one request of the data port, from its arrival to the record of its end.
 *
 *     identify -> rules -> journal `request` -> (held) -> vault_begin -> job_run -> vault_end ->
 * reply -> journal `reply`
 *
 * Identifying, rules and the `request` record happen under control's lock in one go, so that the
 * journal's order is the order of the decisions. A held request is decided once, when it arrives,
 * and is authorised when it is executed.
 */
#pragma once

#include "base/errc.h"
#include "fakevault/shell/control.h"
#include "fakevault/shell/httpd.h"

struct traffic;

/* Starts serving the gate's connections on `loops` threads. Lends all. */
MUST_USE enum errc traffic_start(struct control *control, unsigned loops, struct traffic **out,
                                 struct errc_why *why);

/* Lets requests in flight finish (for grace_ms at most), then ends. NULL allowed. */
void traffic_stop(struct traffic *traffic, int64_t grace_ms);
