/*
 * fuzz_signer_reply: whatever Vault, or what stands in its place, answers: it is classified, and
 * what passes for a signature is one of the asked version, in base64 that reads back.
 *
 * The first two bytes choose status and outcome, the rest is the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/units.h"
#include "signer/core/attempt/classify.h"
#include "signer/core/attempt/codec.h"
#include "signer/core/attempt/retry.h"
#include "signer/core/keys/keyport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = {200, 503, 500, 403, 404, 400, 429, 412, 502, 307, 0, 204};

static void check_signature(struct slice body)
{
    struct buf text CLEANUP(buf_done), raw CLEANUP(buf_done), again CLEANUP(buf_done);
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = 0;
    buf_init(&text, 512);
    buf_init(&raw, 512);
    buf_init(&again, 512);
    if (codec_sign_reply(body, 1, &text, &raw, NULL) != ERRC_OK)
        return;
    if (strncmp(buf_text(&text), "vault:v1:", 9) != 0 ||
        keyport_parse_signature(buf_slice(&text), &kind, &version, &again, NULL) != ERRC_OK ||
        kind != KEYPORT_ECDSA_P256 || version != 1 ||
        !slice_equal(buf_slice(&raw), buf_slice(&again)))
        abort();
}

static void check_errors(struct slice body)
{
    struct buf errors CLEANUP(buf_done);
    buf_init(&errors, 4096);
    if (codec_errors(body, &errors) != ERRC_OK && errors.len > 0)
        abort();
    for (size_t i = 0; i < errors.len; i++)
        if ((unsigned char)errors.ptr[i] < ' ')
            abort();
}

/* The status of a refusal settles it, whatever the body says. */
static void check_class(const struct transport_reply *reply)
{
    enum classify_class class = classify_reply(reply);
    if (class >= CLASSIFY_COUNT)
        abort();
    const struct classify_policy *policy = classify_policy(class);
    bool answered = reply->outcome == TRANSPORT_COMPLETE || reply->outcome == TRANSPORT_TRUNCATED;
    bool refusal = reply->status == 400 || reply->status == 403 || reply->status == 404 ||
                   reply->status == 307;
    if (answered && refusal && (!policy->fail_closed || policy->fallback_eligible))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice body = slice_bytes(data + 2, size - 2);
    struct transport_reply reply = {.outcome = (enum transport_outcome)(data[0] % TRANSPORT_COUNT),
                                    .status = statuses[data[1] % COUNT(statuses)]};
    struct buf pem CLEANUP(buf_done);
    int64_t number = 0;
    buf_init(&pem, 4096);
    buf_init(&reply.body, LIMIT_VAULT_REPLY_BYTES);
    buf_add_slice(&reply.body, body);
    check_class(&reply);
    check_signature(body);
    check_errors(body);
    (void)!codec_key_reply(body, &number, &pem, NULL);
    if (retry_after_ms(body, INT64_C(1795458581) * NS_PER_S, &number) && number < 0)
        abort();
    transport_reply_done(&reply);
    return 0;
}
