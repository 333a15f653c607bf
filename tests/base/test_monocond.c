#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/os/clock_os.h"
#include "base/os/monocond.h"
#include "base/units.h"

static int64_t now_ns(void)
{
    const struct clock clock = clock_os();
    return clock.now(clock.context).mono_ns;
}

/* Waits for what nobody signals; returns how long that took. */
static int64_t waited_ns(struct timespec until)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    monocond_init(&cond);
    int64_t start_ns = now_ns();
    assert_int_equal(pthread_mutex_lock(&lock), 0);
    int end = 0;
    while (end == 0)
        end = pthread_cond_timedwait(&cond, &lock, &until);
    assert_int_equal(end, ETIMEDOUT);
    assert_int_equal(pthread_mutex_unlock(&lock), 0);
    assert_int_equal(pthread_cond_destroy(&cond), 0);
    return now_ns() - start_ns;
}

/* By the wall clock, the time to wait for would be decades ago. */
static void test_monocond__waits_by_the_monotonic_clock(void **state)
{
    (void)state;
    int64_t until_ns = now_ns() + 30 * NS_PER_MS;
    (void)waited_ns(monocond_at(until_ns));
    assert_true(now_ns() >= until_ns);
    assert_true(waited_ns(monocond_in_ms(30)) >= 29 * NS_PER_MS);
}

static void test_monocond__less_than_no_time_is_none(void **state)
{
    (void)state;
    int64_t before_ns = now_ns();
    struct timespec at = monocond_in_ms(INT64_MIN);
    assert_true(at.tv_sec * NS_PER_S + at.tv_nsec >= before_ns);
    (void)waited_ns(at);
}

static void test_monocond_at__splits_at_the_second(void **state)
{
    (void)state;
    assert_int_equal(monocond_at(0).tv_sec, 0);
    assert_int_equal(monocond_at(NS_PER_S - 1).tv_sec, 0);
    assert_int_equal(monocond_at(NS_PER_S - 1).tv_nsec, NS_PER_S - 1);
    assert_int_equal(monocond_at(3 * NS_PER_S).tv_sec, 3);
    assert_int_equal(monocond_at(3 * NS_PER_S).tv_nsec, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monocond__waits_by_the_monotonic_clock),
        cmocka_unit_test(test_monocond__less_than_no_time_is_none),
        cmocka_unit_test(test_monocond_at__splits_at_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
