#include "chaos/shell/stack/decoy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"
#include "base/text/jsonwrite.h"

#define BACKLOG 128
#define HEAD_BYTES 16384

static enum errc failed(struct decoy *d, struct errc_why *why)
{
    int e = errno;
    decoy_close(d);
    return errc_fail(why, ERRC_IO, "cannot listen on 127.0.0.1: %s", strerror(e));
}

enum errc decoy_open(struct decoy *d, struct errc_why *why)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->fd < 0 || bind(d->fd, (struct sockaddr *)&address, len) != 0 ||
        listen(d->fd, BACKLOG) != 0 || getsockname(d->fd, (struct sockaddr *)&address, &len) != 0)
        return failed(d, why);
    d->port = ntohs(address.sin_port);
    return ERRC_OK;
}

void decoy_close(struct decoy *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    *d = DECOY_NONE;
}

static bool is_token(struct slice name)
{
    static const char *const secret[] = {"X-Vault-Token", "Authorization"};
    for (size_t i = 0; i < COUNT(secret); i++)
        if (name.len == strlen(secret[i]) && strncasecmp(name.ptr, secret[i], name.len) == 0)
            return true;
    return false;
}

/* Names only: what stands in the headers is none of the ledger's business. */
static enum errc add_line(struct slice head, struct buf *out, struct errc_why *why)
{
    bool token = false;
    struct jsonwrite w;
    struct slice line = slice_trim(slice_cut(&head, '\n'));
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_slice(&w, "method", slice_cut(&line, ' '));
    jsonwrite_slice(&w, "path", slice_cut(&line, ' '));
    jsonwrite_array(&w, "headers");
    while (head.len > 0) {
        line = slice_trim(slice_cut(&head, '\n'));
        if (line.len == 0)
            break;
        struct slice name = slice_cut(&line, ':');
        token |= is_token(name);
        jsonwrite_slice(&w, NULL, name);
    }
    jsonwrite_end(&w);
    jsonwrite_bool(&w, "token", token);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
    return buf_status(out, why);
}

static enum errc take(int connection, int ledger, const char *path, struct errc_why *why)
{
    char head[HEAD_BYTES];
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4u * HEAD_BYTES);
    ssize_t n = recv(connection, head, sizeof head, MSG_DONTWAIT);
    TRY(add_line(slice_bytes(head, n > 0 ? (size_t)n : 0), &line, why));
    return file_write_fd(ledger, buf_slice(&line), path, why);
}

enum errc decoy_drain(struct decoy *d, const char *ledger, struct errc_why *why)
{
    enum errc code = ERRC_OK;
    int out = -1;
    for (int i = 0; code == ERRC_OK && i < BACKLOG && d->fd >= 0; i++) {
        int connection = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            break;
        if (out < 0)
            out = open(ledger, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        code = out < 0 ? errc_fail(why, ERRC_IO, "\"%s\": %s", ledger, strerror(errno))
                       : take(connection, out, ledger, why);
        (void)close(connection);
    }
    if (out >= 0)
        (void)close(out);
    return code;
}
