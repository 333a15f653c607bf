#include "chaos/shell/process/await.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "base/os/clock_os.h"
#include "base/units.h"

static int64_t now_ns(void)
{
    const struct clock clock = clock_os();
    return clock.now(clock.context).mono_ns;
}

int64_t await_deadline_ns(int64_t ms)
{
    return now_ns() + ms * NS_PER_MS;
}

int await_left_ms(int64_t deadline_ns)
{
    int64_t left = deadline_ns - now_ns();
    if (left <= 0)
        return 0;
    int64_t ms = (left + NS_PER_MS - 1) / NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Waits for either descriptor (-1: none) and says which; poll skips a negative one. */
static enum errc wait_for(const struct await *await, int fd, int64_t deadline_ns, bool *readable,
                          bool *interrupted)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
                          {.fd = await->interrupt_fd, .events = POLLIN}};
    int n = 0;
    do {
        n = poll(p, 2, await_left_ms(deadline_ns));
    } while (n < 0 && errno == EINTR);
    *readable = n > 0 && p[0].revents != 0;
    *interrupted = n > 0 && p[1].revents != 0;
    return n < 0 ? ERRC_IO : ERRC_OK;
}

enum errc await_readable(const struct await *await, int fd, int64_t deadline_ns, const char *what,
                         struct errc_why *why)
{
    bool readable = false;
    bool interrupted = false;
    if (wait_for(await, fd, deadline_ns, &readable, &interrupted) != ERRC_OK)
        return errc_fail(why, ERRC_IO, "cannot wait for %s: %s", what, strerror(errno));
    if (readable)
        return ERRC_OK;
    if (interrupted)
        return errc_fail(why, ERRC_UNAVAILABLE, "interrupted while waiting for %s", what);
    return errc_fail(why, ERRC_TIMEOUT, "waited in vain for %s", what);
}
