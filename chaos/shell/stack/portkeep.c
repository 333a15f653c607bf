#include "chaos/shell/stack/portkeep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum errc fail(struct portkeep *keep, struct errc_why *why)
{
    int e = errno;
    portkeep_close(keep);
    return errc_fail(why, ERRC_IO, "cannot reserve a port of 127.0.0.1: %s", strerror(e));
}

enum errc portkeep_open(struct portkeep *keep, struct errc_why *why)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int on = 1;
    keep->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (keep->fd < 0 || bind(keep->fd, (struct sockaddr *)&address, len) != 0)
        return fail(keep, why);
    /* behind bind: with it, two runs could be given the same number */
    if (setsockopt(keep->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        getsockname(keep->fd, (struct sockaddr *)&address, &len) != 0)
        return fail(keep, why);
    keep->port = ntohs(address.sin_port);
    return ERRC_OK;
}

void portkeep_close(struct portkeep *keep)
{
    if (keep->fd >= 0)
        (void)close(keep->fd);
    *keep = PORTKEEP_NONE;
}
