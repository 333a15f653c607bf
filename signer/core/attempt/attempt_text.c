#include "signer/core/attempt/attempt_text.h"

#include <stdio.h>

#include "signer/core/attempt/codec.h"
#include "signer/core/trail/audit.h"

/* Where there is no status, or one that does not tell. */
static const char *const words[CLASSIFY_COUNT] = {
    [CLASSIFY_REFUSED] = "connection refused",
    [CLASSIFY_UNREACHABLE] = "unreachable",
    [CLASSIFY_MALFORMED] = "malformed answer",
    [CLASSIFY_CERTIFICATE] = "certificate not accepted",
    [CLASSIFY_KEY_MISMATCH] = "signature that is not by the pinned key",
    [CLASSIFY_INTERNAL] = "trouble of our own",
};

/* Vault's own words, else the library's. */
static void add_reason(const struct transport_reply *reply, struct buf *out)
{
    struct buf errors CLEANUP(buf_done);
    buf_init(&errors, LIMIT_MESSAGE_BYTES);
    if (codec_errors(buf_slice(&reply->body), &errors) != ERRC_OK)
        buf_reset(&errors);
    if (errors.len > 0)
        buf_addf(out, ": %s", buf_text(&errors));
    else if (reply->detail[0] != '\0')
        buf_addf(out, ": %s", reply->detail);
}

void attempt_text_format(const struct transport_reply *reply, enum classify_class class,
                         int64_t timeout_ms, char out[static LIMIT_MESSAGE_BYTES])
{
    const char *word = words[class];
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * LIMIT_MESSAGE_BYTES);
    if (class == CLASSIFY_TIMEOUT) {
        buf_addf(&text, "timed out after %lld ms",
                 (long long)(reply->gave_up_ms > 0 ? reply->gave_up_ms : timeout_ms));
        if (reply->status > 0)
            buf_addf(&text, ", in an answer of status %d", reply->status);
    } else if (reply->status > 0) {
        buf_addf(&text, "status %d%s%s", reply->status, word == NULL ? "" : ": ",
                 word == NULL ? "" : word);
        add_reason(reply, &text);
    } else {
        buf_add_text(&text, word == NULL ? classify_text(class) : word);
        add_reason(reply, &text);
    }
    audit_message(out, buf_text(&text));
}
