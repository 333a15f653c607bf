#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/os/monocond.h"
#include "signer/shell/service/health_poll.h"
#include "tests/support/patience.h"

struct vault {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned asked;
    unsigned told;
    bool up;
    char reason[40];
};

static bool ask(void *context, struct errc_why *why)
{
    struct vault *v = context;
    (void)pthread_mutex_lock(&v->lock);
    bool up = v->asked++ % 2 == 0;
    (void)pthread_mutex_unlock(&v->lock);
    return up || errc_fail(why, ERRC_UNAVAILABLE, "sealed") == ERRC_OK;
}

static void told(void *context, bool up, const struct errc_why *why)
{
    struct vault *v = context;
    (void)pthread_mutex_lock(&v->lock);
    v->told++;
    v->up = up;
    strcpy(v->reason, why->text);
    (void)pthread_cond_broadcast(&v->changed);
    (void)pthread_mutex_unlock(&v->lock);
}

static void await(struct vault *v, unsigned count)
{
    const struct timespec until = monocond_in_ms(PATIENCE_S * INT64_C(1000));
    (void)pthread_mutex_lock(&v->lock);
    while (v->told < count)
        assert_int_equal(pthread_cond_timedwait(&v->changed, &v->lock, &until), 0);
    (void)pthread_mutex_unlock(&v->lock);
}

static struct health_poll *start(struct vault *v, int64_t interval_ms)
{
    struct health_poll *poll = NULL;
    const struct health_poll_ports ports = {.ask = ask, .told = told, .context = v};
    *v = (struct vault){.lock = PTHREAD_MUTEX_INITIALIZER};
    monocond_init(&v->changed);
    assert_int_equal(health_poll_start(&ports, interval_ms, &poll, NULL), ERRC_OK);
    return poll;
}

static void test_health_poll__asks_at_once_and_a_long_interval_does_not_delay_the_end(void **state)
{
    (void)state;
    struct vault v;
    struct health_poll *poll = start(&v, 3600000);
    health_poll_wait_first(poll, 20000);
    health_poll_stop(poll); /* hangs for an hour when the stop does not wake it */
    assert_int_equal(v.told, 1);
    assert_true(v.up);
}

static void test_health_poll__asks_again_and_tells_each_answer(void **state)
{
    (void)state;
    struct vault v;
    struct health_poll *poll = start(&v, 1);
    await(&v, 4);
    health_poll_stop(poll);
    assert_int_equal(v.asked, v.told);
    assert_int_equal(v.up, v.told % 2 == 1);
    assert_string_equal(v.reason, v.up ? "" : "sealed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_poll__asks_at_once_and_a_long_interval_does_not_delay_the_end),
        cmocka_unit_test(test_health_poll__asks_again_and_tells_each_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
