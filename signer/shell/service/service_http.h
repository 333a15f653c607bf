/*
 * service_http: the HTTP side of a service; the only file that knows libmicrohttpd.
 *
 * It runs in the caller's event loop: no thread of its own. A request with `Prefer: wait` is
 * suspended, not given a thread; at most LIMIT_API_WAITERS wait at a time, the next is answered at
 * once with the state as it is (a preference may be ignored, RFC 7240 section 2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "signer/core/service/api_route.h"

struct service_http;

/* A parsed request. All borrowed. */
struct service_http_request {
    enum api_route route;
    struct slice id;
    struct slice body;
};

/* What the application answers. It owns `body`. */
struct service_http_answer {
    unsigned status;
    const char *content_type; /* static */
    struct buf body;
    char location[128];     /* "" for none */
    unsigned retry_after_s; /* 0 for none */
    bool unsettled;         /* the run is not settled: hold the answer back if the caller waits */
};

struct service_http_ports {
    /* Answers a request; must not block for long. Called again for a waiting one when its run is
     * settled or the time is up. */
    void (*answer)(void *context, const struct service_http_request *request,
                   const char *request_id, struct service_http_answer *answer);
    /* Tells of each answer that was queued (for metrics). */
    void (*answered)(void *context, unsigned status);
    void *context;
    struct entropy entropy; /* for request ids */
    struct clock clock;
};

/* Serves on a listening socket, which it takes over. */
MUST_USE enum errc service_http_open(int listen_fd, const struct service_http_ports *ports,
                                     struct service_http **out, struct errc_why *why);

/* The descriptor to poll for input, and the time until service_http_step must be called anyway (-1:
 * no limit). */
int service_http_fd(const struct service_http *http);
int service_http_timeout_ms(struct service_http *http, int64_t mono_ns);

/* Does what is due. */
void service_http_step(struct service_http *http, int64_t mono_ns);

/* Wakes the requests that wait for this run. */
void service_http_settled(struct service_http *http, const char *id);

/* No new connections; requests that are there are still answered. Waiting ones are answered now. */
void service_http_quiesce(struct service_http *http);

/* Requests that are being read or answered. */
unsigned service_http_busy(const struct service_http *http);

/* NULL allowed. */
void service_http_close(struct service_http *http);
