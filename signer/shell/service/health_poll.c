#include "signer/shell/service/health_poll.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bug.h"
#include "base/os/monocond.h"

struct health_poll {
    struct health_poll_ports ports;
    int64_t interval_ms;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the two below */
    pthread_cond_t changed;
    bool first;
    bool stopping;
};

/* Waits until `until`, or until *flag is true. Requires the lock. Returns *flag. */
static bool wait_for(struct health_poll *poll, const bool *flag, const struct timespec *until)
{
    while (!*flag && pthread_cond_timedwait(&poll->changed, &poll->lock, until) == 0)
        ;
    return *flag;
}

static void *work(void *context)
{
    struct health_poll *poll = context;
    bool stopping = false;
    while (!stopping) {
        struct timespec next = monocond_in_ms(poll->interval_ms);
        struct errc_why why = {0};
        bool up = poll->ports.ask(poll->ports.context, &why);
        poll->ports.told(poll->ports.context, up, &why);
        CHECK(pthread_mutex_lock(&poll->lock) == 0);
        poll->first = true;
        CHECK(pthread_cond_broadcast(&poll->changed) == 0);
        stopping = wait_for(poll, &poll->stopping, &next);
        CHECK(pthread_mutex_unlock(&poll->lock) == 0);
    }
    return NULL;
}

static void init_sync(struct health_poll *poll)
{
    monocond_init(&poll->changed);
    CHECK(pthread_mutex_init(&poll->lock, NULL) == 0);
}

static void discard(struct health_poll *poll)
{
    CHECK(pthread_cond_destroy(&poll->changed) == 0);
    CHECK(pthread_mutex_destroy(&poll->lock) == 0);
    free(poll);
}

enum errc health_poll_start(const struct health_poll_ports *ports, int64_t interval_ms,
                            struct health_poll **out, struct errc_why *why)
{
    sigset_t all, before;
    struct health_poll *poll = calloc(1, sizeof *poll);
    if (poll == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    poll->ports = *ports;
    poll->interval_ms = interval_ms;
    init_sync(poll);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&poll->thread, NULL, work, poll);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        discard(poll);
        return errc_fail(why, ERRC_IO, "cannot start a thread: %s", strerror(error));
    }
    *out = poll;
    return ERRC_OK;
}

void health_poll_wait_first(struct health_poll *poll, int64_t timeout_ms)
{
    struct timespec until = monocond_in_ms(timeout_ms);
    CHECK(pthread_mutex_lock(&poll->lock) == 0);
    (void)wait_for(poll, &poll->first, &until);
    CHECK(pthread_mutex_unlock(&poll->lock) == 0);
}

void health_poll_quit(struct health_poll *poll)
{
    if (poll == NULL)
        return;
    CHECK(pthread_mutex_lock(&poll->lock) == 0);
    poll->stopping = true;
    CHECK(pthread_cond_broadcast(&poll->changed) == 0);
    CHECK(pthread_mutex_unlock(&poll->lock) == 0);
}

void health_poll_stop(struct health_poll *poll)
{
    if (poll == NULL)
        return;
    health_poll_quit(poll);
    CHECK(pthread_join(poll->thread, NULL) == 0);
    discard(poll);
}
