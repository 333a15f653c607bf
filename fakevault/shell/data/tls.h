/*
 * tls: TLS in front of whoever serves HTTP.
 *
 *     client <- TLS on the TCP socket -> this <- plain bytes on a socket pair -> HTTP server
 *
 * The HTTP server never sees TLS, so that a fault in TLS needs no word with it. Each connection
 * stays with one of a few epoll threads. Its TCP socket stays open until the HTTP server has closed
 * its end of the pair, so that the gate may reset it as long as it knows the connection.
 *
 * As Vault's listener does: TLS 1.2 and 1.3, HTTP/1.1 by ALPN (no HTTP/2), a client certificate is
 * asked for but need not come, plain HTTP is answered with a 400, and ten seconds for a handshake.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "fakevault/shell/data/tls_session.h"

struct tls;

enum tls_end {
    TLS_END_CLIENT, /* it went away, or speaks another protocol */
    TLS_END_SERVER, /* we stop, or it took too long */
};

/* Called from the threads of this file, without a lock held. */
struct tls_events {
    /* The handshake is done: the HTTP server may have the plain end. */
    void (*ready)(void *context, void *conn);
    /* It came to nothing. The plain end is the caller's again; the TCP socket is closed behind
     * this. */
    void (*failed)(void *context, void *conn, enum tls_end end);
    void *context;
};

/* Reads the certificate and starts the threads. Lends the options' texts. ERRC_USAGE,
 * ERRC_NOT_FOUND, ERRC_SYNTAX with Vault's sentence. */
MUST_USE enum errc tls_new(const struct tls_options *options, const struct tls_events *events,
                           unsigned threads, struct tls **out, struct errc_why *why);

/* Reads certificate and key anew, for handshakes from now on; the old ones stay when that fails. */
MUST_USE enum errc tls_reload(struct tls *tls, struct errc_why *why);

/* Takes a TCP socket and one end of a socket pair over, both closed in the end; conn is what the
 * events are told. False when there is no memory: nothing is taken over. */
bool tls_take(struct tls *tls, int tcp, int inner, void *conn);

/* Ends all handshakes, and takes none any more: no event comes once it has returned. */
void tls_stop(struct tls *tls);

/* Ends what is left. Requires tls_stop. NULL allowed. */
void tls_free(struct tls *tls);
