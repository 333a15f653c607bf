/*
 * ready: tells whoever started a server that it serves (docs/architecture.md,
 * Readiness).
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"

struct ready {
    int fd;                /* where to say it; -1 for nowhere. Closed afterwards */
    const char *port_file; /* NULL for none */
    uint16_t port;
    const char *admin;   /* NULL leaves it out */
    const char *boot_id; /* NULL leaves it out */
};

/* Writes the port file, then the line. ERRC_IO. */
MUST_USE enum errc ready_announce(const struct ready *ready, struct errc_why *why);
