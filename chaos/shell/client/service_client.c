#include "chaos/shell/client/service_client.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "chaos/shell/client/httpcall.h"

#define URL_BYTES 256

static void reply_done(struct httpcall_reply *reply)
{
    buf_done(&reply->body);
}

void service_client_done(struct service_client_answer *answer)
{
    jsonread_done(&answer->body);
    *answer = (struct service_client_answer){0};
}

static enum errc send_call(const struct service_client *client, const char *method,
                           const char *path, const char *header, struct slice body,
                           int64_t deadline_ns, struct httpcall_reply *reply, struct errc_why *why)
{
    char url[URL_BYTES];
    const char *headers[] = {header, NULL};
    (void)snprintf(url, sizeof url, "%s%s", client->address, path);
    const struct httpcall call = {.method = method, .url = url, .headers = headers, .body = body};
    buf_init(&reply->body, LIMIT_FILE_BYTES);
    return httpcall_send(&call, client->await, deadline_ns, reply, why);
}

static enum errc call_json(const struct service_client *client, const char *method,
                           const char *path, const char *header, struct slice body,
                           int64_t deadline_ns, struct service_client_answer *out,
                           struct errc_why *why)
{
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    service_client_done(out);
    TRY(send_call(client, method, path, header, body, deadline_ns, &reply, why));
    out->status = reply.status;
    if (jsonread_parse(buf_slice(&reply.body), &out->body, NULL) != ERRC_OK)
        out->body = NULL;
    return ERRC_OK;
}

enum errc service_client_submit(const struct service_client *client, struct slice bundle,
                                int64_t deadline_ns, struct service_client_answer *out,
                                struct errc_why *why)
{
    return call_json(client, "POST", "/api/v1/bundles", NULL, bundle, deadline_ns, out, why);
}

enum errc service_client_retry(const struct service_client *client, const char *id,
                               int64_t deadline_ns, struct service_client_answer *out,
                               struct errc_why *why)
{
    char path[URL_BYTES];
    (void)snprintf(path, sizeof path, "/api/v1/bundles/%s/retry", id);
    return call_json(client, "POST", path, NULL, slice_of(NULL), deadline_ns, out, why);
}

static bool is_over(const struct service_client_answer *answer)
{
    const char *status = jsonread_string_or(answer->body, "status", "");
    return answer->status != 200 || strcmp(status, "completed") == 0 ||
           strcmp(status, "failed") == 0 || strcmp(status, "blocked") == 0;
}

enum errc service_client_await(const struct service_client *client, const char *id,
                               int64_t deadline_ns, struct service_client_answer *out,
                               struct errc_why *why)
{
    char path[URL_BYTES];
    (void)snprintf(path, sizeof path, "/api/v1/bundles/%s", id);
    for (int left = await_left_ms(deadline_ns); left > 0; left = await_left_ms(deadline_ns)) {
        char prefer[64];
        (void)snprintf(prefer, sizeof prefer, "Prefer: wait=%d", (left + 999) / 1000);
        TRY(call_json(client, "GET", path, prefer, slice_of(NULL), deadline_ns, out, why));
        if (is_over(out))
            return ERRC_OK;
    }
    return errc_fail(why, ERRC_TIMEOUT, "bundle %s still is \"%s\"", id,
                     jsonread_string_or(out->body, "status", "unknown"));
}

enum errc service_client_text(const struct service_client *client, const char *path,
                              int64_t deadline_ns, struct buf *out, struct errc_why *why)
{
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    TRY(send_call(client, "GET", path, NULL, slice_of(NULL), deadline_ns, &reply, why));
    if (reply.status != 200)
        return errc_fail(why, ERRC_STATE, "GET %s answered %d", path, reply.status);
    buf_add_slice(out, buf_slice(&reply.body));
    return buf_status(out, why);
}
