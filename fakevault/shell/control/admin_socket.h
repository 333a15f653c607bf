/*
 * admin_socket: where the control API listens, and where its client finds it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "base/errc.h"
#include "base/limits.h"

struct admin_socket {
    int fd; /* listening; -1 once somebody took it over */
    bool tcp;
    char address[LIMIT_PATH_BYTES]; /* the path, or HOST:PORT */
    char folder[LIMIT_PATH_BYTES];  /* that was made for the socket, "" for none */
};

/* Opens as admin.h (admin_start) tells. */
MUST_USE enum errc admin_socket_open(const char *address, uint16_t data_port,
                                     struct admin_socket *out, struct errc_why *why);

/* Closes the descriptor, removes the socket's file and its folder. */
void admin_socket_close(struct admin_socket *socket);

/* Connects to an address as above. NULL: FAKEVAULT_ADMIN, else the only socket in $XDG_RUNTIME_DIR.
 * ERRC_USAGE when there is nothing to go by, ERRC_UNAVAILABLE when nobody answers there. *shown
 * (lent until the next call) is the address. */
MUST_USE enum errc admin_socket_connect(const char *address, int *fd, const char **shown, bool *tcp,
                                        struct errc_why *why);
