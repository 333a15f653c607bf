#include "chaos/shell/client/httpcall.h"

#include <curl/curl.h>
#include <stdbool.h>

struct exchange {
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    char trouble[CURL_ERROR_SIZE];
};

static void exchange_done(struct exchange *x)
{
    if (x->multi != NULL && x->easy != NULL)
        (void)curl_multi_remove_handle(x->multi, x->easy);
    curl_easy_cleanup(x->easy);
    (void)curl_multi_cleanup(x->multi);
    curl_slist_free_all(x->headers);
}

enum errc httpcall_open(struct errc_why *why)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
               ? ERRC_OK
               : errc_fail(why, ERRC_NOMEM, "cannot set up libcurl");
}

void httpcall_close(void)
{
    curl_global_cleanup();
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_add(body, bytes, size * count);
    return body->failed ? 0 : size * count;
}

static bool add_header(struct exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->headers, line);
    if (longer == NULL)
        return false;
    x->headers = longer;
    return true;
}

static bool add_headers(struct exchange *x, const struct httpcall *call)
{
    bool added = add_header(x, "Expect:") && add_header(x, "Accept: */*");
    if (call->body.len > 0)
        added = added && add_header(x, "Content-Type: application/json");
    for (size_t i = 0; call->headers != NULL && call->headers[i] != NULL; i++)
        added = added && add_header(x, call->headers[i]);
    return added;
}

static bool set_up(struct exchange *x, const struct httpcall *call, struct httpcall_reply *reply)
{
    CURL *e = x->easy;
    bool set = curl_easy_setopt(e, CURLOPT_URL, call->url) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR,
                                call->authority == NULL ? "http" : "https") == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->trouble) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_WRITEDATA, &reply->body) == CURLE_OK;
    if (call->socket_path != NULL)
        set = set && curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, call->socket_path) == CURLE_OK;
    if (call->authority != NULL)
        set = set && curl_easy_setopt(e, CURLOPT_CAINFO, call->authority) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    if (call->body.len > 0)
        set = set &&
              curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len) ==
                  CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body.ptr) == CURLE_OK;
    return set && add_headers(x, call) &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK &&
           curl_multi_add_handle(x->multi, e) == CURLM_OK;
}

/* Drives the transfer; ERRC_OK means that it is over, not that it went well. */
static enum errc drive(const struct exchange *x, const struct httpcall *call,
                       const struct await *await, int64_t deadline_ns, struct errc_why *why)
{
    struct curl_waitfd interrupt = {.fd = await->interrupt_fd, .events = CURL_WAIT_POLLIN};
    unsigned extra = await->interrupt_fd >= 0 ? 1 : 0;
    for (;;) {
        int running = 0;
        if (curl_multi_perform(x->multi, &running) != CURLM_OK)
            return errc_fail(why, ERRC_IO, "%s %s: libcurl failed", call->method, call->url);
        if (running == 0)
            return ERRC_OK;
        int left = await_left_ms(deadline_ns);
        if (left == 0)
            return errc_fail(why, ERRC_TIMEOUT, "%s %s: no answer in time", call->method,
                             call->url);
        interrupt.revents = 0;
        if (curl_multi_poll(x->multi, &interrupt, extra, left, NULL) != CURLM_OK)
            return errc_fail(why, ERRC_IO, "%s %s: libcurl failed", call->method, call->url);
        if (interrupt.revents != 0)
            return errc_fail(why, ERRC_UNAVAILABLE, "%s %s: interrupted", call->method, call->url);
    }
}

static enum errc judge(const struct exchange *x, const struct httpcall *call,
                       struct httpcall_reply *reply, struct errc_why *why)
{
    int left = 0;
    long status = 0;
    const CURLMsg *message = curl_multi_info_read(x->multi, &left);
    CURLcode code = message != NULL ? message->data.result : CURLE_RECV_ERROR;
    if (reply->body.failed)
        return errc_fail(why, ERRC_TOO_BIG, "%s %s: the answer is larger than %zu bytes",
                         call->method, call->url, reply->body.max);
    if (code != CURLE_OK)
        return errc_fail(why, ERRC_UNAVAILABLE, "%s %s: %s", call->method, call->url,
                         x->trouble[0] != '\0' ? x->trouble : curl_easy_strerror(code));
    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    return ERRC_OK;
}

enum errc httpcall_send(const struct httpcall *call, const struct await *await, int64_t deadline_ns,
                        struct httpcall_reply *reply, struct errc_why *why)
{
    struct exchange x CLEANUP(exchange_done) = {.easy = curl_easy_init(),
                                                .multi = curl_multi_init()};
    if (x.easy == NULL || x.multi == NULL || !set_up(&x, call, reply))
        return errc_fail(why, ERRC_NOMEM, "cannot prepare %s %s", call->method, call->url);
    TRY(drive(&x, call, await, deadline_ns, why));
    return judge(&x, call, reply, why);
}
