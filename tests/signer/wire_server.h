/*
 * wire_server: a server on loopback that plays bytes, in a thread of its own.
 *
 * Each act answers one request: it reads the request whole, writes the bytes, and then keeps the
 * connection for the next act or ends it. Acts are played in order over all connections; when they
 * are used up, the listener is closed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum wire_server_end {
    WIRE_SERVER_KEEP, /* the next act answers on the same connection */
    WIRE_SERVER_FIN,
    WIRE_SERVER_RST,
    WIRE_SERVER_HOLD, /* open and silent until the server is stopped */
};

struct wire_server_act {
    const char *bytes; /* NULL: none */
    size_t len;        /* 0: strlen(bytes) */
    enum wire_server_end end;
};

struct wire_server;

struct wire_server *wire_server_start(const struct wire_server_act *acts, size_t count);

/* Closes all, ends the thread. */
void wire_server_stop(struct wire_server *server);

uint16_t wire_server_port(const struct wire_server *server);

/* Requests and connections so far. */
size_t wire_server_requests(struct wire_server *server);
size_t wire_server_connections(struct wire_server *server);

/* Text of request i, headers and body; valid until stopped. */
const char *wire_server_request(struct wire_server *server, size_t i);
