/*
 * service_sign: signs a run, and says in the run's words how that went.
 *
 *     signing says                                the run becomes
 *     completed                                   completed
 *     blocked, or failed for a passing reason     blocked
 *     failed, or signed with other content        failed
 */
#pragma once

#include "base/clock.h"
#include "signer/core/ids.h"
#include "signer/core/service/run.h"
#include "signer/shell/signing.h"

struct run_store;
struct service_stats;

struct service_sign {
    struct signing *signing;
    struct run_store *store;
    struct service_stats *stats;
    struct ids_actor actor;
    struct clock clock;
};

/* Fits run_pool_ports.sign; context is a struct service_sign. */
void service_sign_run(void *context, struct run *run);

/* Steps a running run by a result; ERRC_STATE when it does not run. */
MUST_USE enum errc service_sign_apply(struct run *run, const struct signing_result *result,
                                      int64_t now_ns, struct errc_why *why);
