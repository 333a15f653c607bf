#include "fakevault/shell/data/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bug.h"

#define BLOCK_BYTES (16u << 10) /* of a TLS record */
#define EVENTS_PER_TURN 64
#define THREADS_MAX 16u
#define HANDSHAKE_S 10 /* Vault's http_read_header_timeout */
#define TICK_MS 1000   /* while handshakes are under way */

/* Bytes on their way: from..to are still to be written. */
struct block {
    size_t from, to;
    char bytes[BLOCK_BYTES];
};

/* One end of the connection, as epoll knows it. */
struct side {
    int fd;
    struct tls_conn *conn;
    uint32_t asked; /* the events that are waited for; 0: epoll does not know it */
};

struct tls_conn {
    struct tls_conn *previous, *next;
    struct side tcp, inner;
    struct tls_session *session;
    void *user;
    time_t born;
    bool shaken;              /* the handshake is done */
    bool tcp_ended;           /* nothing more comes from the client */
    bool tcp_dead;            /* nor goes to it */
    bool inner_told;          /* the server knows that nothing more comes */
    bool inner_ended;         /* the server has closed its end */
    bool wants_in, wants_out; /* of the TCP socket, to get on with a write */
    bool finished;
    struct block in, out; /* to the server, to the client */
};

struct loop {
    struct tls *tls;
    pthread_t thread;
    bool started;
    int epoll_fd, wake_fd;
    pthread_mutex_t lock; /* guards `arrived` */
    struct tls_conn *arrived;
    struct tls_conn *open; /* the thread's own */
};

struct tls {
    struct tls_options options;
    struct tls_events events;
    pthread_mutex_t lock; /* guards all below */
    struct tls_session_context *context;
    bool stopping, ending;
    size_t shaking; /* handshakes whose end has not been told yet */
    pthread_cond_t quiet;
    unsigned loop_count, next;
    struct loop loops[THREADS_MAX];
};

enum errc tls_reload(struct tls *tls, struct errc_why *why)
{
    struct tls_session_context *fresh = NULL;
    TRY(tls_session_context_new(&tls->options, &fresh, why));
    (void)pthread_mutex_lock(&tls->lock);
    struct tls_session_context *old = tls->context;
    tls->context = fresh;
    (void)pthread_mutex_unlock(&tls->lock);
    tls_session_context_free(old); /* connections hold it as long as they need it */
    return ERRC_OK;
}

/* ---- one connection: the thread's own ---- */

static bool would_wait(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static time_t seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* What Go's server says to one who speaks plain HTTP here. */
static void refuse_plain_http(const struct tls_conn *c)
{
    static const char answer[] = "HTTP/1.0 400 Bad Request\r\n\r\n"
                                 "Client sent an HTTP request to an HTTPS server.\n";
    char rest[4096];
    (void)!send(c->tcp.fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    (void)shutdown(c->tcp.fd, SHUT_WR);
    while (recv(c->tcp.fd, rest, sizeof rest, 0) > 0) /* unread bytes would make it a reset */
        continue;
}

/* The end of a handshake has been told. */
static void told(struct tls *tls)
{
    (void)pthread_mutex_lock(&tls->lock);
    if (--tls->shaking == 0)
        (void)pthread_cond_broadcast(&tls->quiet);
    (void)pthread_mutex_unlock(&tls->lock);
}

static void give_up(struct tls_conn *c, struct tls *tls, enum tls_end end)
{
    tls->events.failed(tls->events.context, c->user, end);
    told(tls);
    c->finished = true;
}

static void note_wants(struct tls_conn *c, enum tls_session_end end)
{
    c->wants_in = end == TLS_SESSION_WANTS_IN;
    c->wants_out = end == TLS_SESSION_WANTS_OUT;
}

static void shake(struct tls_conn *c, struct tls *tls)
{
    enum tls_session_end end = tls_session_accept(c->session);
    note_wants(c, end);
    if (c->wants_in || c->wants_out)
        return;
    if (end == TLS_SESSION_DONE) {
        c->shaken = true;
        tls->events.ready(tls->events.context, c->user);
        told(tls);
        return;
    }
    if (end == TLS_SESSION_PLAIN_HTTP)
        refuse_plain_http(c);
    give_up(c, tls, TLS_END_CLIENT);
}

/* Each returns true when it got on. */
static bool read_client(struct tls_conn *c)
{
    if (c->in.to > c->in.from || c->tcp_ended)
        return false;
    c->in.from = 0;
    enum tls_session_end end =
        tls_session_read(c->session, c->in.bytes, sizeof c->in.bytes, &c->in.to);
    c->tcp_dead = end == TLS_SESSION_BROKEN;
    c->tcp_ended = c->tcp_dead || end == TLS_SESSION_ENDED;
    return c->tcp_ended || end == TLS_SESSION_DONE;
}

static bool write_server(struct tls_conn *c)
{
    if (c->in.to == c->in.from) {
        if (!c->tcp_ended || c->inner_told)
            return false;
        c->inner_told = true;
        (void)shutdown(c->inner.fd, SHUT_WR);
        return true;
    }
    ssize_t n = send(c->inner.fd, c->in.bytes + c->in.from, c->in.to - c->in.from, MSG_NOSIGNAL);
    if (would_wait(n))
        return false;
    c->in.from = n < 0 ? c->in.to : c->in.from + (size_t)n; /* a closed end takes no more */
    return true;
}

static bool read_server(struct tls_conn *c)
{
    if (c->out.to > c->out.from || c->inner_ended)
        return false;
    ssize_t n = recv(c->inner.fd, c->out.bytes, sizeof c->out.bytes, 0);
    if (would_wait(n))
        return false;
    c->inner_ended = n <= 0;
    c->out.from = 0;
    c->out.to = n > 0 ? (size_t)n : 0;
    return true;
}

static bool write_client(struct tls_conn *c)
{
    size_t moved = 0, left = c->out.to - c->out.from;
    note_wants(c, TLS_SESSION_DONE);
    if (left == 0)
        return false;
    if (c->tcp_dead) {
        c->out.from = c->out.to;
        return true;
    }
    enum tls_session_end end =
        tls_session_write(c->session, c->out.bytes + c->out.from, left, &moved);
    note_wants(c, end);
    c->out.from += moved;
    c->tcp_dead = end == TLS_SESSION_BROKEN || end == TLS_SESSION_ENDED;
    c->tcp_ended = c->tcp_ended || c->tcp_dead;
    return moved > 0 || c->tcp_dead;
}

/* Moves bytes until nothing moves any more. */
static void pump(struct tls_conn *c)
{
    bool moved = true;
    while (moved) {
        moved = read_client(c);
        moved = write_server(c) || moved;
        moved = read_server(c) || moved;
        moved = write_client(c) || moved;
    }
    if (!c->inner_ended || c->out.to > c->out.from)
        return;
    if (!c->tcp_dead)
        tls_session_close(c->session);
    c->finished = true;
}

/* ---- epoll ---- */

/* A socket that nothing is waited for is not watched at all: it would report its end for ever. */
static void watch(const struct loop *loop, struct side *side, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = side};
    if (side->asked == events)
        return;
    int change = events == 0 ? EPOLL_CTL_DEL : side->asked == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    (void)epoll_ctl(loop->epoll_fd, change, side->fd, &event);
    side->asked = events;
}

static uint32_t interest(bool in, bool out)
{
    return (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
}

static void arm(const struct loop *loop, struct tls_conn *c)
{
    bool has_in = c->in.to > c->in.from, has_out = c->out.to > c->out.from;
    bool reads = c->shaken && !has_in && !c->tcp_ended;
    watch(loop, &c->tcp, c->tcp_dead ? 0 : interest(reads || c->wants_in, c->wants_out));
    if (c->shaken)
        watch(loop, &c->inner, interest(!has_out && !c->inner_ended, has_in));
}

static void drop(struct loop *loop, struct tls_conn *c)
{
    CHECK((c == loop->open) == (c->previous == NULL));
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        loop->open = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
    tls_session_free(c->session);
    (void)close(c->inner.fd);
    (void)close(c->tcp.fd);
    free(c);
}

/* Whatever happened: gets on as far as it goes. Frees the connection at its end. */
static void step(struct loop *loop, struct tls_conn *c)
{
    if (!c->shaken)
        shake(c, loop->tls);
    if (c->shaken)
        pump(c);
    if (c->finished)
        drop(loop, c);
    else
        arm(loop, c);
}

static void take_arrived(struct loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    struct tls_conn *list = loop->arrived;
    loop->arrived = NULL;
    (void)pthread_mutex_unlock(&loop->lock);
    while (list != NULL) {
        struct tls_conn *c = list;
        list = c->next;
        c->previous = NULL;
        c->next = loop->open;
        if (c->next != NULL)
            c->next->previous = c;
        loop->open = c;
        step(loop, c);
    }
}

/* Ends handshakes that take too long, and all of them when the server stops. Returns how many are
 * left. */
static size_t end_late_handshakes(struct loop *loop, bool all)
{
    size_t left = 0;
    time_t now = seconds_now();
    for (struct tls_conn *c = loop->open, *next = NULL; c != NULL; c = next) {
        next = c->next;
        if (c->shaken)
            continue;
        if (!all && now - c->born < HANDSHAKE_S) {
            left++;
            continue;
        }
        give_up(c, loop->tls, TLS_END_SERVER);
        drop(loop, c);
    }
    return left;
}

static void state_of(struct tls *tls, bool *stopping, bool *ending)
{
    (void)pthread_mutex_lock(&tls->lock);
    *stopping = tls->stopping;
    *ending = tls->ending;
    (void)pthread_mutex_unlock(&tls->lock);
}

/* One wait of epoll. A connection may be freed by the first of its two events: the second is
 * skipped, since both are handled by the first. */
static void turn(struct loop *loop, int timeout_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    uint64_t count;
    int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct side *side = events[i].data.ptr;
        if (side == NULL) {
            (void)!read(loop->wake_fd, &count, sizeof count);
            continue;
        }
        struct tls_conn *c = side->conn;
        for (int j = i + 1; j < n; j++) {
            struct side *other = events[j].data.ptr;
            if (other != NULL && other->conn == c)
                events[j].data.ptr = NULL; /* as the eventfd's, whose reads do not block */
        }
        step(loop, c);
    }
}

static void *run(void *context)
{
    struct loop *loop = context;
    bool stopping = false, ending = false;
    size_t shaking = 0;
    while (!ending) {
        turn(loop, shaking > 0 ? TICK_MS : -1);
        take_arrived(loop);
        state_of(loop->tls, &stopping, &ending);
        shaking = end_late_handshakes(loop, stopping);
    }
    while (loop->open != NULL)
        drop(loop, loop->open);
    return NULL;
}

/* ---- life ---- */

static void nudge(const struct loop *loop)
{
    const uint64_t one = 1;
    (void)!write(loop->wake_fd, &one, sizeof one);
}

static enum errc start_loop(struct tls *tls, struct loop *loop, struct errc_why *why)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    loop->tls = tls;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&loop->lock, NULL);
    tls->loop_count++;
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0 ||
        pthread_create(&loop->thread, NULL, run, loop) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot start a thread for TLS");
    loop->started = true;
    return ERRC_OK;
}

enum errc tls_new(const struct tls_options *options, const struct tls_events *events,
                  unsigned threads, struct tls **out, struct errc_why *why)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    tls->options = *options;
    tls->events = *events;
    (void)pthread_mutex_init(&tls->lock, NULL);
    (void)pthread_cond_init(&tls->quiet, NULL);
    enum errc code = tls_session_context_new(options, &tls->context, why);
    for (unsigned i = 0; code == ERRC_OK && i < threads && i < THREADS_MAX; i++)
        code = start_loop(tls, &tls->loops[i], why);
    if (code == ERRC_OK)
        *out = tls;
    else
        tls_free(tls);
    return code;
}

static struct tls_session *new_session(struct tls *tls, int tcp, struct loop **loop)
{
    struct tls_session *session = NULL;
    (void)pthread_mutex_lock(&tls->lock);
    if (!tls->stopping) {
        session = tls_session_new(tls->context, tcp);
        tls->shaking += session != NULL;
        *loop = &tls->loops[tls->next++ % tls->loop_count];
    }
    (void)pthread_mutex_unlock(&tls->lock);
    return session;
}

bool tls_take(struct tls *tls, int tcp, int inner, void *conn)
{
    struct loop *loop = NULL;
    struct tls_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return false;
    c->session = new_session(tls, tcp, &loop);
    if (c->session == NULL) {
        free(c);
        return false;
    }
    c->user = conn;
    c->born = seconds_now();
    c->tcp = (struct side){.fd = tcp, .conn = c};
    c->inner = (struct side){.fd = inner, .conn = c};
    (void)pthread_mutex_lock(&loop->lock);
    c->next = loop->arrived;
    loop->arrived = c;
    (void)pthread_mutex_unlock(&loop->lock);
    nudge(loop);
    return true;
}

static void tell_all(struct tls *tls, bool *flag)
{
    (void)pthread_mutex_lock(&tls->lock);
    *flag = true;
    (void)pthread_mutex_unlock(&tls->lock);
    for (unsigned i = 0; i < tls->loop_count; i++)
        nudge(&tls->loops[i]);
}

void tls_stop(struct tls *tls)
{
    tell_all(tls, &tls->stopping);
    (void)pthread_mutex_lock(&tls->lock);
    while (tls->shaking > 0)
        (void)pthread_cond_wait(&tls->quiet, &tls->lock);
    (void)pthread_mutex_unlock(&tls->lock);
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    tell_all(tls, &tls->ending);
    for (unsigned i = 0; i < tls->loop_count; i++) {
        struct loop *loop = &tls->loops[i];
        if (loop->started)
            (void)pthread_join(loop->thread, NULL);
        if (loop->epoll_fd >= 0)
            (void)close(loop->epoll_fd);
        if (loop->wake_fd >= 0)
            (void)close(loop->wake_fd);
        (void)pthread_mutex_destroy(&loop->lock);
    }
    tls_session_context_free(tls->context);
    (void)pthread_cond_destroy(&tls->quiet);
    (void)pthread_mutex_destroy(&tls->lock);
    free(tls);
}
