/*
 * service_listen: the listening socket of a service.
 *
 * HOST:PORT, where HOST is a numeric address ("127.0.0.1", "[::1]"), "localhost", or nothing for
 * 127.0.0.1, and PORT is 0..65535 (0: the system chooses). SO_REUSEADDR, because the port may be
 * held by a socket that never listens (docs/architecture.md, The data port stays).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"

struct service_listen {
    int fd; /* close-on-exec, not blocking; the caller's */
    uint16_t port;
    bool loopback; /* false: anybody who reaches the machine may ask for signatures */
};

/* ERRC_USAGE for a bad address, ERRC_IO when it cannot be bound; the sentence quotes it. */
MUST_USE enum errc service_listen_open(const char *address, struct service_listen *out,
                                       struct errc_why *why);
