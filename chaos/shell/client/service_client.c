#include "chaos/shell/client/service_client.h"

#include <stdio.h>

#include "base/limits.h"
#include "chaos/core/subject/subject_answer.h"
#include "chaos/shell/client/answers.h"
#include "chaos/shell/client/httpcall.h"

#define PART_BYTES_MAX (1u << 20) /* of a request: path, header, body */

struct parts {
    struct buf url, header, body;
};

static void parts_init(struct parts *p)
{
    buf_init(&p->url, PART_BYTES_MAX);
    buf_init(&p->header, PART_BYTES_MAX);
    buf_init(&p->body, PART_BYTES_MAX);
}

static void parts_done(struct parts *p)
{
    buf_done(&p->url);
    buf_done(&p->header);
    buf_done(&p->body);
}

static void reply_done(struct httpcall_reply *reply)
{
    buf_done(&reply->body);
}

struct service_client service_client_of(const struct stack *stack, const struct stack_service *s)
{
    struct service_client client = {.await = &stack->await,
                                    .subject = stack->spec->subject,
                                    .door = s->door,
                                    .run_folder = stack->options.run_folder};
    (void)snprintf(client.address, sizeof client.address, "http://127.0.0.1:%u", s->port.port);
    return client;
}

static enum errc expand(const char *text, const struct subject_template_values *values,
                        struct buf *out, struct errc_why *why)
{
    return text == NULL ? ERRC_OK : subject_template_expand(text, values, out, why);
}

/* bundle: what its body asks to be signed; NULL: nothing. */
static enum errc send_request(const struct service_client *client,
                              const struct subject_request *request,
                              const struct subject_bundle *bundle,
                              const struct subject_template_values *values, int64_t deadline_ns,
                              struct httpcall_reply *reply, struct errc_why *why)
{
    struct parts parts CLEANUP(parts_done);
    parts_init(&parts);
    buf_init(&reply->body, LIMIT_FILE_BYTES);
    buf_add_text(&parts.url, client->address);
    TRY(expand(request->path, values, &parts.url, why));
    TRY(expand(request->header, values, &parts.header, why));
    TRY(bundle == NULL ? expand(request->body, values, &parts.body, why)
                       : subject_bundle_expand(client->door, request->body, client->door->artefact,
                                               bundle, values, &parts.body, why));
    const char *headers[] = {request->header == NULL ? NULL : buf_text(&parts.header), NULL};
    const struct httpcall call = {.method = request->method,
                                  .url = buf_text(&parts.url),
                                  .headers = headers,
                                  .body = buf_slice(&parts.body)};
    TRY(httpcall_send(&call, client->await, deadline_ns, reply, why));
    answers_keep(client->run_folder, client->door->name, &call, reply);
    return ERRC_OK;
}

enum errc service_client_ask(const struct service_client *client,
                             const struct subject_request *request,
                             const struct subject_bundle *bundle,
                             const struct subject_template_values *values, int64_t deadline_ns,
                             int *status, struct buf *out, struct errc_why *why)
{
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    TRY(send_request(client, request, bundle, values, deadline_ns, &reply, why));
    *status = reply.status;
    buf_add_slice(out, buf_slice(&reply.body));
    return buf_status(out, why);
}

/* Sends one of the door's requests and takes the answer into *told; any status is an answer. */
static enum errc send_and_take(const struct service_client *client,
                               const struct subject_request *request,
                               const struct subject_template_values *values, int64_t deadline_ns,
                               struct world_call *told, struct errc_why *why)
{
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    TRY(send_request(client, request, NULL, values, deadline_ns, &reply, why));
    told->http_status = reply.status;
    subject_answer_take(client->door, buf_slice(&reply.body), told);
    return ERRC_OK;
}

enum errc service_client_await(const struct service_client *client,
                               struct subject_template_values values, int64_t deadline_ns,
                               struct world_call *told, struct errc_why *why)
{
    for (int left = await_left_ms(deadline_ns); left > 0; left = await_left_ms(deadline_ns)) {
        char seconds[16];
        (void)snprintf(seconds, sizeof seconds, "%d", (left + 999) / 1000);
        values.of[SUBJECT_TEMPLATE_SECONDS] = seconds;
        TRY(send_and_take(client, &client->door->await, &values, deadline_ns, told, why));
        if (subject_answer_is_last(client->subject, told))
            return ERRC_OK;
    }
    return errc_fail(why, ERRC_TIMEOUT, "bundle %s still is \"%s\"",
                     values.of[SUBJECT_TEMPLATE_CALL], told->status);
}

enum errc service_client_text(const struct service_client *client,
                              const struct subject_request *request, int64_t deadline_ns,
                              struct buf *out, struct errc_why *why)
{
    const struct subject_template_values none = {{0}};
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    TRY(send_request(client, request, NULL, &none, deadline_ns, &reply, why));
    if (reply.status != 200)
        return errc_fail(why, ERRC_STATE, "%s %s answered %d", request->method, request->path,
                         reply.status);
    buf_add_slice(out, buf_slice(&reply.body));
    return buf_status(out, why);
}
