#include "fakevault/shell/data/hold.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fakevault/shell/data/wire.h"

#define EVENTS_PER_TURN 32

struct held {
    struct held *next;
    void *item;
    int fd;
    uint64_t owner;
    uint64_t serial; /* what epoll reports: a pointer could be stale by then */
    enum hold_end end;
};

struct hold {
    hold_wake *wake;
    void *context;
    int epoll_fd;
    int stop_fd; /* eventfd, serial 0 */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards all below */
    struct held *list;
    size_t count;
    uint64_t serials;
    bool stopped;
};

typedef bool chooser(const struct held *held, const void *context);

/* The watch may be a moment behind: what is let go is looked at, too. */
static enum hold_end end_of(const struct held *held, enum hold_end end)
{
    return end == HOLD_RELEASED && wire_hung_up(held->fd) ? HOLD_CLIENT_GONE : end;
}

/* Unlinks those that are chosen, off the watch already; their wait has ended. Under the lock. */
static struct held *take(struct hold *hold, enum hold_end end, chooser *choose, const void *context)
{
    struct held *taken = NULL;
    for (struct held **at = &hold->list; *at != NULL;) {
        struct held *held = *at;
        if (!choose(held, context)) {
            at = &held->next;
            continue;
        }
        *at = held->next;
        hold->count--;
        (void)epoll_ctl(hold->epoll_fd, EPOLL_CTL_DEL, held->fd, NULL);
        held->end = end_of(held, end);
        held->next = taken;
        taken = held;
    }
    return taken;
}

/* Returns how many were woken in order to be executed. Requests are put in front of the list and
 * taken to the front again, so they wake in the order of their arrival. */
static size_t wake_all(struct hold *hold, struct held *taken)
{
    size_t count = 0;
    while (taken != NULL) {
        struct held *next = taken->next;
        count += taken->end == HOLD_RELEASED;
        hold->wake(hold->context, taken->item, taken->end);
        free(taken);
        taken = next;
    }
    return count;
}

static bool has_serial(const struct held *held, const void *context)
{
    const uint64_t *serial = context;
    return held->serial == *serial;
}

static bool is_any(const struct held *held, const void *context)
{
    (void)held;
    (void)context;
    return true;
}

static void client_gone(struct hold *hold, uint64_t serial)
{
    (void)pthread_mutex_lock(&hold->lock);
    struct held *taken = take(hold, HOLD_CLIENT_GONE, has_serial, &serial);
    (void)pthread_mutex_unlock(&hold->lock);
    (void)wake_all(hold, taken);
}

static void *watch(void *context)
{
    struct hold *hold = context;
    struct epoll_event events[EVENTS_PER_TURN];
    for (;;) {
        int n = epoll_wait(hold->epoll_fd, events, EVENTS_PER_TURN, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 == 0)
                return NULL;
            client_gone(hold, events[i].data.u64);
        }
        if (n < 0 && errno != EINTR)
            return NULL;
    }
}

static enum errc begin(struct hold *hold, struct errc_why *why)
{
    struct epoll_event stop = {.events = EPOLLIN};
    hold->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    hold->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (hold->epoll_fd < 0 || hold->stop_fd < 0 ||
        epoll_ctl(hold->epoll_fd, EPOLL_CTL_ADD, hold->stop_fd, &stop) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot watch held requests: %s", strerror(errno));
    if (pthread_create(&hold->thread, NULL, watch, hold) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot start a thread");
    hold->started = true;
    return ERRC_OK;
}

enum errc hold_start(hold_wake *wake, void *context, struct hold **out, struct errc_why *why)
{
    struct hold *hold = calloc(1, sizeof *hold);
    if (hold == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    hold->wake = wake;
    hold->context = context;
    (void)pthread_mutex_init(&hold->lock, NULL);
    enum errc code = begin(hold, why);
    if (code != ERRC_OK) {
        hold_free(hold);
        return code;
    }
    *out = hold;
    return ERRC_OK;
}

void hold_stop(struct hold *hold)
{
    (void)pthread_mutex_lock(&hold->lock);
    hold->stopped = true;
    struct held *taken = take(hold, HOLD_STOPPED, is_any, NULL);
    (void)pthread_mutex_unlock(&hold->lock);
    (void)wake_all(hold, taken);
}

void hold_free(struct hold *hold)
{
    if (hold == NULL)
        return;
    const uint64_t one = 1;
    if (hold->started && write(hold->stop_fd, &one, sizeof one) == sizeof one)
        (void)pthread_join(hold->thread, NULL);
    if (hold->epoll_fd >= 0)
        (void)close(hold->epoll_fd);
    if (hold->stop_fd >= 0)
        (void)close(hold->stop_fd);
    (void)pthread_mutex_destroy(&hold->lock);
    free(hold);
}

/* Takes `held` over on success. Under the lock. */
static enum errc enter(struct hold *hold, struct held *held)
{
    if (hold->stopped)
        return ERRC_STATE;
    held->serial = ++hold->serials;
    struct epoll_event gone = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = held->serial};
    if (epoll_ctl(hold->epoll_fd, EPOLL_CTL_ADD, held->fd, &gone) != 0)
        return ERRC_NOMEM;
    held->next = hold->list;
    hold->list = held;
    hold->count++;
    return ERRC_OK;
}

enum errc hold_put(struct hold *hold, void *item, int fd, uint64_t owner)
{
    struct held *held = calloc(1, sizeof *held);
    if (held == NULL)
        return ERRC_NOMEM;
    *held = (struct held){.item = item, .fd = fd, .owner = owner};
    (void)pthread_mutex_lock(&hold->lock);
    enum errc code = enter(hold, held);
    (void)pthread_mutex_unlock(&hold->lock);
    if (code != ERRC_OK)
        free(held);
    return code;
}

struct release {
    bool (*keep)(void *context, uint64_t owner);
    void *context;
};

static bool is_not_kept(const struct held *held, const void *context)
{
    const struct release *release = context;
    return !release->keep(release->context, held->owner);
}

size_t hold_release(struct hold *hold, bool (*keep)(void *context, uint64_t owner), void *context)
{
    const struct release release = {keep, context};
    (void)pthread_mutex_lock(&hold->lock);
    struct held *taken = take(hold, HOLD_RELEASED, is_not_kept, &release);
    (void)pthread_mutex_unlock(&hold->lock);
    return wake_all(hold, taken);
}

size_t hold_count(struct hold *hold)
{
    (void)pthread_mutex_lock(&hold->lock);
    size_t count = hold->count;
    (void)pthread_mutex_unlock(&hold->lock);
    return count;
}
