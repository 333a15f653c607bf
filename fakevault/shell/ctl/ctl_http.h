/*
 * ctl_http: one call of the control API. HTTP/1.0, so that an answer ends with its connection and a
 * stream needs no framing.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

struct ctl_http_call {
    const char *address;    /* as admin_socket_connect takes it; NULL to find it */
    const char *token_file; /* for TCP; NULL for none */
    const char *method;
    const char *target;
    struct slice body;
};

/*
 * Sends the call and appends the answer's body to out. ERRC_UNAVAILABLE when nobody is there,
 * ERRC_IO when the connection broke, ERRC_SCHEMA when the answer is no HTTP; what
 * admin_socket_connect says, and file_read of the token.
 */
MUST_USE enum errc ctl_http_do(const struct ctl_http_call *call, int *status, struct buf *out,
                               struct errc_why *why);

/* The same, but copies the body of a 200 to the descriptor `to` as it comes; others go to out. */
MUST_USE enum errc ctl_http_copy(const struct ctl_http_call *call, int to, int *status,
                                 struct buf *out, struct errc_why *why);
