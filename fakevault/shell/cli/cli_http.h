/*
 * cli_http: one HTTP exchange of the `vault` command; the only file of fakevault that knows
 * libcurl.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"

struct cli_http_tls {
    bool skip_verify;
    const char *ca_file, *ca_folder;  /* NULL: the system's */
    const char *cert_file, *key_file; /* of the client; NULL for none */
};

struct cli_http_call {
    const char *method;
    const char *url;
    const char *unix_socket;    /* NULL: by TCP */
    const char *proxy;          /* NULL for none: the environment's is not asked */
    const char *const *headers; /* "Name: value", NULL at the end */
    struct slice body;
    bool has_body;
    int64_t timeout_ms;
    struct cli_http_tls tls;
};

struct cli_http_reply {
    int status;
    struct buf body;          /* the caller ends it */
    char location[2048];      /* of a redirect, absolute; "" for none */
    char namespace_path[256]; /* X-Vault-Namespace */
    int64_t retry_after_s;    /* -1 for none */
};

/*
 * Sends the call once, follows no redirect. ERRC_TIMEOUT, ERRC_UNAVAILABLE (no connection),
 * ERRC_CRYPTO (TLS) or ERRC_IO with the reason as Go's client words it.
 */
MUST_USE enum errc cli_http_do(const struct cli_http_call *call, struct cli_http_reply *reply,
                               struct errc_why *why);
