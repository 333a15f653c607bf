#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/count.h"
#include "base/prng.h"
#include <cmocka.h>

/* SplitMix64's published sequence for this seed. */
static void test_prng__is_splitmix64(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct prng p;
    prng_init(&p, 1234567);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_true(prng_next(&p) == expected[i]);
}

static void test_prng__the_same_seed_gives_the_same_stream(void **state)
{
    (void)state;
    struct prng a, b, c;
    prng_init(&a, 0);
    prng_init(&b, 0);
    prng_init(&c, 1);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t drawn = prng_next(&a);
        assert_true(drawn == prng_next(&b));
        differs = differs || drawn != prng_next(&c);
    }
    assert_true(differs);
}

static void test_prng_below__stays_below_and_reaches_all(void **state)
{
    (void)state;
    struct prng p;
    prng_init(&p, 42);
    unsigned counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t drawn = prng_below(&p, 7);
        assert_true(drawn < 7);
        counts[drawn]++;
    }
    for (size_t i = 0; i < 7; i++)
        assert_in_range(counts[i], 9600, 10400);
    for (int i = 0; i < 10; i++)
        assert_int_equal(prng_below(&p, 1), 0);
    assert_true(prng_below(&p, UINT64_MAX) < UINT64_MAX);
}

static void test_prng_at__streams_do_not_shift_each_other(void **state)
{
    (void)state;
    assert_true(prng_at(1, 2, 3) == prng_at(1, 2, 3));
    assert_true(prng_at(1, 2, 3) != prng_at(1, 2, 4));
    assert_true(prng_at(1, 2, 3) != prng_at(1, 3, 3));
    assert_true(prng_at(1, 2, 3) != prng_at(2, 2, 3));
    unsigned heads = 0;
    for (uint64_t n = 0; n < 10000; n++)
        heads += (unsigned)(prng_at(7, 0, n) & 1);
    assert_in_range(heads, 4800, 5200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prng__is_splitmix64),
        cmocka_unit_test(test_prng__the_same_seed_gives_the_same_stream),
        cmocka_unit_test(test_prng_below__stays_below_and_reaches_all),
        cmocka_unit_test(test_prng_at__streams_do_not_shift_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
