/*
 * httpd: HTTP/1.1 over connections that somebody else accepted, or over listening sockets; the only
 * file that knows libmicrohttpd.
 *
 * A server has one or more daemons, each an epoll loop in a thread of its own; a connection stays
 * with one. A request is shown to its handler once, when it is complete, body included. The handler
 * answers, or holds it: then it is shown again after httpd_resume. A body over the limit is read,
 * thrown away and shown as `too_big`.
 *
 * The URL is as on the wire, not decoded (microhttpd's handler gets a decoded one, which cannot be
 * told from another).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/errc.h"
#include "base/text/slice.h"

struct httpd;

/* One request on its way; lives until its `done` has returned. */
struct httpd_exchange;

struct httpd_header {
    const char *name;
    const char *value;
};

struct httpd_reply {
    int status;
    const struct httpd_header *headers;
    size_t header_count;
    struct slice body; /* copied */
    bool chunked;      /* send it without a Content-Length (HTTP/1.1) */
    bool close;        /* close the connection behind it */
};

enum httpd_end {
    HTTPD_SENT, /* the whole reply went to the kernel */
    HTTPD_CUT, /* it did not: the client went away, the connection was reset, or the server stops */
    HTTPD_DROPPED, /* the handler dropped it */
};

struct httpd_events {
    /* The connection with this descriptor is served from now on; what it returns comes with every
     * exchange. May be NULL. */
    void *(*opened)(void *context, int fd);
    /* The descriptor is about to be closed; by_client when the client closed first. May be NULL. */
    void (*closed)(void *context, void *conn, bool by_client);
    /* A complete request, new or resumed; calls exactly one of httpd_answer, httpd_stream,
     * httpd_hold, httpd_drop. */
    void (*request)(void *context, struct httpd_exchange *exchange);
    /* The request's end. Called exactly once for each request that was shown, from any thread. May
     * be NULL. */
    void (*done)(void *context, struct httpd_exchange *exchange, enum httpd_end end);
    void *context;
};

struct httpd_options {
    unsigned daemons;         /* loops, at least 1; 1 if it listens */
    bool thread_per_conn;     /* one thread for each connection instead: handlers may wait */
    int listen_fd;            /* -1: connections come by httpd_adopt. Taken over */
    unsigned connections_max; /* of each daemon */
    unsigned idle_s; /* a silent connection is closed after this; 0 never. Held ones do not count */
    size_t body_bytes_max;
    struct httpd_events events;
};

MUST_USE enum errc httpd_start(const struct httpd_options *options, struct httpd **out,
                               struct errc_why *why);

/* Closes all connections, then ends the threads, frees. Requires that what was held has been
 * resumed, and that nothing is adopted any more. NULL allowed. */
void httpd_stop(struct httpd *httpd);

/* Hands over a connected socket, which is closed whatever happens. False on failure. */
bool httpd_adopt(struct httpd *httpd, int fd, const struct sockaddr *address, socklen_t len);

/* Valid until `done` has returned. */
struct slice httpd_method(const struct httpd_exchange *exchange);
struct slice httpd_target(const struct httpd_exchange *exchange); /* raw: "/v1/a%2Fb?list=true" */
struct slice httpd_body(const struct httpd_exchange *exchange);
bool httpd_too_big(const struct httpd_exchange *exchange);
/* The first header of that name, case ignored; NULL when there is none. */
const char *httpd_header(const struct httpd_exchange *exchange, const char *name);
int httpd_fd(const struct httpd_exchange *exchange);
void *httpd_conn(const struct httpd_exchange *exchange); /* what `opened` returned */

/* What the handler wants to find again, NULL at first. */
void httpd_set_context(struct httpd_exchange *exchange, void *context);
void *httpd_context(const struct httpd_exchange *exchange);

/* Each ends the handler's turn; to be called from `request` only. */
void httpd_answer(struct httpd_exchange *exchange, const struct httpd_reply *reply);
void httpd_drop(struct httpd_exchange *exchange); /* closes the connection without a word */
void httpd_hold(
    struct httpd_exchange *exchange); /* nothing is read or written until httpd_resume */

/*
 * Answers with a body of unknown length, chunk by chunk. next fills up to max bytes and returns how
 * many; 0 ends the body, a negative number cuts the connection. It may wait (thread_per_conn only).
 * release is called in the end.
 */
struct httpd_source {
    int64_t (*next)(void *context, char *out, size_t max);
    void (*release)(void *context);
    void *context;
};
void httpd_stream(struct httpd_exchange *exchange, const struct httpd_reply *head,
                  const struct httpd_source *source);

/* Shows a held request again. From any thread, once per hold; the exchange may be gone when it
 * returns. */
void httpd_resume(struct httpd_exchange *exchange);
