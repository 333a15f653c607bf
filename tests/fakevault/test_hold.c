/* Requests that wait: each ends its wait once, and a client that has hung up is never let go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errc.h"
#include "fakevault/shell/data/hold.h"

#define ROUNDS 500
#define CLIENTS 8

struct ends {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t count[HOLD_STOPPED + 1];
    size_t all;
};

static void on_wake(void *context, void *item, enum hold_end end)
{
    struct ends *ends = context;
    (void)item;
    (void)pthread_mutex_lock(&ends->lock);
    ends->count[end]++;
    ends->all++;
    (void)pthread_cond_signal(&ends->changed);
    (void)pthread_mutex_unlock(&ends->lock);
}

static void wait_for(struct ends *ends, size_t all)
{
    (void)pthread_mutex_lock(&ends->lock);
    while (ends->all < all)
        (void)pthread_cond_wait(&ends->changed, &ends->lock);
    (void)pthread_mutex_unlock(&ends->lock);
}

static bool keep_none(void *context, uint64_t owner)
{
    (void)context;
    (void)owner;
    return false;
}

static struct hold *start(struct ends *ends)
{
    struct hold *hold = NULL;
    *ends = (struct ends){.all = 0};
    (void)pthread_mutex_init(&ends->lock, NULL);
    (void)pthread_cond_init(&ends->changed, NULL);
    assert_int_equal(hold_start(on_wake, ends, &hold, NULL), ERRC_OK);
    return hold;
}

static void put(struct hold *hold, int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(send(pair[1], "unread", 6, 0), 6);
    assert_int_equal(hold_put(hold, NULL, pair[0], 0), ERRC_OK);
}

/* The watch is a thread, and rarely first: the release has to look for itself. */
static void test_hold__what_has_hung_up_is_not_let_go(void **state)
{
    (void)state;
    struct ends ends;
    struct hold *hold = start(&ends);
    for (size_t round = 1; round <= ROUNDS; round++) {
        int pairs[CLIENTS][2];
        for (size_t i = 0; i < CLIENTS; i++)
            put(hold, pairs[i]);
        for (size_t i = 0; i < CLIENTS; i++)
            (void)close(pairs[i][1]);
        assert_int_equal(hold_release(hold, keep_none, NULL), 0);
        wait_for(&ends, round * CLIENTS);
        for (size_t i = 0; i < CLIENTS; i++)
            (void)close(pairs[i][0]);
    }
    assert_int_equal(ends.count[HOLD_RELEASED], 0);
    assert_int_equal(ends.count[HOLD_CLIENT_GONE], ROUNDS * CLIENTS);
    hold_free(hold);
}

static void test_hold__who_waits_is_let_go(void **state)
{
    (void)state;
    struct ends ends;
    struct hold *hold = start(&ends);
    int pair[2], other[2];
    put(hold, pair);
    assert_int_equal(hold_count(hold), 1);
    assert_int_equal(hold_release(hold, keep_none, NULL), 1);
    wait_for(&ends, 1);
    assert_int_equal(ends.count[HOLD_RELEASED], 1);
    put(hold, other);
    hold_stop(hold);
    assert_int_equal(ends.count[HOLD_STOPPED], 1);
    assert_int_equal(hold_put(hold, NULL, pair[0], 0), ERRC_STATE);
    hold_free(hold);
    for (size_t i = 0; i < 2; i++) {
        (void)close(pair[i]);
        (void)close(other[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold__what_has_hung_up_is_not_let_go),
        cmocka_unit_test(test_hold__who_waits_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
