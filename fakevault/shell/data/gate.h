/*
 * gate: the data port. It listens, accepts, refuses and resets; whoever serves HTTP gets
 * connections handed over.
 *
 * Refusing shuts the listening socket down without closing it: the kernel answers connects with
 * RST, resets what waits in the backlog, and the port stays ours until it listens again.
 * Connections are registered under the lock under which they are accepted, so that none slips
 * through between "stop listening" and "reset all".
 *
 * The connection's descriptor belongs to the HTTP server; it is touched here only while registered,
 * and the server says gate_conn_closed before it closes one. TLS stands between accept and
 * hand-over: then the HTTP server gets one end of a socket pair (tls.h), and what is reset is the
 * TCP socket.
 *
 * Thread-safe.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/errc.h"
#include "fakevault/core/journal.h"
#include "fakevault/shell/data/tls.h"

struct gate;

/* One open data connection; lives from accept until gate_conn_closed. */
struct gate_conn;

struct gate_events {
    /* Takes the descriptor over; false when that failed, and the descriptor is closed then too.
     * Called with the gate's lock held: it must not call the gate, nor wait for anything. */
    bool (*hand_over)(void *context, int fd, const struct sockaddr *address, socklen_t len);
    /* Tell of a connection's begin and end, in the order of what happens; the same holds. */
    void (*opened)(void *context, uint64_t conn);
    void (*closed)(void *context, uint64_t conn, enum journal_how how);
    /* A TLS handshake is done. May be NULL without TLS. */
    void (*opened_tls)(void *context, uint64_t conn);
    /* Called behind those, with no lock held: what they were told may be written now, however long
     * that takes. */
    void (*told)(void *context);
    void *context;
};

/*
 * Binds HOST:PORT (IPv4, bracketed IPv6 or a name that resolves to one; port 0 picks one) with
 * SO_REUSEADDR, also over a socket of somebody else that is bound there and does not listen.
 * ERRC_SYNTAX, ERRC_UNAVAILABLE (with the address and the system's reason). Does not listen yet.
 */
MUST_USE enum errc gate_open(const char *address, struct gate **out, struct errc_why *why);

/* From gate_start on, clients have to speak TLS. What tls_new says. */
MUST_USE enum errc gate_use_tls(struct gate *gate, const struct tls_options *options,
                                unsigned threads, struct errc_why *why);
bool gate_has_tls(const struct gate *gate);

/* Reads certificate and key anew; without TLS there is nothing to do. What tls_reload says. */
MUST_USE enum errc gate_reload_tls(struct gate *gate, struct errc_why *why);

/* Starts listening and the thread that accepts. */
MUST_USE enum errc gate_start(struct gate *gate, const struct gate_events *events,
                              struct errc_why *why);

/* Stops accepting for good and ends the thread; open connections stay. */
void gate_stop(struct gate *gate);

/* Requires that all connections are closed. NULL allowed. */
void gate_free(struct gate *gate);

uint16_t gate_port(const struct gate *gate);
const char *gate_address(const struct gate *gate); /* "127.0.0.1:8200" */

struct gate_status {
    bool accepting;
    size_t open;      /* connections */
    size_t in_flight; /* of these, with a request that is not answered yet */
};
struct gate_status gate_status(struct gate *gate);

/* Listens again; fine when it does already. ERRC_UNAVAILABLE when somebody took the port's
 * listening. */
MUST_USE enum errc gate_accept(struct gate *gate, struct errc_why *why);

struct gate_refused {
    size_t reset;    /* connections that got an RST */
    size_t draining; /* connections whose request may finish */
};

/*
 * Stops listening and resets the open connections; with drain, those with a request in flight are
 * closed behind its reply instead. Never waits. Fine when it refuses already.
 */
struct gate_refused gate_refuse(struct gate *gate, bool drain);

/* The connection with this descriptor, which the HTTP server has just begun to serve. */
struct gate_conn *gate_conn_of(struct gate *gate, int fd);

uint64_t gate_conn_id(const struct gate_conn *conn);

/* Who is at the other end: "127.0.0.1" and its port. */
const char *gate_conn_peer(const struct gate_conn *conn, int *port);

/* A request begins or ends on the connection. begin: false when the connection was reset. end: true
 * when the connection is to be closed behind this reply. */
bool gate_conn_begin(struct gate *gate, struct gate_conn *conn);
bool gate_conn_last(struct gate *gate, struct gate_conn *conn);
void gate_conn_end(struct gate *gate, struct gate_conn *conn);

/* True once the client has hung up, or we have reset the connection. */
bool gate_conn_peer_gone(struct gate *gate, const struct gate_conn *conn);

/* True once we have reset the connection. */
bool gate_conn_was_reset(struct gate *gate, const struct gate_conn *conn);

/* The HTTP server is about to close the descriptor, for `how` unless the gate knows better. Frees
 * conn. */
void gate_conn_closed(struct gate *gate, struct gate_conn *conn, enum journal_how how);
