#include "fakevault/shell/data/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bug.h"
#include "fakevault/shell/control/sockname.h"
#include "fakevault/shell/data/wire.h"

#define ACCEPTS_PER_TURN 64       /* under one hold of the lock */
#define NO_DESCRIPTORS_WAIT_MS 20 /* until accept is tried again after EMFILE and its like */

struct gate_conn {
    uint64_t id;
    int fd;                          /* that the HTTP server has, or will have */
    int wire_fd;                     /* the TCP socket: the same without TLS */
    struct sockaddr_storage address; /* of the client, with TLS */
    socklen_t address_len;
    bool busy;     /* a request is not answered yet */
    bool reset;    /* by us */
    bool draining; /* to be closed behind the reply */
    char peer[INET6_ADDRSTRLEN];
    uint16_t peer_port;
};

struct gate {
    int port_fd; /* bound, never listening: the port is ours while nobody listens */
    int listen_fd;
    int wake_fd; /* eventfd: what the thread is to look at has changed */
    struct sockname name;
    char address[SOCKNAME_TEXT_MAX];
    struct gate_events events;
    struct tls *tls; /* NULL without */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards all below */
    bool accepting;
    bool stopping;
    struct gate_conn **by_fd; /* NULL where no connection is */
    size_t fds;               /* room in by_fd */
    size_t open;
    uint64_t ids;
};

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

static void nudge(struct gate *gate)
{
    const uint64_t one = 1;
    (void)!write(gate->wake_fd, &one, sizeof one);
}

/*
 * The listening socket is bound to a port that is known by then: Linux keeps the port of a socket
 * that is shut down only when the port was asked for by number.
 */
static enum errc bind_both(struct gate *gate, struct errc_why *why)
{
    if (gate->wake_fd < 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot make an eventfd: %s", strerror(errno));
    TRY(sockname_bind(&gate->name, &gate->port_fd, why));
    return sockname_bind(&gate->name, &gate->listen_fd, why);
}

enum errc gate_open(const char *address, struct gate **out, struct errc_why *why)
{
    struct sockname name;
    TRY(sockname_parse(address, &name, why));
    struct gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL)
        return no_memory(why);
    gate->port_fd = gate->listen_fd = -1;
    gate->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&gate->lock, NULL);
    gate->name = name;
    enum errc code = bind_both(gate, why);
    if (code != ERRC_OK) {
        gate_free(gate);
        return code;
    }
    sockname_format(&gate->name, gate->address);
    *out = gate;
    return ERRC_OK;
}

void gate_free(struct gate *gate)
{
    if (gate == NULL)
        return;
    tls_free(gate->tls);
    CHECK(gate->open == 0);
    if (gate->listen_fd >= 0)
        (void)close(gate->listen_fd);
    if (gate->port_fd >= 0)
        (void)close(gate->port_fd);
    if (gate->wake_fd >= 0)
        (void)close(gate->wake_fd);
    (void)pthread_mutex_destroy(&gate->lock);
    free(gate->by_fd);
    free(gate);
}

uint16_t gate_port(const struct gate *gate)
{
    return sockname_port(&gate->name);
}

const char *gate_address(const struct gate *gate)
{
    return gate->address;
}

/* ---- the register; all under the lock ---- */

static bool make_room(struct gate *gate, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need <= gate->fds)
        return true;
    size_t room = need * 2 < 64 ? 64 : need * 2;
    struct gate_conn **grown = reallocarray(gate->by_fd, room, sizeof(struct gate_conn *));
    if (grown == NULL)
        return false;
    memset(grown + gate->fds, 0, (room - gate->fds) * sizeof(struct gate_conn *));
    gate->by_fd = grown;
    gate->fds = room;
    return true;
}

static void note_peer(struct gate_conn *conn, const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    bool six = address->sa_family == AF_INET6;
    const void *host = six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr;
    if (six || address->sa_family == AF_INET)
        (void)inet_ntop(address->sa_family, host, conn->peer, sizeof conn->peer);
    conn->peer_port = ntohs(six ? v6->sin6_port : v4->sin_port);
}

static struct gate_conn *enter(struct gate *gate, int fd, int wire_fd,
                               const struct sockaddr *address)
{
    struct gate_conn *conn = make_room(gate, fd) ? calloc(1, sizeof *conn) : NULL;
    if (conn == NULL)
        return NULL;
    conn->id = ++gate->ids;
    conn->fd = fd;
    conn->wire_fd = wire_fd;
    note_peer(conn, address);
    gate->by_fd[fd] = conn;
    gate->open++;
    return conn;
}

static void leave(struct gate *gate, struct gate_conn *conn)
{
    gate->by_fd[conn->fd] = NULL;
    gate->open--;
    free(conn);
}

/* ---- accepting ---- */

static bool hand_over(struct gate *gate, int fd, const struct sockaddr *address, socklen_t len)
{
    return gate->events.hand_over(gate->events.context, fd, address, len);
}

static void welcome_plain(struct gate *gate, int fd, const struct sockaddr *address, socklen_t len)
{
    struct gate_conn *conn = enter(gate, fd, fd, address);
    if (conn == NULL) {
        (void)close(fd);
        return;
    }
    uint64_t id = conn->id;
    gate->events.opened(gate->events.context, id);
    if (hand_over(gate, fd, address, len))
        return;
    leave(gate, conn);
    gate->events.closed(gate->events.context, id, JOURNAL_CLOSED_SERVER);
}

/* The HTTP server will get one end of a pair, once the handshake is done. */
static void welcome_tls(struct gate *gate, int fd, const struct sockaddr *address, socklen_t len)
{
    int pair[2] = {-1, -1};
    struct gate_conn *conn = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0)
        conn = enter(gate, pair[0], fd, address);
    if (conn != NULL) {
        memcpy(&conn->address, address, len);
        conn->address_len = len;
        gate->events.opened(gate->events.context, conn->id);
        if (tls_take(gate->tls, fd, pair[1], conn))
            return;
        gate->events.closed(gate->events.context, conn->id, JOURNAL_CLOSED_SERVER);
        leave(gate, conn);
    }
    (void)close(fd);
    for (size_t i = 0; i < 2; i++)
        if (pair[i] >= 0)
            (void)close(pair[i]);
}

/* Returns false when there is nothing more to accept for now; *starved when descriptors ran out. */
static bool accept_one(struct gate *gate, bool *starved)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int fd =
        accept4(gate->listen_fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        const struct sockaddr *client = (const struct sockaddr *)&address;
        if (gate->tls == NULL)
            welcome_plain(gate, fd, client, len);
        else
            welcome_tls(gate, fd, client, len);
        return true;
    }
    *starved = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return errno == EINTR || errno == ECONNABORTED;
}

/* Returns how long to wait before the listening socket is looked at again, 0 for at once. */
static int accept_some(struct gate *gate)
{
    bool starved = false;
    (void)pthread_mutex_lock(&gate->lock);
    for (int i = 0; gate->accepting && i < ACCEPTS_PER_TURN && accept_one(gate, &starved); i++)
        continue;
    (void)pthread_mutex_unlock(&gate->lock);
    gate->events.told(gate->events.context);
    return starved ? NO_DESCRIPTORS_WAIT_MS : 0;
}

static bool look(struct gate *gate, bool *accepting)
{
    (void)pthread_mutex_lock(&gate->lock);
    bool stopping = gate->stopping;
    *accepting = gate->accepting;
    (void)pthread_mutex_unlock(&gate->lock);
    return !stopping;
}

static void *accept_loop(void *context)
{
    struct gate *gate = context;
    bool accepting = false;
    int pause_ms = 0;
    while (look(gate, &accepting)) {
        struct pollfd fds[] = {
            {.fd = gate->wake_fd, .events = POLLIN},
            {.fd = accepting && pause_ms == 0 ? gate->listen_fd : -1, .events = POLLIN}};
        int n = poll(fds, 2, pause_ms > 0 ? pause_ms : -1);
        uint64_t count = 0;
        if (n > 0 && fds[0].revents != 0)
            (void)!read(gate->wake_fd, &count, sizeof count);
        pause_ms = n > 0 && fds[1].revents != 0 ? accept_some(gate) : 0;
    }
    return NULL;
}

/* ---- TLS ---- */

static void end_unserved(struct gate *gate, struct gate_conn *conn, enum journal_how how)
{
    uint64_t id = conn->id;
    int fd = conn->fd;
    (void)pthread_mutex_lock(&gate->lock);
    how = conn->reset ? JOURNAL_CLOSED_RESET : how;
    leave(gate, conn);
    (void)pthread_mutex_unlock(&gate->lock);
    gate->events.closed(gate->events.context, id, how);
    gate->events.told(gate->events.context);
    (void)close(fd);
}

static void tls_failed(void *context, void *conn, enum tls_end end)
{
    end_unserved(context, conn,
                 end == TLS_END_CLIENT ? JOURNAL_CLOSED_CLIENT : JOURNAL_CLOSED_SERVER);
}

static void tls_ready(void *context, void *conn)
{
    struct gate *gate = context;
    struct gate_conn *ready = conn;
    bool served = false;
    (void)pthread_mutex_lock(&gate->lock);
    if (!gate->stopping && !ready->reset) {
        gate->events.opened_tls(gate->events.context, ready->id);
        served = hand_over(gate, ready->fd, (const struct sockaddr *)&ready->address,
                           ready->address_len);
    }
    (void)pthread_mutex_unlock(&gate->lock);
    if (served)
        gate->events.told(gate->events.context);
    else
        end_unserved(gate, ready, JOURNAL_CLOSED_SERVER);
}

enum errc gate_use_tls(struct gate *gate, const struct tls_options *options, unsigned threads,
                       struct errc_why *why)
{
    const struct tls_events events = {tls_ready, tls_failed, gate};
    return tls_new(options, &events, threads, &gate->tls, why);
}

enum errc gate_reload_tls(struct gate *gate, struct errc_why *why)
{
    return gate->tls == NULL ? ERRC_OK : tls_reload(gate->tls, why);
}

bool gate_has_tls(const struct gate *gate)
{
    return gate->tls != NULL;
}

enum errc gate_start(struct gate *gate, const struct gate_events *events, struct errc_why *why)
{
    gate->events = *events;
    TRY(gate_accept(gate, why));
    if (pthread_create(&gate->thread, NULL, accept_loop, gate) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot start a thread");
    gate->started = true;
    return ERRC_OK;
}

/* Once only: Linux remembers the shutdown of a socket that does not listen, and whatever it accepts
 * when it listens again is shut down from birth. */
static void stop_listening(struct gate *gate)
{
    if (gate->accepting)
        (void)shutdown(gate->listen_fd, SHUT_RDWR);
    gate->accepting = false;
}

void gate_stop(struct gate *gate)
{
    if (!gate->started)
        return;
    (void)pthread_mutex_lock(&gate->lock);
    gate->stopping = true;
    stop_listening(gate);
    (void)pthread_mutex_unlock(&gate->lock);
    nudge(gate);
    (void)pthread_join(gate->thread, NULL);
    gate->started = false;
    if (gate->tls != NULL)
        tls_stop(gate->tls);
}

struct gate_status gate_status(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    struct gate_status status = {.accepting = gate->accepting, .open = gate->open};
    for (size_t fd = 0; fd < gate->fds; fd++)
        status.in_flight += gate->by_fd[fd] != NULL && gate->by_fd[fd]->busy;
    (void)pthread_mutex_unlock(&gate->lock);
    return status;
}

enum errc gate_accept(struct gate *gate, struct errc_why *why)
{
    enum errc code = ERRC_OK;
    (void)pthread_mutex_lock(&gate->lock);
    if (gate->stopping)
        code = errc_fail(why, ERRC_STATE, "the server is stopping");
    else if (!gate->accepting && listen(gate->listen_fd, SOMAXCONN) != 0)
        code = errc_fail(why, ERRC_UNAVAILABLE, "cannot listen on %s: %s", gate->address,
                         strerror(errno));
    else
        gate->accepting = true;
    (void)pthread_mutex_unlock(&gate->lock);
    nudge(gate);
    return code;
}

static void turn_away(struct gate_conn *conn, bool drain, struct gate_refused *count)
{
    if (drain && conn->busy && !conn->reset) {
        conn->draining = true;
        count->draining++;
    } else if (!conn->reset) {
        (void)wire_reset(conn->wire_fd);
        conn->reset = true;
        count->reset++;
    }
}

struct gate_refused gate_refuse(struct gate *gate, bool drain)
{
    struct gate_refused count = {0};
    (void)pthread_mutex_lock(&gate->lock);
    stop_listening(gate);
    for (size_t fd = 0; fd < gate->fds; fd++)
        if (gate->by_fd[fd] != NULL)
            turn_away(gate->by_fd[fd], drain, &count);
    (void)pthread_mutex_unlock(&gate->lock);
    nudge(gate);
    return count;
}

/* ---- connections ---- */

struct gate_conn *gate_conn_of(struct gate *gate, int fd)
{
    (void)pthread_mutex_lock(&gate->lock);
    CHECK(fd >= 0 && (size_t)fd < gate->fds && gate->by_fd[fd] != NULL);
    struct gate_conn *conn = gate->by_fd[fd];
    (void)pthread_mutex_unlock(&gate->lock);
    return conn;
}

const char *gate_conn_peer(const struct gate_conn *conn, int *port)
{
    *port = conn->peer_port;
    return conn->peer;
}

uint64_t gate_conn_id(const struct gate_conn *conn)
{
    return conn->id;
}

bool gate_conn_begin(struct gate *gate, struct gate_conn *conn)
{
    (void)pthread_mutex_lock(&gate->lock);
    conn->busy = true;
    bool alive = !conn->reset;
    (void)pthread_mutex_unlock(&gate->lock);
    return alive;
}

bool gate_conn_last(struct gate *gate, struct gate_conn *conn)
{
    (void)pthread_mutex_lock(&gate->lock);
    bool last = conn->draining;
    (void)pthread_mutex_unlock(&gate->lock);
    return last;
}

void gate_conn_end(struct gate *gate, struct gate_conn *conn)
{
    (void)pthread_mutex_lock(&gate->lock);
    conn->busy = false;
    /* Draining may have begun behind gate_conn_last; the reply is with the kernel by now. */
    if (conn->draining)
        (void)shutdown(conn->fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&gate->lock);
}

bool gate_conn_peer_gone(struct gate *gate, const struct gate_conn *conn)
{
    (void)pthread_mutex_lock(&gate->lock);
    bool gone = conn->reset || wire_hung_up(conn->wire_fd);
    (void)pthread_mutex_unlock(&gate->lock);
    return gone;
}

bool gate_conn_was_reset(struct gate *gate, const struct gate_conn *conn)
{
    (void)pthread_mutex_lock(&gate->lock);
    bool reset = conn->reset;
    (void)pthread_mutex_unlock(&gate->lock);
    return reset;
}

void gate_conn_closed(struct gate *gate, struct gate_conn *conn, enum journal_how how)
{
    (void)pthread_mutex_lock(&gate->lock);
    uint64_t id = conn->id;
    if (conn->reset)
        how = JOURNAL_CLOSED_RESET;
    else if (conn->draining)
        how = JOURNAL_CLOSED_DRAIN;
    leave(gate, conn);
    (void)pthread_mutex_unlock(&gate->lock);
    gate->events.closed(gate->events.context, id, how);
    gate->events.told(gate->events.context);
}
