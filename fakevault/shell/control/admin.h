/*
 * admin: the control API over HTTP (docs/architecture.md), on threads of its own: whatever the data
 * port does, an admin call is answered.
 *
 * On a Unix socket the file's mode (0600) is the authorisation. On loopback TCP a bearer token is,
 * and calls with an Origin header or with a Host that is no loopback name are refused, so that no
 * web page can drive it (DNS rebinding included).
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "base/secret.h"
#include "fakevault/shell/control/control.h"
#include "fakevault/shell/ports/journal_file.h"

struct admin;

struct admin_options {
    const char *address; /* a path with a '/', maybe as "unix:PATH", or HOST:PORT; or NULL */
    uint16_t data_port;  /* names the default socket */
    struct slice token;  /* of TCP; empty on a Unix socket. Borrowed until admin_stop */
};

/*
 * Listens and serves. The default socket is $XDG_RUNTIME_DIR/fakevault-PORT.sock, without that
 * folder one in a private folder below $TMPDIR. A socket file that nobody listens on is replaced,
 * one that is served is ERRC_EXISTS. A path longer than sun_path is ERRC_TOO_BIG, a TCP address
 * that is not loopback or has no token ERRC_USAGE.
 */
MUST_USE enum errc admin_start(const struct admin_options *options, struct control *control,
                               struct journal_file *journal, struct admin **out,
                               struct errc_why *why);

/* What clients are to be told: the path, or HOST:PORT. */
const char *admin_address(const struct admin *admin);

/* Ends the threads, removes the socket and a folder that was made for it. NULL allowed. */
void admin_stop(struct admin *admin);
