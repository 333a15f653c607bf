#include "fakevault/core/vault_reply.h"

#include <stdlib.h>

void vault_reply_done(struct vault_reply *reply)
{
    if (reply == NULL)
        return;
    buf_done(&reply->body);
    buf_done(&reply->location);
    buf_done(&reply->echo);
    free(reply->signature_sha256);
    audit_lines_done(&reply->audit);
    *reply = (struct vault_reply){0};
}
