/*
 * httpcall: one HTTP request and its whole answer, over loopback TCP or a Unix
 * socket; the only file of chaos that knows libcurl.
 *
 * Each call has a connection of its own and is sent once: no pool, no re-send,
 * no redirect, no proxy. What chaos does to its subjects must not depend on
 * what it did before.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/shell/process/await.h"

struct httpcall {
    const char *socket_path;    /* NULL: TCP */
    const char *method;         /* "GET", "POST"… */
    const char *url;            /* "http://127.0.0.1:8200/v1/sys/health" */
    const char *authority;      /* PEM file of whom to trust with https; NULL: nobody */
    const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
    struct slice body;          /* sent when it is not empty, as application/json */
};

struct httpcall_reply {
    int status;
    struct buf body;
};

/* Once per process, before the first call. ERRC_NOMEM. */
MUST_USE enum errc httpcall_open(struct errc_why *why);
void httpcall_close(void);

/*
 * Carries the call out. reply->body is initialised by the caller and gets the
 * body. ERRC_UNAVAILABLE: refused, reset, cut short or interrupted;
 * ERRC_TIMEOUT: no whole answer by the deadline; ERRC_TOO_BIG. Any status is a
 * success.
 */
MUST_USE enum errc httpcall_send(const struct httpcall *call, const struct await *await,
                                 int64_t deadline_ns, struct httpcall_reply *reply,
                                 struct errc_why *why);
