/*
 * api_guard: which requests a browser may have sent in somebody else's name.
 *
 * A page of another site can make a browser POST to 127.0.0.1; it cannot hide its Origin. With a
 * name of its own that it points at 127.0.0.1 (DNS rebinding) it can even read the answers; it
 * cannot hide the Host. So a request must name an address that this service is known by:
 *
 *     always                           localhost, 127.0.0.0/8, [::1]
 *     -listen=10.1.2.3:8080            10.1.2.3 too
 *     -listen=0.0.0.0:8080 or [::]     any numeric address too: rebinding takes a name
 *     -host=signer.internal,signer     these names too
 *
 * A request without Host (HTTP/1.0) comes from no browser. An Origin must be the address itself.
 */
#pragma once

#include <stdbool.h>

#include "base/text/slice.h"

/* Borrowed. */
struct api_guard {
    const char *listen; /* HOST:PORT, as given; NULL: loopback only */
    const char *names;  /* more names, separated by commas; NULL for none */
};

/* True for a Host header, with or without its port, that means this service. */
bool api_guard_host(const struct api_guard *guard, struct slice host);

/* True for an Origin that is the service itself, as the client's Host has it ("" for none). */
bool api_guard_origin(struct slice origin, struct slice host);
