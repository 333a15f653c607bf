/*
 * run_pool: the signing threads of a service and the bounded queue before them.
 *
 * A thread takes an id, loads the run, looks whether it was signed already, signs it if not, and
 * saves each state before it goes on. One hanging Vault holds one thread per run; the others go on.
 */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "signer/core/service/run.h"

struct run_pool;

/* What a pool needs of the world; run_pool_ports outlive the pool. */
struct run_pool_ports {
    struct run_store *store;
    struct clock clock;
    /* Signs one run, or finds that it is signed already; called by up to `threads` threads at once,
     * each with its own index. Steps *run to completed, failed or blocked, in memory only. */
    void (*sign)(void *context, unsigned thread, struct run *run);
    /* A run was saved in a settled state; called by a signing thread. */
    void (*settled)(void *context, const char *id);
    /* Saving failed; it is tried again until it works or the pool stops. */
    void (*trouble)(void *context, const char *id, const struct errc_why *why);
    void *context;
};

/* Starts `threads` threads. ERRC_NOMEM, ERRC_IO. */
MUST_USE enum errc run_pool_start(const struct run_pool_ports *ports, unsigned threads,
                                  unsigned queue_max, struct run_pool **out, struct errc_why *why);

/* Reserves a place for one run; ERRC_UNAVAILABLE when the queue is full. Reserving comes before the
 * run is saved, so that no saved run is without a place. Follow with run_pool_put or
 * run_pool_unreserve. */
MUST_USE enum errc run_pool_reserve(struct run_pool *pool, struct errc_why *why);
void run_pool_unreserve(struct run_pool *pool);
void run_pool_put(struct run_pool *pool, const char *id);

/* Queues a run found at start, beyond the limit if need be. ERRC_NOMEM. */
MUST_USE enum errc run_pool_put_found(struct run_pool *pool, const char *id, struct errc_why *why);

/* Number of runs that wait. */
unsigned run_pool_queued(struct run_pool *pool);

/*
 * Stops: nothing more is taken up, and what is being signed may finish until deadline_mono_ns. A
 * run that is not done by then is saved as pending; its thread will not save it any more. Returns
 * the number of such runs: when it is not 0, threads are left behind and the process must end.
 */
unsigned run_pool_stop(struct run_pool *pool, int64_t deadline_mono_ns);

/* Frees a pool that stopped with 0. NULL allowed. */
void run_pool_free(struct run_pool *pool);
