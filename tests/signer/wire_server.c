#include "tests/signer/wire_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bug.h"

#define REQUESTS_MAX 16
#define REQUEST_BYTES 65536

struct wire_server {
    const struct wire_server_act *acts;
    size_t count;
    int listener;
    int stop[2]; /* a pipe; readable when it is time to end */
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock;
    char *requests[REQUESTS_MAX];
    size_t request_count;
    size_t connection_count;
    int held[REQUESTS_MAX];
    size_t held_count;
};

/* False when the server is to stop. */
static bool wait_readable(const struct wire_server *s, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
    CHECK(poll(fds, 2, 20000) > 0);
    return fds[1].revents == 0;
}

static bool is_whole(const char *text, size_t len)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return false;
    const char *length = strcasestr(text, "content-length:");
    size_t body = length == NULL || length > end ? 0 : strtoul(length + 15, NULL, 10);
    return len >= (size_t)(end + 4 - text) + body;
}

/* Reads a request; false when the peer closed or the server stops. */
static bool read_request(struct wire_server *s, int fd)
{
    char *text = calloc(1, REQUEST_BYTES);
    size_t len = 0;
    CHECK(text != NULL);
    while (!is_whole(text, len)) {
        ssize_t n = wait_readable(s, fd) ? read(fd, text + len, REQUEST_BYTES - 1 - len) : 0;
        if (n <= 0) {
            free(text);
            return false;
        }
        len += (size_t)n;
    }
    (void)pthread_mutex_lock(&s->lock);
    CHECK(s->request_count < REQUESTS_MAX);
    s->requests[s->request_count++] = text;
    (void)pthread_mutex_unlock(&s->lock);
    return true;
}

static void end_connection(struct wire_server *s, int fd, enum wire_server_end end)
{
    if (end == WIRE_SERVER_HOLD) {
        s->held[s->held_count++] = fd;
        return;
    }
    if (end == WIRE_SERVER_RST) {
        struct linger now = {.l_onoff = 1};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    (void)close(fd);
}

/* Plays acts on one connection; returns how many were used. */
static size_t play(struct wire_server *s, int fd, size_t at)
{
    enum wire_server_end end = WIRE_SERVER_KEEP;
    size_t used = 0;
    while (end == WIRE_SERVER_KEEP && at + used < s->count && read_request(s, fd)) {
        const struct wire_server_act *act = &s->acts[at + used++];
        size_t len = act->len > 0 ? act->len : act->bytes == NULL ? 0 : strlen(act->bytes);
        for (size_t sent = 0; sent < len;) {
            ssize_t n = send(fd, act->bytes + sent, len - sent, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            sent += (size_t)n;
        }
        end = act->end;
    }
    end_connection(s, fd, end == WIRE_SERVER_KEEP ? WIRE_SERVER_FIN : end);
    return used;
}

static void *serve(void *context)
{
    struct wire_server *s = context;
    size_t at = 0;
    while (at < s->count && wait_readable(s, s->listener)) {
        int fd = accept(s->listener, NULL, NULL);
        CHECK(fd >= 0);
        (void)pthread_mutex_lock(&s->lock);
        s->connection_count++;
        (void)pthread_mutex_unlock(&s->lock);
        at += play(s, fd, at);
    }
    (void)close(s->listener);
    return NULL;
}

struct wire_server *wire_server_start(const struct wire_server_act *acts, size_t count)
{
    struct wire_server *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    CHECK(s != NULL);
    s->acts = acts;
    s->count = count;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(s->listener >= 0 && bind(s->listener, (struct sockaddr *)&address, size) == 0);
    CHECK(listen(s->listener, 8) == 0 && pipe(s->stop) == 0);
    CHECK(getsockname(s->listener, (struct sockaddr *)&address, &size) == 0);
    s->port = ntohs(address.sin_port);
    CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
    CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
    return s;
}

void wire_server_stop(struct wire_server *s)
{
    CHECK(write(s->stop[1], "x", 1) == 1);
    CHECK(pthread_join(s->thread, NULL) == 0);
    for (size_t i = 0; i < s->held_count; i++)
        (void)close(s->held[i]);
    for (size_t i = 0; i < s->request_count; i++)
        free(s->requests[i]);
    (void)close(s->stop[0]);
    (void)close(s->stop[1]);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

uint16_t wire_server_port(const struct wire_server *s)
{
    return s->port;
}

static size_t locked(struct wire_server *s, const size_t *count)
{
    (void)pthread_mutex_lock(&s->lock);
    size_t n = *count;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

size_t wire_server_requests(struct wire_server *s)
{
    return locked(s, &s->request_count);
}

size_t wire_server_connections(struct wire_server *s)
{
    return locked(s, &s->connection_count);
}

const char *wire_server_request(struct wire_server *s, size_t i)
{
    (void)pthread_mutex_lock(&s->lock);
    CHECK(i < s->request_count);
    const char *text = s->requests[i];
    (void)pthread_mutex_unlock(&s->lock);
    return text;
}
