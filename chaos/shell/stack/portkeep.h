/*
 * portkeep: a port number that stays ours for a whole run, also while nobody
 * listens on it (docs/architecture.md, The data port stays).
 *
 * The socket is bound and never listens: a connect is refused, nobody else is
 * given the number, and a server that sets SO_REUSEADDR can bind it.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"

/* A zeroed fd is a descriptor: start with PORTKEEP_NONE. */
struct portkeep {
    int fd;
    uint16_t port;
};

#define PORTKEEP_NONE ((struct portkeep){.fd = -1})

/* Takes a free port of 127.0.0.1. ERRC_IO. */
MUST_USE enum errc portkeep_open(struct portkeep *keep, struct errc_why *why);

/* Gives it back. PORTKEEP_NONE is fine. */
void portkeep_close(struct portkeep *keep);
