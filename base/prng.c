#include "base/prng.h"

#include "base/bug.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void prng_init(struct prng *p, uint64_t seed)
{
    p->state = seed;
}

uint64_t prng_next(struct prng *p)
{
    p->state += GOLDEN;
    return mix(p->state);
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
    CHECK(bound >= 1);
    uint64_t threshold = (0 - bound) % bound; /* draws below it would favour small results */
    uint64_t draw = prng_next(p);
    while (draw < threshold)
        draw = prng_next(p);
    return draw % bound;
}

uint64_t prng_at(uint64_t seed, uint64_t stream, uint64_t n)
{
    return mix(mix(mix(seed + GOLDEN) ^ (stream * GOLDEN)) + n * GOLDEN);
}
