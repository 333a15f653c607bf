/*
 * run_pool: the signing threads of a service and the bounded queue before them.
 *
 * A thread takes an id, loads the run, starts it, saves it, signs it, saves it, tells it: nobody
 * learns of a state that a crash could take back. One hanging Vault holds one thread per run; the
 * others go on.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "signer/core/service/run.h"

struct run_pool;
struct run_store;

/* What a pool needs of the world. Store and context outlive the pool. */
struct run_pool_ports {
    struct run_store *store;
    struct clock clock;
    /* Signs a running run, or finds that it was signed already, and steps it to completed, failed
     * or blocked. Called by all threads at once, for different runs. */
    void (*sign)(void *context, struct run *run);
    void *sign_context;
    /* A run was saved in a settled state; called by a signing thread. */
    void (*settled)(void *context, const struct run *run);
    /* A run could not be loaded or saved. It is tried again, unless the file is broken. */
    void (*trouble)(void *context, const char *id, const struct errc_why *why);
    /* The last thread has ended; called by it. */
    void (*stopped)(void *context);
    void *context;
};

/* Starts `threads` threads (1..LIMIT_RUN_THREADS). ERRC_NOMEM, ERRC_IO. */
MUST_USE enum errc run_pool_start(const struct run_pool_ports *ports, unsigned threads,
                                  unsigned queue_max, struct run_pool **out, struct errc_why *why);

/*
 * Reserves a place for a run that is about to be saved as pending, so that none is saved that
 * nobody will take up. ERRC_UNAVAILABLE when the queue is full or the pool stops. Follow with
 * run_pool_put, or run_pool_unreserve when it was not saved.
 */
MUST_USE enum errc run_pool_reserve(struct run_pool *pool, struct errc_why *why);
void run_pool_unreserve(struct run_pool *pool);
void run_pool_put(struct run_pool *pool, const char *id);

/* Makes a place beyond the limit, for a run found at start. ERRC_NOMEM. */
MUST_USE enum errc run_pool_reserve_found(struct run_pool *pool, struct errc_why *why);

/* Number of runs that wait. */
unsigned run_pool_queued(struct run_pool *pool);

/* Stops taking up; what is being signed goes on. Returns at once; ports.stopped tells the end. */
void run_pool_stop(struct run_pool *pool);

/* Threads that have not ended, idle ones that have not woken up among them, and the runs that they
 * were signing. */
struct run_pool_left {
    unsigned threads;
    unsigned runs;
};

/*
 * After run_pool_stop: saves every run that is still being signed as pending; its thread will not
 * save it any more. Returns what is left behind. While threads are, the pool cannot be freed and
 * the process must end.
 */
struct run_pool_left run_pool_abandon(struct run_pool *pool);

/* Joins the threads and frees a pool of which none was left behind. NULL allowed. */
void run_pool_free(struct run_pool *pool);
