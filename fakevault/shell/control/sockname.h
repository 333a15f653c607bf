/*
 * sockname: "HOST:PORT" to a socket address and back.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/errc.h"

#define SOCKNAME_TEXT_MAX 64u /* bytes of a formatted address with its NUL */

struct sockname {
    struct sockaddr_storage address;
    socklen_t len;
};

/*
 * Reads HOST:PORT. HOST is an IPv4 address, an IPv6 address in brackets, a name, or empty for
 * 127.0.0.1; PORT is 0..65535. ERRC_SYNTAX, ERRC_RANGE; ERRC_NOT_FOUND for a name without an
 * address.
 */
MUST_USE enum errc sockname_parse(const char *text, struct sockname *out, struct errc_why *why);

/* Returns a new socket bound to the address with SO_REUSEADDR, not listening, and updates *name
 * with the port that was picked. ERRC_UNAVAILABLE. */
MUST_USE enum errc sockname_bind(struct sockname *name, int *fd, struct errc_why *why);

void sockname_format(const struct sockname *name, char out[static SOCKNAME_TEXT_MAX]);
uint16_t sockname_port(const struct sockname *name);
bool sockname_is_loopback(const struct sockname *name);
