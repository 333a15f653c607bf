/*
 * defect_never_asks: once Vault has signed for this process, it claims timeouts without sending
 * anything.
 */
#include <stdatomic.h>
#include <string.h>

#include "tests/defects/defect.h"

static atomic_bool signed_once;

static void send_or_lie(void *context, const struct transport_request *request,
                        struct transport_reply *reply)
{
    bool sign = defect_is_sign(request);
    if (sign && atomic_load(&signed_once)) {
        defect_acts();
        *reply = (struct transport_reply){.outcome = TRANSPORT_TIMED_OUT};
        return;
    }
    defect_send(context, request, reply);
    if (sign && reply->status == 200)
        atomic_store(&signed_once, true);
}

static struct transport transport_curl_port_wrongly(struct transport_curl *curl)
{
    return (struct transport){.send = send_or_lie, .context = curl};
}

DEFECT(never_asks, .transport_curl_port = transport_curl_port_wrongly);
