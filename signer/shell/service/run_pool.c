#include "signer/shell/service/run_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bug.h"
#include "base/limits.h"
#include "base/os/monocond.h"
#include "signer/shell/service/run_store.h"

#define TROUBLE_WAIT_MS 1000 /* before a save that failed is tried again */

struct worker {
    pthread_t thread;
    struct run_pool *pool;
    pthread_mutex_t saving; /* held while the thread saves; guards the two below */
    char id[ENTROPY_UUID_BYTES];
    bool abandoned;
    bool ended;  /* under the pool's lock */
    bool joined; /* the owner's */
};

struct entry {
    struct entry *next;
    char id[ENTROPY_UUID_BYTES];
};

struct run_pool {
    struct run_pool_ports ports;
    pthread_mutex_t lock; /* guards all below but the workers' own */
    pthread_cond_t wake;
    struct entry *head;
    struct entry **tail;
    struct entry *spare; /* one per reservation: putting cannot fail */
    unsigned queued;
    unsigned reserved;
    unsigned queue_max;
    bool stopping;
    unsigned running_threads;
    unsigned worker_count;
    struct worker workers[LIMIT_RUN_THREADS];
};

static void lock(struct run_pool *pool)
{
    CHECK(pthread_mutex_lock(&pool->lock) == 0);
}

static void unlock(struct run_pool *pool)
{
    CHECK(pthread_mutex_unlock(&pool->lock) == 0);
}

/* Waits for the next run; false when the pool stops. */
static bool take(struct worker *worker, char id[static ENTROPY_UUID_BYTES])
{
    struct run_pool *pool = worker->pool;
    lock(pool);
    while (pool->head == NULL && !pool->stopping)
        (void)pthread_cond_wait(&pool->wake, &pool->lock);
    struct entry *entry = pool->stopping ? NULL : pool->head;
    if (entry != NULL) {
        pool->head = entry->next;
        if (pool->head == NULL)
            pool->tail = &pool->head;
        pool->queued--;
    }
    unlock(pool);
    if (entry == NULL)
        return false;
    memcpy(id, entry->id, sizeof entry->id);
    free(entry);
    return true;
}

/* Waits a while before trouble is tried again; false when the pool stops. */
static bool pause_for_trouble(struct run_pool *pool)
{
    const struct timespec until = monocond_in_ms(TROUBLE_WAIT_MS);
    lock(pool);
    while (!pool->stopping && pthread_cond_timedwait(&pool->wake, &pool->lock, &until) == 0)
        ;
    bool stopping = pool->stopping;
    unlock(pool);
    return !stopping;
}

static bool worth_another_try(enum errc code)
{
    return errc_class(code) == ERRC_CLASS_FATAL || errc_class(code) == ERRC_CLASS_TRANSIENT;
}

static bool load(struct worker *worker, const char *id, struct run *run)
{
    struct run_pool *pool = worker->pool;
    struct errc_why why = {0};
    enum errc code;
    do {
        code = run_store_load(pool->ports.store, id, run, &why);
        if (code == ERRC_OK)
            return true;
        pool->ports.trouble(pool->ports.context, id, &why);
    } while (worth_another_try(code) && pause_for_trouble(pool));
    return false;
}

/* Saves until it works; false when the run is not this thread's any more, or the pool stops first.
 */
static bool save(struct worker *worker, const struct run *run)
{
    struct run_pool *pool = worker->pool;
    struct errc_why why = {0};
    do {
        CHECK(pthread_mutex_lock(&worker->saving) == 0);
        bool mine = !worker->abandoned;
        enum errc code = mine ? run_store_save(pool->ports.store, run, &why) : ERRC_OK;
        CHECK(pthread_mutex_unlock(&worker->saving) == 0);
        if (!mine || code == ERRC_OK)
            return mine;
        pool->ports.trouble(pool->ports.context, run->id, &why);
    } while (pause_for_trouble(pool));
    return false;
}

static void set_current(struct worker *worker, const char *id)
{
    CHECK(pthread_mutex_lock(&worker->saving) == 0);
    strcpy(worker->id, id);
    CHECK(pthread_mutex_unlock(&worker->saving) == 0);
}

static void handle(struct worker *worker, const char *id)
{
    const struct run_pool_ports *ports = &worker->pool->ports;
    struct run run CLEANUP(run_done) = {0};
    struct errc_why why = {0};
    if (!load(worker, id, &run))
        return;
    if (run_start(&run, ports->clock.now(ports->clock.context).wall_ns, &why) != ERRC_OK) {
        ports->trouble(ports->context, id, &why);
        return;
    }
    set_current(worker, id);
    if (!save(worker, &run))
        return;
    ports->sign(ports->sign_context, &run);
    CHECK(run_settled(run.status));
    if (save(worker, &run))
        ports->settled(ports->context, &run);
    set_current(worker, "");
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct run_pool *pool = worker->pool;
    char id[ENTROPY_UUID_BYTES];
    while (take(worker, id))
        handle(worker, id);
    lock(pool);
    worker->ended = true;
    bool last = --pool->running_threads == 0;
    unlock(pool);
    if (last)
        pool->ports.stopped(pool->ports.context);
    return NULL;
}

static void init_sync(struct run_pool *pool)
{
    monocond_init(&pool->wake);
    CHECK(pthread_mutex_init(&pool->lock, NULL) == 0);
    for (size_t i = 0; i < LIMIT_RUN_THREADS; i++)
        CHECK(pthread_mutex_init(&pool->workers[i].saving, NULL) == 0);
}

/* Signals are the main loop's: every thread starts with all of them blocked. */
static int start_thread(struct worker *worker)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&worker->thread, NULL, work, worker);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static enum errc start_threads(struct run_pool *pool, unsigned threads, struct errc_why *why)
{
    lock(pool);
    int error = 0;
    while (pool->worker_count < threads && error == 0) {
        struct worker *worker = &pool->workers[pool->worker_count];
        worker->pool = pool;
        error = start_thread(worker);
        pool->worker_count += error == 0;
        pool->running_threads += error == 0;
    }
    unlock(pool);
    if (error != 0)
        return errc_fail(why, ERRC_IO, "cannot start a thread: %s", strerror(error));
    return ERRC_OK;
}

enum errc run_pool_start(const struct run_pool_ports *ports, unsigned threads, unsigned queue_max,
                         struct run_pool **out, struct errc_why *why)
{
    CHECK(threads >= 1 && threads <= LIMIT_RUN_THREADS);
    struct run_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    pool->ports = *ports;
    pool->queue_max = queue_max;
    pool->tail = &pool->head;
    init_sync(pool);
    enum errc code = start_threads(pool, threads, why);
    if (code != ERRC_OK) {
        run_pool_stop(pool);
        run_pool_free(pool);
        return code;
    }
    *out = pool;
    return ERRC_OK;
}

static enum errc reserve(struct run_pool *pool, bool bounded, struct errc_why *why)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    lock(pool);
    bool stopping = pool->stopping;
    bool full = bounded && pool->queued + pool->reserved >= pool->queue_max;
    if (!full && !stopping) {
        entry->next = pool->spare;
        pool->spare = entry;
        pool->reserved++;
        entry = NULL;
    }
    unlock(pool);
    free(entry);
    if (stopping)
        return errc_fail(why, ERRC_UNAVAILABLE, "the service is stopping");
    if (full)
        return errc_fail(why, ERRC_UNAVAILABLE, "%u runs wait already, try again later",
                         pool->queue_max);
    return ERRC_OK;
}

enum errc run_pool_reserve(struct run_pool *pool, struct errc_why *why)
{
    return reserve(pool, true, why);
}

enum errc run_pool_reserve_found(struct run_pool *pool, struct errc_why *why)
{
    return reserve(pool, false, why);
}

static struct entry *take_spare(struct run_pool *pool)
{
    struct entry *entry = pool->spare;
    CHECK(entry != NULL && pool->reserved > 0);
    pool->spare = entry->next;
    pool->reserved--;
    return entry;
}

void run_pool_unreserve(struct run_pool *pool)
{
    lock(pool);
    struct entry *entry = take_spare(pool);
    unlock(pool);
    free(entry);
}

void run_pool_put(struct run_pool *pool, const char *id)
{
    CHECK(strlen(id) < ENTROPY_UUID_BYTES);
    lock(pool);
    struct entry *entry = take_spare(pool);
    strcpy(entry->id, id);
    entry->next = NULL;
    *pool->tail = entry;
    pool->tail = &entry->next;
    pool->queued++;
    CHECK(pthread_cond_broadcast(&pool->wake) == 0);
    unlock(pool);
}

unsigned run_pool_queued(struct run_pool *pool)
{
    lock(pool);
    unsigned queued = pool->queued;
    unlock(pool);
    return queued;
}

void run_pool_stop(struct run_pool *pool)
{
    lock(pool);
    pool->stopping = true;
    CHECK(pthread_cond_broadcast(&pool->wake) == 0);
    unlock(pool);
}

/* Puts the worker's run back to pending on disk, unless the worker has just saved its end. Returns
 * whether there was one that had not ended. */
static bool put_back(struct run_pool *pool, struct worker *worker)
{
    struct run run CLEANUP(run_done) = {0};
    struct errc_why why = {0};
    bool unfinished = false;
    CHECK(pthread_mutex_lock(&worker->saving) == 0);
    worker->abandoned = true;
    if (worker->id[0] != '\0') {
        enum errc code = run_store_load(pool->ports.store, worker->id, &run, &why);
        unfinished = code != ERRC_OK || run.status == RUN_RUNNING;
        if (code == ERRC_OK && unfinished) {
            code = run_resume(&run, pool->ports.clock.now(pool->ports.clock.context).wall_ns, &why);
            if (code == ERRC_OK)
                code = run_store_save(pool->ports.store, &run, &why);
        }
        if (code != ERRC_OK)
            pool->ports.trouble(pool->ports.context, worker->id, &why);
    }
    CHECK(pthread_mutex_unlock(&worker->saving) == 0);
    return unfinished;
}

static void join(struct worker *worker)
{
    if (!worker->joined)
        CHECK(pthread_join(worker->thread, NULL) == 0);
    worker->joined = true;
}

struct run_pool_left run_pool_abandon(struct run_pool *pool)
{
    struct run_pool_left left = {0};
    for (unsigned i = 0; i < pool->worker_count; i++) {
        lock(pool);
        bool ended = pool->workers[i].ended;
        unlock(pool);
        if (ended) {
            join(&pool->workers[i]);
            continue;
        }
        left.runs += put_back(pool, &pool->workers[i]);
        left.threads++;
    }
    return left;
}

static void free_entries(struct entry *entry)
{
    while (entry != NULL) {
        struct entry *next = entry->next;
        free(entry);
        entry = next;
    }
}

void run_pool_free(struct run_pool *pool)
{
    if (pool == NULL)
        return;
    for (unsigned i = 0; i < pool->worker_count; i++)
        join(&pool->workers[i]);
    for (size_t i = 0; i < LIMIT_RUN_THREADS; i++)
        CHECK(pthread_mutex_destroy(&pool->workers[i].saving) == 0);
    CHECK(pthread_cond_destroy(&pool->wake) == 0);
    CHECK(pthread_mutex_destroy(&pool->lock) == 0);
    free_entries(pool->head);
    free_entries(pool->spare);
    free(pool);
}
