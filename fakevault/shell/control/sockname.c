#include "fakevault/shell/control/sockname.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text/slice.h"

#define HOST_MAX 256

static enum errc split(const char *text, char host[static HOST_MAX], char port[static 8],
                       struct errc_why *why)
{
    const char *colon = strrchr(text, ':');
    uint64_t n = 0;
    if (colon == NULL)
        return errc_fail(why, ERRC_SYNTAX, "address \"%.80s\" has no port, want HOST:PORT", text);
    if (!slice_to_u64(slice_of(colon + 1), &n) || n > 65535)
        return errc_fail(why, ERRC_RANGE, "address \"%.80s\": the port is not in 0..65535", text);
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return errc_fail(why, ERRC_SYNTAX,
                         "address \"%.80s\": write an IPv6 address in brackets, [::1]:8200", text);
    }
    if (len >= HOST_MAX)
        return errc_fail(why, ERRC_SYNTAX, "address \"%.80s…\": the host is too long", text);
    memcpy(host, text, len);
    host[len] = '\0';
    (void)snprintf(port, 8, "%u", (unsigned)n);
    return ERRC_OK;
}

enum errc sockname_parse(const char *text, struct sockname *out, struct errc_why *why)
{
    char host[HOST_MAX], port[8];
    TRY(split(text, host, port, why));
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host[0] == '\0' ? "127.0.0.1" : host, port, &hints, &found);
    if (code != 0)
        return errc_fail(why, ERRC_NOT_FOUND, "address \"%.80s\": %s", text, gai_strerror(code));
    *out = (struct sockname){.len = found->ai_addrlen};
    memcpy(&out->address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return ERRC_OK;
}

static enum errc bind_fd(int fd, struct sockname *name, struct errc_why *why)
{
    char text[SOCKNAME_TEXT_MAX];
    const int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* connections inherit it */
    sockname_format(name, text);
    name->len = sizeof name->address;
    socklen_t len = name->address.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                       : sizeof(struct sockaddr_in6);
    if (bind(fd, (const struct sockaddr *)&name->address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&name->address, &name->len) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot bind %s: %s", text, strerror(errno));
    return ERRC_OK;
}

enum errc sockname_bind(struct sockname *name, int *out, struct errc_why *why)
{
    int fd = socket(name->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot make a socket: %s", strerror(errno));
    enum errc code = bind_fd(fd, name, why);
    if (code != ERRC_OK) {
        (void)close(fd);
        return code;
    }
    *out = fd;
    return ERRC_OK;
}

static const struct sockaddr_in *ipv4(const struct sockname *name)
{
    return (const struct sockaddr_in *)&name->address;
}

static const struct sockaddr_in6 *ipv6(const struct sockname *name)
{
    return (const struct sockaddr_in6 *)&name->address;
}

uint16_t sockname_port(const struct sockname *name)
{
    return ntohs(name->address.ss_family == AF_INET ? ipv4(name)->sin_port : ipv6(name)->sin6_port);
}

void sockname_format(const struct sockname *name, char out[static SOCKNAME_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "?";
    bool four = name->address.ss_family == AF_INET;
    const void *bytes =
        four ? (const void *)&ipv4(name)->sin_addr : (const void *)&ipv6(name)->sin6_addr;
    (void)inet_ntop(name->address.ss_family, bytes, host, sizeof host);
    (void)snprintf(out, SOCKNAME_TEXT_MAX, four ? "%s:%u" : "[%s]:%u", host, sockname_port(name));
}

bool sockname_is_loopback(const struct sockname *name)
{
    if (name->address.ss_family == AF_INET)
        return ntohl(ipv4(name)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&ipv6(name)->sin6_addr);
}
