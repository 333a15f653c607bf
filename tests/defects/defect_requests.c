/*
 * defect_requests: asks Vault for what nobody asked it to.
 */
#include "tests/defects/defect.h"

/* One more request, whose answer does not matter. */
static void ask(void *context, const char *method, const char *path, struct slice body)
{
    struct transport_reply reply CLEANUP(transport_reply_done) = {0};
    const struct transport_request request = {
        .method = method, .path = path, .body = body, .timeout_ms = 1000, .with_token = true};
    defect_acts();
    defect_send(context, &request, &reply);
}

#define TRANSPORT(id, function)                                                                    \
    static struct transport port_##id(struct transport_curl *curl)                                 \
    {                                                                                              \
        return (struct transport){.send = function, .context = curl};                              \
    }                                                                                              \
    DEFECT(id, .transport_curl_port = port_##id)

static enum errc poll_fast(const struct health_poll_ports *ports, int64_t interval_ms,
                           struct health_poll **out, struct errc_why *why)
{
    (void)interval_ms;
    defect_acts();
    return __real_health_poll_start(ports, 1, out, why);
}
DEFECT(health_every_millisecond, .health_poll_start = poll_fast);

/* Mounts transit and makes the key when Vault has none. */
static void send_making_key(void *context, const struct transport_request *request,
                            struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->status != 404)
        return;
    ask(context, "POST", "/v1/sys/mounts/transit", SLICE_LITERAL("{\"type\":\"transit\"}"));
    ask(context, "POST", "/v1/transit/keys/docugen-manifest",
        SLICE_LITERAL("{\"type\":\"ecdsa-p256\"}"));
}
TRANSPORT(makes_the_key_itself, send_making_key);

static void send_asking_seal(void *context, const struct transport_request *request,
                             struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->status == 200)
        return;
    for (int i = 0; i < 50; i++)
        ask(context, "GET", "/v1/sys/seal-status", SLICE_LITERAL(""));
}
TRANSPORT(asks_seal_status_in_a_loop, send_asking_seal);

/* Has the same signed by a key of its own as well. */
static void send_to_second_key(void *context, const struct transport_request *request,
                               struct transport_reply *reply)
{
    struct transport_request second = *request;
    struct transport_reply ignored CLEANUP(transport_reply_done) = {0};
    defect_send(context, request, reply);
    if (!defect_is_sign(request) || reply->status != 200)
        return;
    ask(context, "POST", "/v1/transit/keys/signer-own", SLICE_LITERAL("{\"type\":\"ecdsa-p256\"}"));
    second.path = "/v1/transit/sign/signer-own";
    defect_send(context, &second, &ignored);
}
TRANSPORT(signs_with_a_second_key, send_to_second_key);

static void send_reading_key(void *context, const struct transport_request *request,
                             struct transport_reply *reply)
{
    if (defect_is_sign(request))
        ask(context, "GET", "/v1/transit/keys/docugen-manifest", SLICE_LITERAL(""));
    defect_send(context, request, reply);
}
TRANSPORT(reads_the_key_each_time, send_reading_key);

static void send_unsealing(void *context, const struct transport_request *request,
                           struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (defect_is_sign(request) && reply->status == 503)
        ask(context, "POST", "/v1/sys/unseal",
            SLICE_LITERAL("{\"key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}"));
}
TRANSPORT(guesses_unseal_keys, send_unsealing);

static void send_with_new_token(void *context, const struct transport_request *request,
                                struct transport_reply *reply)
{
    if (defect_is_sign(request))
        ask(context, "POST", "/v1/auth/token/create", SLICE_LITERAL("{\"ttl\":\"1h\"}"));
    defect_send(context, request, reply);
}
TRANSPORT(makes_tokens, send_with_new_token);

/* Rotates the key before each signature, so that it is always fresh. */
static void send_rotating(void *context, const struct transport_request *request,
                          struct transport_reply *reply)
{
    defect_send(context, request, reply);
    if (defect_is_sign(request) && reply->status == 200)
        ask(context, "POST", "/v1/transit/keys/docugen-manifest/rotate", SLICE_LITERAL("{}"));
}
TRANSPORT(rotates_the_key_itself, send_rotating);
