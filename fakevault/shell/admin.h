/*
 * admin: the control API over HTTP (docs/architecture.md), on threads of its own: whatever the data
 * port does, an admin call is answered.
 *
 * On a Unix socket the file's mode (0600) is the authorisation. On loopback TCP a bearer token is,
 * and calls with an Origin header or with a Host that is no loopback name are refused, so that no
 * web page can drive it (DNS rebinding included).
 */
#pragma once

#include "base/errc.h"
#include "base/secret.h"
#include "fakevault/shell/control.h"

struct admin;

struct admin_options {
    const char *address; /* path of a socket ("/..." or "unix:..."), or HOST:PORT; NULL: the default
                            socket for the port */
    uint16_t data_port;  /* names the default socket */
    const struct secret *token; /* of TCP; NULL otherwise */
};

/*
 * Listens and serves. The default socket is $XDG_RUNTIME_DIR/fakevault-PORT.sock, without that
 * folder a private folder below $TMPDIR. A socket file that nobody listens on is replaced, one that
 * is served is ERRC_EXISTS. A path longer than sun_path is ERRC_TOO_BIG, a TCP address that is not
 * loopback or has no token ERRC_USAGE.
 */
MUST_USE enum errc admin_start(const struct admin_options *options, struct control *control,
                               struct admin **out, struct errc_why *why);

/* What clients are to be told: the path, or HOST:PORT. */
const char *admin_address(const struct admin *admin);

/* Ends the threads, removes the socket and a folder that was made for it. NULL allowed. */
void admin_stop(struct admin *admin);
