#include "fakevault/shell/ctl/ctl_http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/os/file.h"
#include "fakevault/shell/control/admin_socket.h"

#define HEAD_MAX (16u << 10)
#define BLOCK_BYTES (64u << 10)
#define TOKEN_MAX 4096u

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void free_block(char **block)
{
    free(*block);
}

static enum errc add_token(const struct ctl_http_call *call, struct buf *out, struct errc_why *why)
{
    if (call->token_file == NULL)
        return errc_fail(why, ERRC_USAGE,
                         "a TCP control address needs the token: -token-file=FILE or "
                         "FAKEVAULT_ADMIN_TOKEN_FILE");
    struct buf token CLEANUP(buf_done);
    buf_init(&token, TOKEN_MAX);
    TRY(file_read(call->token_file, &token, why));
    struct slice text = slice_trim(buf_slice(&token));
    buf_addf(out, "Authorization: Bearer %.*s\r\n", SLICE_FMT(text));
    return ERRC_OK;
}

static enum errc send_call(int fd, const struct ctl_http_call *call, bool tcp, struct errc_why *why)
{
    struct buf head CLEANUP(buf_done);
    buf_init(&head, HEAD_MAX);
    buf_addf(&head, "%s %s HTTP/1.0\r\nHost: localhost\r\n", call->method, call->target);
    if (tcp)
        TRY(add_token(call, &head, why));
    if (call->body.len > 0)
        buf_add_text(&head, "Content-Type: application/json\r\n");
    buf_addf(&head, "Content-Length: %zu\r\n\r\n", call->body.len);
    TRY(buf_status(&head, why));
    TRY(file_write_fd(fd, buf_slice(&head), "control connection", why));
    return file_write_fd(fd, call->body, "control connection", why);
}

/* Reads the head; what came behind it goes to rest. */
static enum errc read_head(int fd, int *status, struct buf *rest, struct errc_why *why)
{
    struct buf head CLEANUP(buf_done);
    buf_init(&head, HEAD_MAX + BLOCK_BYTES);
    for (;;) {
        char *to = buf_reserve(&head, 4096);
        ssize_t n = to == NULL ? -1 : recv(fd, to, 4096, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return errc_fail(why, ERRC_SCHEMA, "the connection ended before an answer came");
        buf_commit(&head, (size_t)n);
        const char *end = memmem(head.ptr, head.len, "\r\n\r\n", 4);
        if (end == NULL && head.len < HEAD_MAX)
            continue;
        if (end == NULL || head.len < 12 || memcmp(head.ptr, "HTTP/1.", 7) != 0)
            return errc_fail(why, ERRC_SCHEMA, "what answers there does not speak HTTP");
        uint64_t digits = 0;
        if (!slice_to_u64(slice_bytes(head.ptr + 9, 3), &digits))
            return errc_fail(why, ERRC_SCHEMA, "what answers there sends no HTTP status");
        *status = (int)digits;
        buf_add_slice(rest, slice_from(buf_slice(&head), (size_t)(end - head.ptr) + 4));
        return ERRC_OK;
    }
}

/* `to` -1: collects in out. Otherwise copies; the copy ends quietly when nobody reads it any more
 * (a closed pipe). */
static enum errc read_body(int fd, int to, struct buf *out, struct errc_why *why)
{
    char *block CLEANUP(free_block) = malloc(BLOCK_BYTES);
    if (block == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (;;) {
        ssize_t n = recv(fd, block, BLOCK_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errc_fail(why, ERRC_IO, "the control connection broke: %s", strerror(errno));
        if (n == 0)
            return buf_status(out, why);
        if (to < 0)
            buf_add(out, block, (size_t)n);
        else
            TRY(file_write_fd(to, slice_bytes(block, (size_t)n), "output", why));
    }
}

enum errc ctl_http_copy(const struct ctl_http_call *call, int to, int *status, struct buf *out,
                        struct errc_why *why)
{
    const char *shown = NULL;
    bool tcp = false;
    int fd CLEANUP(close_fd) = -1;
    TRY(admin_socket_connect(call->address, &fd, &shown, &tcp, why));
    enum errc code = send_call(fd, call, tcp, why);
    if (code == ERRC_OK)
        code = read_head(fd, status, out, why);
    if (code != ERRC_OK) {
        errc_prefix(why, "%s", shown);
        return code;
    }
    if (to < 0 || *status != 200)
        return read_body(fd, -1, out, why);
    TRY(file_write_fd(to, buf_slice(out), "output", why));
    buf_reset(out);
    return read_body(fd, to, out, why);
}

enum errc ctl_http_do(const struct ctl_http_call *call, int *status, struct buf *out,
                      struct errc_why *why)
{
    return ctl_http_copy(call, -1, status, out, why);
}
