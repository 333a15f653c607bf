#include "signer/shell/service/service_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text/slice.h"

#define BACKLOG 512
#define HOST_BYTES 64

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, uint16_t *out)
{
    uint64_t n = 0;
    if (!slice_to_u64(slice_of(text), &n) || n > UINT16_MAX)
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool parse_host(struct slice host, uint16_t port, union address *out)
{
    char text[HOST_BYTES];
    bool bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (bracketed)
        host = (struct slice){host.ptr + 1, host.len - 2};
    if (host.len == 0 || slice_equal_text(host, "localhost"))
        host = SLICE_LITERAL("127.0.0.1");
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    *out = (union address){0};
    if (bracketed) {
        out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        return inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1;
    }
    out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, text, &out->v4.sin_addr) == 1;
}

static bool parse(const char *text, union address *out)
{
    const char *colon = strrchr(text, ':');
    uint16_t port = 0;
    return colon != NULL && parse_port(colon + 1, &port) &&
           parse_host(slice_bytes(text, (size_t)(colon - text)), port, out);
}

static socklen_t size_of(const union address *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

static bool is_loopback(const union address *address)
{
    return address->any.sa_family == AF_INET ? (ntohl(address->v4.sin_addr.s_addr) >> 24) == 127
                                             : IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static bool serve_on(int fd, union address *address)
{
    const int on = 1;
    socklen_t len = sizeof *address;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(fd, &address->any, size_of(address)) == 0 && listen(fd, BACKLOG) == 0 &&
           getsockname(fd, &address->any, &len) == 0;
}

enum errc service_listen_open(const char *text, struct service_listen *out, struct errc_why *why)
{
    union address address;
    if (!parse(text, &address))
        return errc_fail(why, ERRC_USAGE,
                         "listen address \"%s\" is not HOST:PORT with a numeric host", text);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !serve_on(fd, &address)) {
        enum errc code =
            errc_fail(why, ERRC_IO, "cannot listen on \"%s\": %s", text, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return code;
    }
    *out = (struct service_listen){
        .fd = fd,
        .port =
            ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port),
        .loopback = is_loopback(&address),
    };
    return ERRC_OK;
}
