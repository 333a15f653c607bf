/*
 * defect_never_asks: once Vault has signed for this process, it claims timeouts without sending
 * anything.
 */
#include <stdatomic.h>
#include <string.h>

#include "signer/shell/transport_curl.h"

struct transport __real_transport_curl_port(struct transport_curl *curl);
struct transport __wrap_transport_curl_port(struct transport_curl *curl);

static atomic_bool signed_once;

static void send_or_lie(void *context, const struct transport_request *request,
                        struct transport_reply *reply)
{
    struct transport real = __real_transport_curl_port(context);
    bool sign = strstr(request->path, "/sign/") != NULL;
    if (sign && atomic_load(&signed_once)) {
        *reply = (struct transport_reply){.outcome = TRANSPORT_TIMED_OUT};
        return;
    }
    real.send(real.context, request, reply);
    if (sign && reply->status == 200)
        atomic_store(&signed_once, true);
}

struct transport __wrap_transport_curl_port(struct transport_curl *curl)
{
    return (struct transport){.send = send_or_lie, .context = curl};
}
