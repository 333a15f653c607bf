#include "base/os/monocond.h"

#include "base/bug.h"
#include "base/units.h"

void monocond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(cond, &monotonic) == 0);
    CHECK(pthread_condattr_destroy(&monotonic) == 0);
}

struct timespec monocond_at(int64_t mono_ns)
{
    return (struct timespec){.tv_sec = (time_t)(mono_ns / NS_PER_S),
                             .tv_nsec = (long)(mono_ns % NS_PER_S)};
}

struct timespec monocond_in_ms(int64_t ms)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    int64_t now_ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
    return monocond_at(now_ns + (ms < 0 ? 0 : ms) * NS_PER_MS);
}
