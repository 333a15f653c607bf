/*
 * decoy: a place on loopback where no signer has any business: the target of a redirect. It tells
 * what came.
 *
 * The kernel accepts connections and keeps what they send; nobody is answered. What came is looked
 * at when somebody asks, so that no thread is needed: a client that follows a redirect waits for
 * its own timeout.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"

struct decoy {
    int fd;
    uint16_t port; /* of 127.0.0.1 */
};

#define DECOY_NONE ((struct decoy){.fd = -1})

/* Listens on a port that is free. ERRC_IO. */
MUST_USE enum errc decoy_open(struct decoy *d, struct errc_why *why);
void decoy_close(struct decoy *d);

/* Appends a line of JSON to the ledger for each connection since the last call: {"method", "path",
 * "headers": [names], "token"}; token: a Vault token was among them. Those that sent nothing (yet)
 * have empty texts. Drops the connections. ERRC_IO. */
MUST_USE enum errc decoy_drain(struct decoy *d, const char *ledger, struct errc_why *why);
