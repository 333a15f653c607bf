#include "fakevault/shell/data/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

bool wire_reset(int fd)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    /* Not connect(): the thread sanitizer takes that for the birth of a descriptor, and every other
     * use of it for a race.
     */
    return syscall(SYS_connect, fd, &nobody, sizeof nobody) == 0;
}

bool wire_peer_gone(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0)
        return false;
    return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool wire_hung_up(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0;
}
