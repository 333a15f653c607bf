/*
 * wire: what is done to a connection's socket beneath HTTP.
 *
 * The descriptor belongs to microhttpd; the caller makes sure that it stays open during the call
 * (gate.h holds the lock under which connections end).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Resets a TCP connection: the peer gets an RST at once, whatever is unsent is lost. The descriptor
 * stays open, reads and writes on it fail from then on. SO_LINGER would not do, because microhttpd
 * shuts the socket down before it closes it; dissolving the association (connect to AF_UNSPEC)
 * does. False when it was not connected.
 */
bool wire_reset(int fd);

/*
 * True when the peer has closed its side or reset, with nothing left to read. As Go's server does
 * (it cancels the request's context on end of file), a half-closed client counts as gone.
 */
bool wire_peer_gone(int fd);

/* True when the peer has closed its side or reset, whatever it has sent before that (a second
 * request, TLS's farewell). */
bool wire_hung_up(int fd);
