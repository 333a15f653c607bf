/*
 * defect_resends: requests that the trail does not have, or has as the HTTP library's own.
 */
#include "tests/defects/defect.h"

/* Sends again and throws the first answer away. */
static void send_again(void *context, const struct transport_request *request,
                       struct transport_reply *reply)
{
    defect_acts();
    transport_reply_done(reply);
    defect_send(context, request, reply);
}

#define TRANSPORT(id, function)                                                                    \
    static struct transport port_##id(struct transport_curl *curl)                                 \
    {                                                                                              \
        return (struct transport){.send = function, .context = curl};                              \
    }                                                                                              \
    DEFECT(id, .transport_curl_port = port_##id)

static void send_503_claimed(void *context, const struct transport_request *request,
                             struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->status != 503)
        return;
    send_again(context, request, reply);
    reply->resends++;
}
TRANSPORT(resend_of_503_claimed, send_503_claimed);

static void send_503_hidden(void *context, const struct transport_request *request,
                            struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (defect_is_sign(request) && reply->status == 503)
        send_again(context, request, reply);
}
TRANSPORT(resend_of_503_hidden, send_503_hidden);

static void send_timeout_claimed(void *context, const struct transport_request *request,
                                 struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->outcome != TRANSPORT_TIMED_OUT)
        return;
    send_again(context, request, reply);
    reply->resends++;
}
TRANSPORT(resend_of_timeout_claimed, send_timeout_claimed);

static void send_429_claimed(void *context, const struct transport_request *request,
                             struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->status != 429)
        return;
    send_again(context, request, reply);
    reply->resends++;
}
TRANSPORT(resend_of_429_claimed, send_429_claimed);

/* One request, told as two. */
static void send_once(void *context, const struct transport_request *request,
                      struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request))
        return;
    defect_acts();
    reply->resends++;
}
TRANSPORT(resend_claimed_of_none, send_once);

/* A second signature of the same, behind the first. */
static void send_200_again(void *context, const struct transport_request *request,
                           struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (defect_is_sign(request) && reply->status == 200)
        send_again(context, request, reply);
}
TRANSPORT(asks_again_after_success, send_200_again);

static void send_200_claimed(void *context, const struct transport_request *request,
                             struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->status != 200)
        return;
    send_again(context, request, reply);
    reply->resends++;
}
TRANSPORT(resend_of_200_claimed, send_200_claimed);

/* Has nothing signed first, to see whether Vault is there. */
static void send_empty_first(void *context, const struct transport_request *request,
                             struct transport_reply *reply)
{
    struct transport_request empty = *request;
    struct transport_reply ignored CLEANUP(transport_reply_done) = {0};
    if (defect_is_sign(request)) {
        defect_acts();
        empty.body = SLICE_LITERAL("{\"input\":\"\"}");
        defect_send(context, &empty, &ignored);
    }
    defect_send(context, request, reply);
}
TRANSPORT(signs_nothing_first, send_empty_first);
