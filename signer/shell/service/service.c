#include "signer/shell/service/service.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/os/ready.h"
#include "base/units.h"
#include "signer/shell/service/run_pool.h"
#include "signer/shell/service/run_store.h"
#include "signer/shell/service/service_api.h"
#include "signer/shell/service/service_http.h"
#include "signer/shell/service/service_listen.h"
#include "signer/shell/service/service_log.h"
#include "signer/shell/service/service_sign.h"
#include "signer/shell/service/service_stats.h"
#include "signer/shell/service/service_vault.h"

#define FIRST_HEALTH_MS 1000 /* a start does not wait longer for a Vault that hangs */
#define GRACE_MS 1000        /* beyond the total timeout, for the disk */
#define FLUSH_MS 1000        /* for answers that are on their way when all is done */
#define SETTLED_MAX 64       /* told to the loop one by one; beyond, all who wait are asked */

/* What signing threads tell the loop. */
struct news {
    pthread_mutex_t lock; /* guards all below */
    int fd;               /* eventfd: there is news */
    char settled[SETTLED_MAX][ENTROPY_UUID_BYTES];
    size_t settled_count;
    bool overflow;
    bool stopped; /* the pool's last thread has ended */
};

enum phase { SERVING, DRAINING, FLUSHING, ENDED };

struct service {
    const struct service_options *options;
    const struct startup *startup;
    struct stderrlog log;
    struct service_stats stats;
    struct news news;
    int signal_fd;
    struct signing *signing;
    struct run_store *store;
    struct service_sign sign;
    struct run_pool *pool;
    struct service_api api;
    struct service_http *http;
    struct service_vault *vault;
    enum phase phase;
    int64_t phase_ends_ns; /* monotonic; in DRAINING and FLUSHING */
    struct run_pool_left left_behind;
};

static int64_t mono_now(const struct service *s)
{
    return s->startup->clock.now(s->startup->clock.context).mono_ns;
}

static void wake_loop(struct news *news)
{
    const uint64_t one = 1;
    /* it can fail only when the counter is full, and then the loop wakes anyway */
    ssize_t ignored = write(news->fd, &one, sizeof one);
    (void)ignored;
}

static void on_settled(void *context, const struct run *run)
{
    struct service *s = context;
    service_log_run(&s->log, run);
    service_stats_run(&s->stats, run->status);
    CHECK(pthread_mutex_lock(&s->news.lock) == 0);
    if (s->news.settled_count < SETTLED_MAX)
        strcpy(s->news.settled[s->news.settled_count++], run->id);
    else
        s->news.overflow = true;
    CHECK(pthread_mutex_unlock(&s->news.lock) == 0);
    wake_loop(&s->news);
}

static void on_trouble(void *context, const char *id, const struct errc_why *why)
{
    const struct service *s = context;
    service_log_trouble(&s->log, id, why);
}

static void on_stopped(void *context)
{
    struct service *s = context;
    CHECK(pthread_mutex_lock(&s->news.lock) == 0);
    s->news.stopped = true;
    CHECK(pthread_mutex_unlock(&s->news.lock) == 0);
    wake_loop(&s->news);
}

static void on_answered(void *context, unsigned status)
{
    struct service *s = context;
    service_stats_http(&s->stats, status);
}

/* Takes the news; returns whether the pool has stopped. */
static bool read_news(struct service *s)
{
    struct news *news = &s->news;
    uint64_t count = 0;
    ssize_t ignored = read(news->fd, &count, sizeof count);
    (void)ignored;
    CHECK(pthread_mutex_lock(&news->lock) == 0);
    for (size_t i = 0; i < news->settled_count && !news->overflow; i++)
        service_http_settled(s->http, news->settled[i]);
    if (news->overflow)
        service_http_settled(s->http, NULL);
    news->settled_count = 0;
    news->overflow = false;
    bool stopped = news->stopped;
    CHECK(pthread_mutex_unlock(&news->lock) == 0);
    return stopped;
}

/* Signals become readable on a descriptor; threads that start later inherit the mask. */
static enum errc catch_signals(struct service *s, struct errc_why *why)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->news.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->signal_fd < 0 || s->news.fd < 0)
        return errc_fail(why, ERRC_IO, "cannot wait for signals: %s", strerror(errno));
    return ERRC_OK;
}

static enum errc take_up_found(void *context, const char *id, struct errc_why *why)
{
    struct service *s = context;
    struct run run CLEANUP(run_done) = {0};
    TRY(run_store_load(s->store, id, &run, why));
    service_log_taken_up(&s->log, &run);
    TRY(run_resume(&run, s->startup->clock.now(s->startup->clock.context).wall_ns, why));
    TRY(run_pool_reserve_found(s->pool, why));
    enum errc code = run_store_save(s->store, &run, why);
    if (code != ERRC_OK) {
        run_pool_unreserve(s->pool);
        return code;
    }
    run_pool_put(s->pool, id);
    return ERRC_OK;
}

static void on_bad_file(void *context, const char *file, const struct errc_why *why)
{
    const struct service *s = context;
    service_log_trouble(&s->log, file, why);
}

static enum errc open_runs(struct service *s, struct errc_why *why)
{
    const struct service_options *o = s->options;
    struct ids_actor actor;
    TRY(ids_actor_make(IDS_AUTOMATION, o->name, &actor, why));
    TRY(signing_open(s->startup, o->name, &s->signing, why));
    TRY(run_store_open(o->data, o->name, &s->store, why));
    s->sign = (struct service_sign){.signing = s->signing,
                                    .store = s->store,
                                    .stats = &s->stats,
                                    .actor = actor,
                                    .clock = s->startup->clock};
    struct run_pool_ports ports = {.store = s->store,
                                   .clock = s->startup->clock,
                                   .sign = service_sign_run,
                                   .sign_context = &s->sign,
                                   .settled = on_settled,
                                   .trouble = on_trouble,
                                   .stopped = on_stopped,
                                   .context = s};
    TRY(run_pool_start(&ports, o->threads, o->queue, &s->pool, why));
    return ERRC_OK;
}

static enum errc open_http(struct service *s, int fd, struct errc_why *why)
{
    s->api = (struct service_api){.service = s->options->name,
                                  .store = s->store,
                                  .pool = s->pool,
                                  .stats = &s->stats,
                                  .audit_log = s->startup->config.audit_log,
                                  .allow_fallback = s->startup->config.allow_fallback,
                                  .clock = s->startup->clock,
                                  .log = s->log};
    struct service_http_ports ports = {.answer = service_api_answer,
                                       .answer_context = &s->api,
                                       .answered = on_answered,
                                       .context = s,
                                       .guard = {s->options->listen, s->options->names},
                                       .entropy = s->startup->entropy,
                                       .clock = s->startup->clock};
    return service_http_open(fd, &ports, &s->http, why);
}

static enum errc open_all(struct service *s, struct errc_why *why)
{
    const struct service_options *o = s->options;
    struct service_listen socket;
    TRY(catch_signals(s, why));
    TRY(open_runs(s, why));
    TRY(service_listen_open(o->listen, &socket, why));
    TRY(open_http(s, socket.fd, why));
    const struct run_store_visitor visitor = {
        .visit = take_up_found, .bad = on_bad_file, .context = s};
    TRY(run_store_each_open(s->store, &visitor, why));
    TRY(service_vault_start(s->startup, &s->stats, s->log, &s->vault, why));
    service_vault_wait_first(s->vault, FIRST_HEALTH_MS);
    service_log_start(&s->log, o, s->startup, &socket);
    struct ready ready = {.fd = o->ready_fd, .port_file = o->port_file, .port = socket.port};
    return ready_announce(&ready, why);
}

/* Reads every signal that is there; returns whether there was one. */
static bool read_signal(struct service *s)
{
    struct signalfd_siginfo info;
    bool any = false;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        any = true;
    return any;
}

static void enter(struct service *s, enum phase phase, int64_t ms)
{
    s->phase = phase;
    s->phase_ends_ns = mono_now(s) + ms * NS_PER_MS;
}

static void start_draining(struct service *s)
{
    service_log_word(&s->log, "info", "stopping");
    service_http_quiesce(s->http);
    service_vault_quit(s->vault);
    run_pool_stop(s->pool);
    enter(s, DRAINING, s->startup->config.retry.total_timeout_ms + GRACE_MS);
}

static void start_flushing(struct service *s, bool stopped)
{
    if (!stopped)
        s->left_behind = run_pool_abandon(s->pool);
    service_http_stop_waiting(s->http);
    enter(s, FLUSHING, FLUSH_MS);
}

static void advance(struct service *s, bool signalled, bool stopped)
{
    bool due = mono_now(s) >= s->phase_ends_ns;
    switch (s->phase) {
    case SERVING:
        if (signalled)
            start_draining(s);
        break;
    case DRAINING:
        if (stopped || due || signalled)
            start_flushing(s, stopped);
        break;
    case FLUSHING:
        if (service_http_busy(s->http) == 0 || due)
            s->phase = ENDED;
        break;
    case ENDED:
        break;
    }
}

static int timeout_ms(struct service *s)
{
    int ms = service_http_timeout_ms(s->http);
    if (s->phase == SERVING)
        return ms;
    if (s->phase == FLUSHING && service_http_busy(s->http) == 0)
        return 0;
    int64_t left = (s->phase_ends_ns - mono_now(s)) / NS_PER_MS + 1;
    left = left < 0 ? 0 : left;
    return ms < 0 || left < ms ? (int)left : ms;
}

static void serve(struct service *s)
{
    while (s->phase != ENDED) {
        struct pollfd fds[] = {{.fd = service_http_fd(s->http), .events = POLLIN},
                               {.fd = s->news.fd, .events = POLLIN},
                               {.fd = s->signal_fd, .events = POLLIN}};
        int n = poll(fds, COUNT(fds), timeout_ms(s));
        CHECK(n >= 0 || errno == EINTR);
        bool stopped = read_news(s);
        service_http_step(s->http);
        advance(s, read_signal(s), stopped);
    }
}

/* Reverse order of opening. */
static void close_all(struct service *s)
{
    service_vault_stop(s->vault);
    service_http_close(s->http);
    if (s->pool != NULL)
        run_pool_stop(s->pool);
    run_pool_free(s->pool);
    run_store_close(s->store);
    if (s->signing != NULL)
        signing_close(s->signing);
    if (s->signal_fd >= 0)
        (void)close(s->signal_fd);
    if (s->news.fd >= 0)
        (void)close(s->news.fd);
    service_stats_done(&s->stats);
    CHECK(pthread_mutex_destroy(&s->news.lock) == 0);
}

enum errc service_run(const struct service_options *options, const struct startup *startup,
                      struct errc_why *why)
{
    struct service s = {.options = options,
                        .startup = startup,
                        .log = {.clock = startup->clock, .actor = options->name},
                        .news = {.fd = -1},
                        .signal_fd = -1};
    CHECK(pthread_mutex_init(&s.news.lock, NULL) == 0);
    service_stats_init(&s.stats, startup->config.allow_fallback);
    enum errc code = open_all(&s, why);
    if (code == ERRC_OK) {
        serve(&s);
        service_log_stopped(&s.log, s.left_behind.runs);
        if (s.left_behind.threads > 0)
            _exit(0); /* a thread still uses what would be freed here */
    }
    close_all(&s);
    return code;
}
