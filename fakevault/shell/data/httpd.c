#include "fakevault/shell/data/httpd.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/os/monocond.h"
#include "base/text/buf.h"
#include "base/wipe.h"
#include "fakevault/shell/data/wire.h"

#define HEAD_BYTES_MAX (32u << 10) /* line and headers; microhttpd wipes it all for each request */
#define DAEMONS_MAX 64u
#define DISCARD_FACTOR 8u /* a body this many times over its limit is not even read to its end */
#define CHUNK_BYTES (32u << 10)
#define CLOSE_WAIT_MS 5000 /* for connections that were shut down; a handler may still be at work */

enum stage {
    STAGE_HEAD, /* the request line is there */
    STAGE_BODY,
    STAGE_SHOWN, /* to the handler */
    STAGE_HELD,
    STAGE_ANSWERED,
    STAGE_DROPPED,
};

struct httpd_conn {
    void *user;
    bool ours; /* we said that the connection closes */
    bool shut; /* by us, since the server stops; guarded by the server's lock */
    int fd;
    struct httpd_conn *previous, *next; /* among the open ones */
};

struct httpd_exchange {
    struct httpd *httpd;
    struct MHD_Connection *connection;
    struct httpd_conn *conn;
    char *target;
    const char *method;
    struct buf body;
    size_t body_bytes; /* that came, also those thrown away */
    enum stage stage;
    void *context;
};

struct httpd {
    struct httpd_options options;
    struct MHD_Daemon *daemons[DAEMONS_MAX];
    unsigned next;        /* daemon for the next connection */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t empty;
    bool stopping;
    size_t count;            /* connections: the open ones, and those on their way to a daemon */
    struct httpd_conn *open; /* list */
};

/* ---- connections ---- */

static int descriptor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

static struct httpd_conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static void count_conn(struct httpd *httpd)
{
    (void)pthread_mutex_lock(&httpd->lock);
    httpd->count++;
    (void)pthread_mutex_unlock(&httpd->lock);
}

static void uncount_conn(struct httpd *httpd)
{
    (void)pthread_mutex_lock(&httpd->lock);
    if (--httpd->count == 0)
        (void)pthread_cond_broadcast(&httpd->empty);
    (void)pthread_mutex_unlock(&httpd->lock);
}

static void shut_conn(struct httpd_conn *conn)
{
    conn->shut = true;
    (void)shutdown(conn->fd, SHUT_RDWR);
}

static void list_conn(struct httpd *httpd, struct httpd_conn *conn)
{
    (void)pthread_mutex_lock(&httpd->lock);
    conn->next = httpd->open;
    if (conn->next != NULL)
        conn->next->previous = conn;
    httpd->open = conn;
    if (httpd->stopping)
        shut_conn(conn);
    (void)pthread_mutex_unlock(&httpd->lock);
}

/* Returns whether it was shut down by us. */
static bool unlist_conn(struct httpd *httpd, const struct httpd_conn *conn)
{
    (void)pthread_mutex_lock(&httpd->lock);
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        httpd->open = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    bool shut = conn->shut;
    (void)pthread_mutex_unlock(&httpd->lock);
    return shut;
}

static void *open_conn(struct httpd *httpd, struct MHD_Connection *connection)
{
    const struct httpd_events *events = &httpd->options.events;
    struct httpd_conn *conn = calloc(1, sizeof *conn);
    CHECK(conn != NULL);
    conn->fd = descriptor_of(connection);
    if (httpd->options.listen_fd >= 0)
        count_conn(httpd); /* httpd_adopt has counted the others */
    list_conn(httpd, conn);
    if (events->opened != NULL)
        conn->user = events->opened(events->context, conn->fd);
    return conn;
}

static void close_conn(struct httpd *httpd, struct MHD_Connection *connection,
                       struct httpd_conn *conn)
{
    const struct httpd_events *events = &httpd->options.events;
    bool shut = unlist_conn(httpd, conn);
    bool by_client = !shut && !conn->ours && wire_peer_gone(descriptor_of(connection));
    if (events->closed != NULL)
        events->closed(events->context, conn->user, by_client);
    free(conn);
    uncount_conn(httpd);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = open_conn(context, connection);
    else
        close_conn(context, connection, *socket_context);
}

/* ---- requests ---- */

static void *on_request_line(void *context, const char *target, struct MHD_Connection *connection)
{
    struct httpd *httpd = context;
    struct httpd_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->httpd = httpd;
    exchange->connection = connection;
    exchange->target = strdup(target);
    buf_init(&exchange->body, httpd->options.body_bytes_max);
    return exchange;
}

static void free_exchange(struct httpd_exchange *exchange)
{
    buf_done(&exchange->body);
    free(exchange->target);
    free(exchange);
}

static enum httpd_end end_of(const struct httpd_exchange *exchange,
                             enum MHD_RequestTerminationCode code)
{
    if (exchange->stage == STAGE_DROPPED)
        return HTTPD_DROPPED;
    bool whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    return whole && exchange->stage == STAGE_ANSWERED ? HTTPD_SENT : HTTPD_CUT;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    struct httpd *httpd = context;
    struct httpd_exchange *exchange = *slot;
    if (exchange == NULL)
        return;
    *slot = NULL;
    const struct httpd_events *events = &httpd->options.events;
    if (exchange->stage >= STAGE_SHOWN && events->done != NULL)
        events->done(events->context, exchange, end_of(exchange, code));
    free_exchange(exchange);
}

/* Everything that came is read, also over the limit: a client that is still sending would get a
 * reset instead of the answer. */
static enum MHD_Result take_body(struct httpd_exchange *exchange, const char *bytes, size_t *len)
{
    exchange->body_bytes += *len;
    buf_add(&exchange->body, bytes, *len);
    *len = 0;
    if (httpd_too_big(exchange))
        buf_done(&exchange->body);
    size_t most = exchange->httpd->options.body_bytes_max;
    return exchange->body_bytes / DISCARD_FACTOR <= most ? MHD_YES : MHD_NO;
}

static enum MHD_Result show(struct httpd_exchange *exchange)
{
    const struct httpd_events *events = &exchange->httpd->options.events;
    exchange->stage = STAGE_SHOWN;
    events->request(events->context, exchange);
    CHECK(exchange->stage > STAGE_SHOWN);
    return exchange->stage == STAGE_DROPPED ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_len, void **slot)
{
    (void)context;
    (void)url;
    (void)version;
    struct httpd_exchange *exchange = *slot;
    if (exchange == NULL || exchange->target == NULL)
        return MHD_NO;
    if (exchange->stage == STAGE_HEAD) {
        exchange->conn = conn_of(connection);
        exchange->method = method;
        exchange->stage = STAGE_BODY;
        return MHD_YES;
    }
    if (*upload_len > 0)
        return take_body(exchange, upload, upload_len);
    return show(exchange);
}

/* ---- start and stop ---- */

static struct MHD_Daemon *start_daemon(struct httpd *httpd)
{
    const struct httpd_options *o = &httpd->options;
    unsigned flags = MHD_USE_ITC;
    flags |= o->thread_per_conn
                 ? MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL
                 : MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem listen[] = {
        {MHD_OPTION_LISTEN_SOCKET, o->listen_fd, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (o->listen_fd < 0) {
        flags |= MHD_USE_NO_LISTEN_SOCKET;
        listen[0].option = MHD_OPTION_END;
    }
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, httpd, MHD_OPTION_ARRAY, listen,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, httpd, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, httpd, MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd,
        MHD_OPTION_CONNECTION_LIMIT, o->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES_MAX, MHD_OPTION_END);
}

enum errc httpd_start(const struct httpd_options *options, struct httpd **out, struct errc_why *why)
{
    CHECK(options->daemons >= 1 && options->daemons <= DAEMONS_MAX);
    CHECK(options->listen_fd < 0 || options->daemons == 1);
    struct httpd *httpd = calloc(1, sizeof *httpd);
    if (httpd == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    httpd->options = *options;
    (void)pthread_mutex_init(&httpd->lock, NULL);
    monocond_init(&httpd->empty);
    for (unsigned i = 0; i < options->daemons; i++) {
        httpd->daemons[i] = start_daemon(httpd);
        if (httpd->daemons[i] == NULL) {
            httpd_stop(httpd);
            return errc_fail(why, ERRC_UNAVAILABLE, "cannot start the HTTP server");
        }
    }
    *out = httpd;
    return ERRC_OK;
}

/*
 * microhttpd 0.9.75 that is told to stop while it refuses a malformed head uses a response that is
 * not there (its MHD_queue_response then says yes and takes nothing). So it is told when it has no
 * connection left.
 */
static void close_connections(struct httpd *httpd)
{
    const struct timespec until = monocond_in_ms(CLOSE_WAIT_MS);
    int end = 0;
    (void)pthread_mutex_lock(&httpd->lock);
    httpd->stopping = true;
    for (struct httpd_conn *conn = httpd->open; conn != NULL; conn = conn->next)
        shut_conn(conn);
    while (httpd->count > 0 && end == 0)
        end = pthread_cond_timedwait(&httpd->empty, &httpd->lock, &until);
    (void)pthread_mutex_unlock(&httpd->lock);
}

void httpd_stop(struct httpd *httpd)
{
    if (httpd == NULL)
        return;
    int listen_fd = -1;
    if (httpd->options.listen_fd >= 0 && httpd->daemons[0] != NULL)
        listen_fd = MHD_quiesce_daemon(httpd->daemons[0]);
    close_connections(httpd);
    for (unsigned i = 0; i < httpd->options.daemons; i++)
        if (httpd->daemons[i] != NULL)
            MHD_stop_daemon(httpd->daemons[i]);
    if (listen_fd >= 0)
        (void)close(listen_fd); /* not before the threads have ended */
    (void)pthread_mutex_destroy(&httpd->lock);
    (void)pthread_cond_destroy(&httpd->empty);
    free(httpd);
}

bool httpd_adopt(struct httpd *httpd, int fd, const struct sockaddr *address, socklen_t len)
{
    unsigned i = httpd->next++ % httpd->options.daemons;
    count_conn(httpd);
    if (MHD_add_connection(httpd->daemons[i], fd, address, len) == MHD_YES)
        return true;
    uncount_conn(httpd);
    return false;
}

/* ---- what a handler may ask ---- */

struct slice httpd_method(const struct httpd_exchange *exchange)
{
    return slice_of(exchange->method);
}

struct slice httpd_target(const struct httpd_exchange *exchange)
{
    return slice_of(exchange->target);
}

struct slice httpd_body(const struct httpd_exchange *exchange)
{
    return buf_slice(&exchange->body);
}

bool httpd_too_big(const struct httpd_exchange *exchange)
{
    return exchange->body_bytes > exchange->httpd->options.body_bytes_max;
}

const char *httpd_header(const struct httpd_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

int httpd_fd(const struct httpd_exchange *exchange)
{
    return descriptor_of(exchange->connection);
}

void *httpd_conn(const struct httpd_exchange *exchange)
{
    return exchange->conn->user;
}

void httpd_set_context(struct httpd_exchange *exchange, void *context)
{
    exchange->context = context;
}

void *httpd_context(const struct httpd_exchange *exchange)
{
    return exchange->context;
}

/* ---- what a handler may do ---- */

static void queue(struct httpd_exchange *exchange, const struct httpd_reply *reply,
                  struct MHD_Response *response)
{
    exchange->stage = STAGE_DROPPED;
    if (response == NULL)
        return;
    bool ok = true;
    for (size_t i = 0; i < reply->header_count; i++)
        ok = MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value) &&
             ok;
    if (reply->close)
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") && ok;
    ok = ok && MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    if (!ok)
        return;
    exchange->stage = STAGE_ANSWERED;
    exchange->conn->ours = reply->close;
}

struct copied {
    size_t len;
    char bytes[];
};

/* At the end, `out` is where the last piece lay: it is overwritten. */
static ssize_t next_of_copied(void *context, uint64_t at, char *out, size_t max)
{
    const struct copied *copied = context;
    if (at >= copied->len) {
        memset(out, 0, max);
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t n = copied->len - (size_t)at < max ? copied->len - (size_t)at : max;
    memcpy(out, copied->bytes + at, n);
    return (ssize_t)n;
}

static struct MHD_Response *chunked_response(struct slice body)
{
    struct copied *copied = malloc(sizeof *copied + body.len);
    if (copied == NULL)
        return NULL;
    copied->len = body.len;
    memcpy(copied->bytes, body.ptr, body.len);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, CHUNK_BYTES, next_of_copied, copied, wipe_free);
    if (response == NULL)
        wipe_free(copied);
    return response;
}

/* A copy of the body that is wiped when it is sent: it may be an exported key. */
static struct MHD_Response *whole_response(struct slice body)
{
    void *copy = malloc(body.len + 1);
    if (copy == NULL)
        return NULL;
    if (body.len > 0)
        memcpy(copy, body.ptr, body.len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body.len, copy, wipe_free);
    if (response == NULL)
        wipe_free(copy);
    return response;
}

void httpd_answer(struct httpd_exchange *exchange, const struct httpd_reply *reply)
{
    struct MHD_Response *response = reply->chunked && reply->body.len > 0
                                        ? chunked_response(reply->body)
                                        : whole_response(reply->body);
    queue(exchange, reply, response);
}

void httpd_drop(struct httpd_exchange *exchange)
{
    exchange->stage = STAGE_DROPPED;
}

void httpd_hold(struct httpd_exchange *exchange)
{
    exchange->stage = STAGE_HELD;
    MHD_suspend_connection(exchange->connection);
}

void httpd_resume(struct httpd_exchange *exchange)
{
    MHD_resume_connection(exchange->connection);
}

static ssize_t next_of_source(void *context, uint64_t at, char *out, size_t max)
{
    (void)at;
    const struct httpd_source *source = context;
    int64_t n = source->next(source->context, out, max);
    if (n < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void release_source(void *context)
{
    struct httpd_source *source = context;
    if (source->release != NULL)
        source->release(source->context);
    free(source);
}

void httpd_stream(struct httpd_exchange *exchange, const struct httpd_reply *head,
                  const struct httpd_source *source)
{
    struct httpd_source *copy = malloc(sizeof *copy);
    CHECK(copy != NULL);
    *copy = *source;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, CHUNK_BYTES, next_of_source, copy, release_source);
    if (response == NULL)
        release_source(copy);
    queue(exchange, head, response);
}
