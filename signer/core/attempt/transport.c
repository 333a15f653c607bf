#include "signer/core/attempt/transport.h"

void transport_reply_done(struct transport_reply *reply)
{
    if (reply == NULL)
        return;
    buf_done(&reply->body);
}
