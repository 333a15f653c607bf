#include "signer/shell/service/service_http.h"

#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/limits.h"
#include "base/units.h"
#include "signer/core/service/api_prefer.h"

#define JSON_TYPE "application/json"
#define CONNECTION_MEMORY (32u << 10) /* request line and headers of one connection */

/* One request, from its headers to the end of its answer. */
struct exchange {
    struct service_http *http;
    struct MHD_Connection *connection;
    struct exchange *previous, *next; /* among the waiting */
    char request_id[ENTROPY_UUID_BYTES];
    char *path;
    struct api_route_result target;
    struct buf body;
    size_t received;
    bool routed;
    bool refused; /* `refusal` is the answer, whatever the body says */
    enum api_error refusal;
    struct errc_why reason;
    bool waits;
    bool suspended;
    uint64_t wait_s; /* as preferred, clamped; 0 for not at all */
    int64_t deadline_ns;
};

struct service_http {
    struct service_http_ports ports;
    struct MHD_Daemon *daemon;
    int epoll_fd;
    struct exchange *waiting;
    unsigned waiting_count;
    unsigned busy;
    bool no_waiting;
};

static int64_t mono_now(const struct service_http *http)
{
    return http->ports.clock.now(http->ports.clock.context).mono_ns;
}

void service_http_refuse(struct service_http_answer *answer, enum api_error error,
                         const char *message, const char *request_id)
{
    buf_reset(&answer->body);
    answer->status = api_error_status(error);
    answer->content_type = JSON_TYPE;
    answer->location[0] = '\0';
    answer->unsettled = false;
    api_error_format(error, message, request_id, &answer->body);
}

/* The sentence is in e->reason already. */
static void refuse(struct exchange *e, enum api_error error)
{
    e->refused = true;
    e->refusal = error;
    buf_done(&e->body);
}

static void refuse_size(struct exchange *e)
{
    (void)errc_fail(&e->reason, ERRC_TOO_BIG, "the body has more than %u bytes",
                    LIMIT_API_BODY_BYTES);
    refuse(e, API_ERROR_TOO_BIG);
}

/* "application/json", parameters allowed. A browser sends no such type to another site without
 * asking first, and a body without a type it does send. */
static bool is_json(const char *type)
{
    struct slice rest = slice_of(type);
    struct slice name = slice_trim(slice_cut(&rest, ';'));
    return name.len == strlen(JSON_TYPE) && strncasecmp(name.ptr, JSON_TYPE, name.len) == 0;
}

static const char *header(struct exchange *e, const char *name)
{
    return MHD_lookup_connection_value(e->connection, MHD_HEADER_KIND, name);
}

static bool is_wanted_type(struct exchange *e)
{
    const char *type = header(e, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (e->target.route == API_ROUTE_CREATE)
        return type != NULL && is_json(type);
    return e->target.route != API_ROUTE_RETRY || type == NULL || is_json(type);
}

static enum MHD_Result check_host(void *context, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    struct exchange *e = context;
    (void)kind;
    if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0 && !e->refused &&
        !api_guard_host(&e->http->ports.guard, slice_of(value))) {
        (void)errc_fail(&e->reason, ERRC_DENIED,
                        "this service is not known as \"%.100s\": see signer serve -help, -host",
                        value == NULL ? "" : value);
        refuse(e, API_ERROR_MISDIRECTED);
    }
    return MHD_YES;
}

/* Health and metrics are for probes, which call a service as they like, and change nothing. */
static void check_sender(struct exchange *e)
{
    const char *origin = header(e, MHD_HTTP_HEADER_ORIGIN);
    if (!slice_starts_with(slice_of(e->path), "/api/"))
        return;
    (void)MHD_get_connection_values(e->connection, MHD_HEADER_KIND, check_host, e);
    if (e->refused || origin == NULL ||
        api_guard_origin(slice_of(origin), slice_of(header(e, MHD_HTTP_HEADER_HOST))))
        return;
    (void)errc_fail(&e->reason, ERRC_DENIED, "a page of \"%.100s\" may not use this service",
                    origin);
    refuse(e, API_ERROR_FORBIDDEN);
}

static void check_route(struct exchange *e, const char *method)
{
    e->target = api_route_find(slice_of(method), slice_of(e->path));
    e->routed = true;
    check_sender(e);
    if (e->refused)
        return;
    if (e->target.match == API_ROUTE_UNKNOWN) {
        (void)errc_fail(&e->reason, ERRC_NOT_FOUND, "there is nothing under \"%.200s\"", e->path);
        refuse(e, API_ERROR_NOT_FOUND);
    } else if (e->target.match == API_ROUTE_WRONG_METHOD) {
        (void)errc_fail(&e->reason, ERRC_USAGE, "\"%.40s\" does not go with this path, want %s",
                        method, e->target.allow);
        refuse(e, API_ERROR_METHOD);
    } else if (!is_wanted_type(e)) {
        const char *type = header(e, MHD_HTTP_HEADER_CONTENT_TYPE);
        (void)errc_fail(&e->reason, ERRC_USAGE, "content type \"%.100s\" is not " JSON_TYPE,
                        type == NULL ? "" : type);
        refuse(e, API_ERROR_MEDIA_TYPE);
    }
}

static enum MHD_Result join_prefer(void *context, enum MHD_ValueKind kind, const char *key,
                                   const char *value)
{
    (void)kind;
    if (strcasecmp(key, "Prefer") == 0 && value != NULL)
        buf_addf(context, "%s,", value);
    return MHD_YES;
}

static void read_preference(struct exchange *e)
{
    struct buf all CLEANUP(buf_done);
    buf_init(&all, CONNECTION_MEMORY);
    (void)MHD_get_connection_values(e->connection, MHD_HEADER_KIND, join_prefer, &all);
    if (!api_prefer_wait(buf_slice(&all), LIMIT_API_WAIT_S, &e->wait_s))
        e->wait_s = 0;
    e->deadline_ns = mono_now(e->http) + (int64_t)e->wait_s * NS_PER_S;
}

/* Called with the URI as it stands on the wire, before anything is decoded. */
static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct service_http *http = context;
    struct exchange *e = calloc(1, sizeof *e);
    struct slice rest = slice_of(uri);
    if (e == NULL)
        return NULL;
    *e = (struct exchange){.http = http, .connection = connection};
    e->path = slice_dup(slice_cut(&rest, '?'));
    if (e->path == NULL) {
        free(e);
        return NULL;
    }
    buf_init(&e->body, LIMIT_API_BODY_BYTES);
    entropy_uuid(&http->ports.entropy, e->request_id);
    http->busy++;
    return e;
}

static void leave_waiting(struct exchange *e)
{
    if (!e->waits)
        return;
    if (e->previous != NULL)
        e->previous->next = e->next;
    else
        e->http->waiting = e->next;
    if (e->next != NULL)
        e->next->previous = e->previous;
    e->waits = false;
    e->http->waiting_count--;
}

static void end(void *context, struct MHD_Connection *connection, void **request,
                enum MHD_RequestTerminationCode how)
{
    (void)context;
    (void)connection;
    (void)how;
    struct exchange *e = *request;
    if (e == NULL)
        return;
    leave_waiting(e);
    e->http->busy--;
    buf_done(&e->body);
    free(e->path);
    free(e);
    *request = NULL;
}

static void join_waiting(struct exchange *e)
{
    struct service_http *http = e->http;
    if (!e->waits) {
        e->previous = NULL;
        e->next = http->waiting;
        if (e->next != NULL)
            e->next->previous = e;
        http->waiting = e;
        http->waiting_count++;
        e->waits = true;
    }
    e->suspended = true;
    MHD_suspend_connection(e->connection);
}

static bool may_wait(const struct exchange *e)
{
    return e->wait_s > 0 && !e->http->no_waiting && mono_now(e->http) < e->deadline_ns &&
           (e->waits || e->http->waiting_count < LIMIT_API_WAITERS);
}

static void add_headers(const struct exchange *e, const struct service_http_answer *answer,
                        struct MHD_Response *response)
{
    char number[24];
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Request-Id", e->request_id);
    if (answer->location[0] != '\0')
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location);
    if (e->target.match == API_ROUTE_WRONG_METHOD)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, e->target.allow);
    if (answer->retry_after_s > 0) {
        (void)snprintf(number, sizeof number, "%u", answer->retry_after_s);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, number);
    }
    if (e->waits) {
        (void)snprintf(number, sizeof number, "wait=%u", (unsigned)e->wait_s);
        (void)MHD_add_response_header(response, "Preference-Applied", number);
    }
}

static enum MHD_Result send_answer(struct exchange *e, struct service_http_answer *answer)
{
    size_t len = 0;
    unsigned status = answer->status;
    char *bytes = buf_take(&answer->body, &len);
    if (bytes == NULL)
        return MHD_NO; /* out of memory: the connection is closed, which promises nothing */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(bytes);
        return MHD_NO;
    }
    add_headers(e, answer, response);
    leave_waiting(e);
    enum MHD_Result result = MHD_queue_response(e->connection, status, response);
    MHD_destroy_response(response);
    e->http->ports.answered(e->http->ports.context, status);
    return result;
}

static enum MHD_Result answer_or_wait(struct exchange *e)
{
    struct service_http_answer answer = {.content_type = JSON_TYPE};
    buf_init(&answer.body, LIMIT_FILE_BYTES);
    if (e->refused) {
        service_http_refuse(&answer, e->refusal, e->reason.text, e->request_id);
    } else {
        struct service_http_request request = {.route = e->target.route,
                                               .id = e->target.id,
                                               .body = buf_slice(&e->body),
                                               .request_id = e->request_id};
        e->http->ports.answer(e->http->ports.answer_context, &request, &answer);
    }
    enum MHD_Result result = MHD_YES;
    if (answer.unsettled && e->target.route == API_ROUTE_RUN && may_wait(e))
        join_waiting(e);
    else
        result = send_answer(e, &answer);
    buf_done(&answer.body);
    return result;
}

static enum MHD_Result receive(struct exchange *e, const char *bytes, size_t *len)
{
    e->received += *len;
    if (e->received > LIMIT_API_DRAIN_BYTES)
        return MHD_NO;
    if (!e->refused)
        buf_add(&e->body, bytes, *len);
    if (e->body.failed)
        refuse_size(e);
    *len = 0;
    return MHD_YES;
}

/* A client that asks before it sends its body is refused before it does. */
static bool refuse_early(struct exchange *e)
{
    const char *expect = header(e, MHD_HTTP_HEADER_EXPECT);
    const char *announced = header(e, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t len = 0;
    bool known = announced != NULL && slice_to_u64(slice_of(announced), &len);
    if (!e->refused && known && len > LIMIT_API_BODY_BYTES)
        refuse_size(e);
    return e->refused && (expect != NULL || (known && len > LIMIT_API_DRAIN_BYTES));
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    struct exchange *e = *request;
    if (e == NULL)
        return MHD_NO;
    if (!e->routed) {
        check_route(e, method);
        read_preference(e);
        return refuse_early(e) ? answer_or_wait(e) : MHD_YES;
    }
    if (*upload_size > 0)
        return receive(e, upload, upload_size);
    return answer_or_wait(e);
}

static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

enum errc service_http_open(int listen_fd, const struct service_http_ports *ports,
                            struct service_http **out, struct errc_why *why)
{
    struct service_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        (void)close(listen_fd);
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    }
    http->ports = *ports;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK, begin, http,
        MHD_OPTION_NOTIFY_COMPLETED, end, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, http,
        MHD_OPTION_CONNECTION_LIMIT, LIMIT_API_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        LIMIT_API_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        http->daemon == NULL ? NULL : MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        (void)close(listen_fd);
        free(http);
        return errc_fail(why, ERRC_IO, "cannot start the HTTP server");
    }
    http->epoll_fd = info->epoll_fd;
    *out = http;
    return ERRC_OK;
}

int service_http_fd(const struct service_http *http)
{
    return http->epoll_fd;
}

static int64_t until_next_deadline_ms(const struct service_http *http)
{
    int64_t now = mono_now(http);
    int64_t least = INT_MAX;
    for (const struct exchange *e = http->waiting; e != NULL; e = e->next) {
        int64_t ms = e->deadline_ns <= now ? 0 : (e->deadline_ns - now) / NS_PER_MS + 1;
        least = ms < least ? ms : least;
    }
    return least;
}

int service_http_timeout_ms(struct service_http *http)
{
    MHD_UNSIGNED_LONG_LONG limit = 0;
    int64_t ms = until_next_deadline_ms(http);
    if (MHD_get_timeout(http->daemon, &limit) == MHD_YES && limit < (unsigned long long)ms)
        ms = (int64_t)limit;
    return ms == INT_MAX ? -1 : (int)ms;
}

static void resume(struct exchange *e)
{
    if (!e->suspended)
        return;
    e->suspended = false;
    MHD_resume_connection(e->connection);
}

void service_http_step(struct service_http *http)
{
    int64_t now = mono_now(http);
    for (struct exchange *e = http->waiting; e != NULL; e = e->next)
        if (e->deadline_ns <= now)
            resume(e);
    (void)MHD_run(http->daemon);
}

void service_http_settled(struct service_http *http, const char *id)
{
    for (struct exchange *e = http->waiting; e != NULL; e = e->next)
        if (id == NULL || slice_equal_text(e->target.id, id))
            resume(e);
}

void service_http_quiesce(struct service_http *http)
{
    int fd = MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        (void)close(fd);
}

void service_http_stop_waiting(struct service_http *http)
{
    http->no_waiting = true;
    service_http_settled(http, NULL);
}

unsigned service_http_busy(const struct service_http *http)
{
    return http->busy;
}

void service_http_close(struct service_http *http)
{
    if (http == NULL)
        return;
    /* libmicrohttpd aborts when it is stopped while a connection is suspended */
    service_http_stop_waiting(http);
    (void)MHD_run(http->daemon);
    MHD_stop_daemon(http->daemon);
    CHECK(http->busy == 0);
    free(http);
}
