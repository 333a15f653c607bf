#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/os/clock_os.h"
#include "base/os/monocond.h"
#include "signer/shell/service/run_pool.h"
#include "signer/shell/service/run_store.h"
#include "tests/support/patience.h"

/* The world of one test: a store, a signer that waits until it is let go, and what was told. */
struct world {
    char folder[64];
    struct run_store *store;
    struct run_pool *pool;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    bool hold;        /* signing waits while this is set */
    unsigned signing; /* threads inside sign */
    unsigned most;    /* highest of it */
    unsigned settled;
    unsigned troubles;
    bool stopped;
};

static void lock(struct world *w)
{
    assert_int_equal(pthread_mutex_lock(&w->lock), 0);
}

static void unlock(struct world *w)
{
    assert_int_equal(pthread_cond_broadcast(&w->changed), 0);
    assert_int_equal(pthread_mutex_unlock(&w->lock), 0);
}

/* Waits, under the lock, for *counter to reach a value; fails after the deadline. */
static void await(struct world *w, const unsigned *counter, unsigned value)
{
    const struct timespec until = monocond_in_ms(PATIENCE_S * INT64_C(1000));
    assert_int_equal(pthread_mutex_lock(&w->lock), 0);
    while (*counter < value)
        assert_int_equal(pthread_cond_timedwait(&w->changed, &w->lock, &until), 0);
    assert_int_equal(pthread_mutex_unlock(&w->lock), 0);
}

static void sign(void *context, struct run *run)
{
    struct world *w = context;
    const struct run_signing signing = {.mode = "vault", .attempts = 1};
    lock(w);
    w->signing++;
    w->most = w->signing > w->most ? w->signing : w->most;
    unlock(w);
    assert_int_equal(pthread_mutex_lock(&w->lock), 0);
    while (w->hold)
        (void)pthread_cond_wait(&w->changed, &w->lock);
    w->signing--;
    assert_int_equal(pthread_mutex_unlock(&w->lock), 0);
    assert_int_equal(run_complete(run, &signing, 5, NULL), ERRC_OK);
}

static void on_settled(void *context, const struct run *run)
{
    struct world *w = context;
    struct run back CLEANUP(run_done) = {0};
    /* durable before it is told */
    assert_int_equal(run_store_load(w->store, run->id, &back, NULL), ERRC_OK);
    assert_int_equal(back.status, run->status);
    lock(w);
    w->settled++;
    unlock(w);
}

static void on_trouble(void *context, const char *id, const struct errc_why *why)
{
    struct world *w = context;
    (void)id;
    (void)why;
    lock(w);
    w->troubles++;
    unlock(w);
}

static void on_stopped(void *context)
{
    struct world *w = context;
    lock(w);
    w->stopped = true;
    unlock(w);
}

static void open_world(struct world *w, unsigned threads, unsigned queue)
{
    *w = (struct world){.folder = "/tmp/run-pool-XXXXXX"};
    assert_non_null(mkdtemp(w->folder));
    assert_int_equal(pthread_mutex_init(&w->lock, NULL), 0);
    monocond_init(&w->changed);
    assert_int_equal(run_store_open(w->folder, "api", &w->store, NULL), ERRC_OK);
    const struct run_pool_ports ports = {.store = w->store,
                                         .clock = clock_os(),
                                         .sign = sign,
                                         .sign_context = w,
                                         .settled = on_settled,
                                         .trouble = on_trouble,
                                         .stopped = on_stopped,
                                         .context = w};
    assert_int_equal(run_pool_start(&ports, threads, queue, &w->pool, NULL), ERRC_OK);
}

/* Also for a pool that was stopped before; frees it. */
static void stop_world(struct world *w)
{
    run_pool_stop(w->pool);
    run_pool_free(w->pool);
    assert_true(w->stopped);
}

static void remove_world(struct world *w)
{
    char command[200];
    run_store_close(w->store);
    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", w->folder);
    assert_int_equal(system(command), 0);
}

static void close_world(struct world *w)
{
    stop_world(w);
    remove_world(w);
}

static void set_hold(struct world *w, bool hold)
{
    lock(w);
    w->hold = hold;
    unlock(w);
}

static const char *id_of(unsigned n)
{
    static char id[ENTROPY_UUID_BYTES];
    (void)snprintf(id, sizeof id, "00000000-0000-4000-8000-%012u", n);
    return id;
}

static enum errc submit(struct world *w, unsigned n)
{
    struct run run CLEANUP(run_done) = {0};
    enum errc code = run_pool_reserve(w->pool, NULL);
    if (code != ERRC_OK)
        return code;
    assert_int_equal(run_init(&run, id_of(n), "api", SLICE_LITERAL("{}"), n, NULL), ERRC_OK);
    assert_int_equal(run_store_create(w->store, &run, NULL), ERRC_OK);
    run_pool_put(w->pool, run.id);
    return ERRC_OK;
}

static enum run_status status_of(struct world *w, unsigned n)
{
    struct run back CLEANUP(run_done) = {0};
    assert_int_equal(run_store_load(w->store, id_of(n), &back, NULL), ERRC_OK);
    return back.status;
}

static void test_run_pool__signs_all_that_is_put(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 3, 20);
    for (unsigned n = 0; n < 20; n++)
        assert_int_equal(submit(&w, n), ERRC_OK);
    await(&w, &w.settled, 20);
    for (unsigned n = 0; n < 20; n++)
        assert_int_equal(status_of(&w, n), RUN_COMPLETED);
    assert_true(w.most <= 3);
    close_world(&w);
}

static void test_run_pool__one_that_hangs_does_not_hold_up_the_others(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 2, 4);
    set_hold(&w, true);
    assert_int_equal(submit(&w, 1), ERRC_OK);
    assert_int_equal(submit(&w, 2), ERRC_OK);
    await(&w, &w.most, 2);
    assert_int_equal(status_of(&w, 1), RUN_RUNNING);
    set_hold(&w, false);
    await(&w, &w.settled, 2);
    close_world(&w);
}

static void test_run_pool__a_full_queue_says_so_and_a_place_given_back_is_free(void **state)
{
    (void)state;
    struct world w;
    struct errc_why why = {0};
    open_world(&w, 1, 2);
    set_hold(&w, true);
    assert_int_equal(submit(&w, 1), ERRC_OK);
    await(&w, &w.signing, 1); /* out of the queue */
    assert_int_equal(submit(&w, 2), ERRC_OK);
    assert_int_equal(run_pool_reserve(w.pool, NULL), ERRC_OK);
    assert_int_equal(run_pool_reserve(w.pool, &why), ERRC_UNAVAILABLE);
    assert_string_equal(why.text, "2 runs wait already, try again later");
    run_pool_unreserve(w.pool);
    assert_int_equal(submit(&w, 3), ERRC_OK);
    assert_int_equal(run_pool_queued(w.pool), 2);
    set_hold(&w, false);
    await(&w, &w.settled, 3);
    close_world(&w);
}

static void test_run_pool__a_stop_lets_the_running_end_and_leaves_the_rest_pending(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 1, 4);
    set_hold(&w, true);
    assert_int_equal(submit(&w, 1), ERRC_OK);
    await(&w, &w.signing, 1);
    assert_int_equal(submit(&w, 2), ERRC_OK);
    run_pool_stop(w.pool);
    assert_int_equal(run_pool_reserve(w.pool, NULL), ERRC_UNAVAILABLE);
    set_hold(&w, false);
    await(&w, &w.settled, 1);
    stop_world(&w);
    assert_int_equal(status_of(&w, 1), RUN_COMPLETED);
    assert_int_equal(status_of(&w, 2), RUN_PENDING);
    remove_world(&w);
}

static void test_run_pool__what_is_abandoned_is_pending_and_stays_so(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 1, 4);
    set_hold(&w, true);
    assert_int_equal(submit(&w, 1), ERRC_OK);
    await(&w, &w.signing, 1);
    run_pool_stop(w.pool);
    assert_int_equal(run_pool_abandon(w.pool).runs, 1);
    assert_int_equal(status_of(&w, 1), RUN_PENDING);
    set_hold(&w, false);
    stop_world(&w); /* joins: the thread had its chance to save */
    assert_int_equal(status_of(&w, 1), RUN_PENDING);
    assert_int_equal(w.settled, 0);
    remove_world(&w);
}

/* Nobody has told the idle threads to end: they count as threads, and not as runs. */
static void test_run_pool__an_idle_thread_is_no_unfinished_run(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 3, 4);
    set_hold(&w, true);
    assert_int_equal(submit(&w, 1), ERRC_OK);
    await(&w, &w.signing, 1);
    struct run_pool_left left = run_pool_abandon(w.pool);
    assert_int_equal(left.threads, 3);
    assert_int_equal(left.runs, 1);
    set_hold(&w, false);
    stop_world(&w);
    remove_world(&w);
}

static void test_run_pool__a_save_that_fails_is_tried_until_it_works(void **state)
{
    (void)state;
    struct world w;
    char runs[100], away[100];
    open_world(&w, 1, 4);
    (void)snprintf(runs, sizeof runs, "%s/runs", w.folder);
    (void)snprintf(away, sizeof away, "%s/away", w.folder);
    set_hold(&w, true);
    assert_int_equal(submit(&w, 1), ERRC_OK);
    await(&w, &w.signing, 1);
    assert_int_equal(rename(runs, away), 0);
    set_hold(&w, false);
    await(&w, &w.troubles, 1);
    assert_int_equal(w.settled, 0);
    assert_int_equal(rename(away, runs), 0);
    await(&w, &w.settled, 1);
    assert_int_equal(status_of(&w, 1), RUN_COMPLETED);
    close_world(&w);
}

static void test_run_pool__a_broken_file_is_told_and_passed_over(void **state)
{
    (void)state;
    struct world w;
    char path[160];
    open_world(&w, 1, 4);
    (void)snprintf(path, sizeof path, "%s/runs/%s.json", w.folder, id_of(1));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("garbage", file);
    (void)fclose(file);
    assert_int_equal(run_pool_reserve_found(w.pool, NULL), ERRC_OK);
    run_pool_put(w.pool, id_of(1));
    assert_int_equal(submit(&w, 2), ERRC_OK);
    await(&w, &w.settled, 1);
    assert_int_equal(w.troubles, 1);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_pool__signs_all_that_is_put),
        cmocka_unit_test(test_run_pool__one_that_hangs_does_not_hold_up_the_others),
        cmocka_unit_test(test_run_pool__a_full_queue_says_so_and_a_place_given_back_is_free),
        cmocka_unit_test(test_run_pool__a_stop_lets_the_running_end_and_leaves_the_rest_pending),
        cmocka_unit_test(test_run_pool__what_is_abandoned_is_pending_and_stays_so),
        cmocka_unit_test(test_run_pool__an_idle_thread_is_no_unfinished_run),
        cmocka_unit_test(test_run_pool__a_save_that_fails_is_tried_until_it_works),
        cmocka_unit_test(test_run_pool__a_broken_file_is_told_and_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
