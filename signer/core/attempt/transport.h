/*
 * transport: the port through which one HTTP request reaches Vault, and what came back.
 *
 * One call is one attempt. It follows no redirect, uses no proxy, and comes back before
 * timeout_ms is over.
 */
#pragma once

#include <stdint.h>

#include "base/limits.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

enum transport_outcome {
    TRANSPORT_COMPLETE,    /* an HTTP reply that ended as announced */
    TRANSPORT_REFUSED,     /* connection refused */
    TRANSPORT_UNREACHABLE, /* no name, no route, reset or closed before the first byte of a reply */
    TRANSPORT_TIMED_OUT,   /* timeout_ms was over first */
    TRANSPORT_TRUNCATED,   /* the reply began and did not end as announced */
    TRANSPORT_NOT_HTTP,    /* the peer does not speak HTTP */
    TRANSPORT_CERTIFICATE, /* the peer's certificate does not hold, or ours was not accepted */
    TRANSPORT_INTERNAL,    /* our own trouble (memory, descriptors): it says nothing of Vault */
    TRANSPORT_COUNT
};

struct transport_request {
    const char *method; /* "GET" or "POST" */
    const char *path;   /* from /v1/ on, already escaped */
    struct slice body;  /* JSON; empty for GET */
    int attempt;        /* sent as X-Signer-Attempt; 0 leaves it out */
    int64_t timeout_ms; /* for the whole attempt, connecting included; >= 1 */
    bool with_token;
};

#define TRANSPORT_HEADER_BYTES 256u

/* A zeroed struct is the empty reply; transport_reply_done frees it. */
struct transport_reply {
    enum transport_outcome outcome;
    int status;                               /* 0 when no status line came */
    struct buf body;                          /* what came, also when it was cut short */
    char retry_after[TRANSPORT_HEADER_BYTES]; /* "" when there was none */
    int resends; /* times the library sent the request again by itself (failures.md 0, item 5) */
    int64_t
        gave_up_ms;   /* TRANSPORT_TIMED_OUT: which limit was over, that of connecting or of all */
    char detail[160]; /* the library's words for a failure, for people; "" when complete */
};

struct transport {
    /* Makes one attempt and fills *reply (initialised by the callee). Thread-safe. */
    void (*send)(void *context, const struct transport_request *request,
                 struct transport_reply *reply);
    void *context;
};

/* Fits CLEANUP; NULL allowed. */
void transport_reply_done(struct transport_reply *reply);
