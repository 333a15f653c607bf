#include "base/os/clock_os.h"

#include <stddef.h>
#include <time.h>

#include "base/units.h"

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static struct instant now(void *context)
{
    (void)context;
    return (struct instant){.mono_ns = read_ns(CLOCK_MONOTONIC),
                            .wall_ns = read_ns(CLOCK_REALTIME)};
}

struct clock clock_os(void)
{
    return (struct clock){.now = now, .context = NULL};
}
