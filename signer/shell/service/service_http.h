/*
 * service_http: the HTTP side of a service; the only file that knows libmicrohttpd.
 *
 * It lives in the caller's event loop and has no thread of its own. A request with `Prefer: wait`
 * is suspended until its run is settled: it costs a connection, not a thread. LIMIT_API_WAITERS may
 * wait at a time; the next is answered at once with the state as it is (a preference may be
 * ignored, RFC 7240 section 2). What is no HTTP at all is answered by libmicrohttpd itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "signer/core/service/api_error.h"
#include "signer/core/service/api_guard.h"
#include "signer/core/service/api_route.h"

#define SERVICE_HTTP_LOCATION_BYTES 128

struct service_http;

/* All borrowed. */
struct service_http_request {
    enum api_route route;
    struct slice id; /* of the path, unchecked */
    struct slice body;
    const char *request_id;
};

struct service_http_answer {
    unsigned status;
    const char *content_type;                   /* static */
    struct buf body;                            /* initialised and freed by the HTTP side */
    char location[SERVICE_HTTP_LOCATION_BYTES]; /* "" for none */
    unsigned retry_after_s;                     /* 0 for none */
    bool unsettled; /* the run is under way: hold the answer back if the client waits */
};

struct service_http_ports {
    /* Answers a request. Called again for one that waited. */
    void (*answer)(void *context, const struct service_http_request *request,
                   struct service_http_answer *answer);
    void *answer_context;
    /* Tells what was answered, by answer() or by the HTTP side itself. */
    void (*answered)(void *context, unsigned status);
    void *context;
    struct api_guard guard; /* by which addresses it is known */
    struct entropy entropy; /* for request ids */
    struct clock clock;
};

/* Fills an answer with an error. */
void service_http_refuse(struct service_http_answer *answer, enum api_error error,
                         const char *message, const char *request_id);

/* Serves on a listening socket, which it takes over, also when it fails. ERRC_IO, ERRC_NOMEM. */
MUST_USE enum errc service_http_open(int listen_fd, const struct service_http_ports *ports,
                                     struct service_http **out, struct errc_why *why);

/* The descriptor to poll for input, and how long service_http_step may stay away (-1: for ever). */
int service_http_fd(const struct service_http *http);
int service_http_timeout_ms(struct service_http *http);

/* Does what is due. */
void service_http_step(struct service_http *http);

/* Asks again for the requests that wait for this run, or for any with NULL. */
void service_http_settled(struct service_http *http, const char *id);

/* Takes no new connections; those that are open are still served. */
void service_http_quiesce(struct service_http *http);

/* Answers every waiting request as it is, and lets none wait any more. */
void service_http_stop_waiting(struct service_http *http);

/* Number of requests that are being read, waiting or answered. */
unsigned service_http_busy(const struct service_http *http);

/* Closes all connections. NULL allowed. */
void service_http_close(struct service_http *http);
