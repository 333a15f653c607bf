#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/units.h"
#include "signer/core/attempt/retry.h"

static const struct config_retry config = {.backoff_base_ms = 250, .backoff_max_ms = 2000};

static void test_retry__caps_double_up_to_the_maximum(void **state)
{
    (void)state;
    static const int64_t caps[] = {250, 500, 1000, 2000, 2000, 2000};
    for (int64_t n = 1; n <= 6; n++)
        assert_int_equal(retry_cap_ms(&config, n), caps[n - 1]);
    const struct config_retry wide = {.backoff_base_ms = 60000, .backoff_max_ms = 600000};
    assert_int_equal(retry_cap_ms(&wide, INT64_C(1) << 40), 600000);
}

static void test_retry__waits_between_half_the_cap_and_the_cap(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 7);
    for (int64_t n = 1; n <= 5; n++) {
        int64_t cap = retry_cap_ms(&config, n), lowest = cap, highest = 0;
        for (int i = 0; i < 5000; i++) {
            int64_t wait = retry_wait_ms(&config, n, &prng);
            lowest = wait < lowest ? wait : lowest;
            highest = wait > highest ? wait : highest;
        }
        assert_true(lowest >= cap / 2 && highest <= cap);
        /* The whole range is used: a constant wait would synchronise the clients. */
        assert_true(lowest < cap / 2 + cap / 20 && highest > cap - cap / 20);
    }
}

static void test_retry__a_cap_of_one_millisecond_works(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 1);
    const struct config_retry tiny = {.backoff_base_ms = 1, .backoff_max_ms = 1};
    assert_int_equal(retry_wait_ms(&tiny, 1, &prng), 1);
}

static void test_retry__reads_retry_after(void **state)
{
    (void)state;
    /* Sun, 06 Nov 1994 08:49:37 GMT */
    const int64_t then_ns = INT64_C(784111777) * NS_PER_S;
    static const struct {
        const char *value;
        int64_t offset_s; /* of now to that moment */
        int64_t ms;       /* -1: not understood */
    } cases[] = {
        {"0", 0, 0},
        {"1", 0, 1000},
        {" 3600 ", 0, 3600000},
        {"99999999999", 0, INT64_C(365) * 86400 * 1000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", -2, 2000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 2, 0},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 0, INT64_C(365) * 86400 * 1000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 0, -1},
        {"Sun, 06 Nox 1994 08:49:37 GMT", 0, -1},
        {"Sun, 06 Nov 1994 24:49:37 GMT", 0, -1},
        {"Sun, 06 Nov 1994 08:49:37 CET", 0, -1},
        {"-1", 0, -1},
        {"1.5", 0, -1},
        {"soon", 0, -1},
        {"", 0, -1},
        {"99999999999999999999999", 0, -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        int64_t now_ns = then_ns + cases[i].offset_s * NS_PER_S;
        bool known = retry_after_ms(slice_of(cases[i].value), now_ns, &ms);
        if (known != (cases[i].ms >= 0) || (known && ms != cases[i].ms))
            fail_msg("\"%s\": %d %lld", cases[i].value, known, (long long)ms);
    }
}

static void test_retry__clamps_what_the_server_asks(void **state)
{
    (void)state;
    assert_int_equal(retry_clamp_ms(&config, 200, 0), 200);
    assert_int_equal(retry_clamp_ms(&config, 200, 1000), 1000);
    assert_int_equal(retry_clamp_ms(&config, 200, 3600000), 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry__caps_double_up_to_the_maximum),
        cmocka_unit_test(test_retry__waits_between_half_the_cap_and_the_cap),
        cmocka_unit_test(test_retry__a_cap_of_one_millisecond_works),
        cmocka_unit_test(test_retry__reads_retry_after),
        cmocka_unit_test(test_retry__clamps_what_the_server_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
