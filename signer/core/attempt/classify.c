#include "signer/core/attempt/classify.h"

#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "signer/core/attempt/codec.h"

#define TEXT_MAX 4096 /* of Vault's error text that is looked at */

static const char *const words[CLASSIFY_COUNT] = {
#define CLASSIFY_WORD(id, text) [CLASSIFY_##id] = text,
    CLASSIFY_LIST(CLASSIFY_WORD)
#undef CLASSIFY_WORD
};

/* What may follow from a class (design: the local key only takes over what Vault could not do,
 * never what it would not do). */
#define AVAILABILITY                                                                               \
    {                                                                                              \
        .retry = true, .fallback_eligible = true                                                   \
    }
#define REFUSAL                                                                                    \
    {                                                                                              \
        .fail_closed = true                                                                        \
    }

static const struct classify_policy policies[CLASSIFY_COUNT] = {
    [CLASSIFY_OK] = {0},
    [CLASSIFY_REFUSED] = AVAILABILITY,
    [CLASSIFY_UNREACHABLE] = AVAILABILITY,
    [CLASSIFY_TIMEOUT] = AVAILABILITY,
    [CLASSIFY_SEALED] = AVAILABILITY,
    [CLASSIFY_UNAVAILABLE] = AVAILABILITY,
    [CLASSIFY_MALFORMED] = AVAILABILITY,
    [CLASSIFY_RATE_LIMITED] = {.retry = true, .respects_retry_after = true},
    [CLASSIFY_STALE] = {.retry = true},
    [CLASSIFY_DENIED] = REFUSAL,
    [CLASSIFY_BAD_REQUEST] = REFUSAL,
    [CLASSIFY_NOT_FOUND] = REFUSAL,
    [CLASSIFY_KEY_STATE] = REFUSAL,
    [CLASSIFY_REDIRECT] = REFUSAL,
    [CLASSIFY_CERTIFICATE] = REFUSAL,
    [CLASSIFY_KEY_MISMATCH] = REFUSAL,
    [CLASSIFY_INTERNAL] = REFUSAL,
};

/* Texts that change what a status alone would say. Vault answers some refusals with 500 and one
 * with 503 (failures.md 0, item 2; vault-api.md 4.13). The first row that fits wins. */
static const struct text_rule {
    int status;
    const char *text;
    enum classify_class class;
} text_rules[] = {
    {503, "has been locked by an administrator", CLASSIFY_DENIED},
    {503, "Vault is sealed", CLASSIFY_SEALED},
    {503, "namespace is sealed", CLASSIFY_SEALED},
    {500, "Vault is sealed", CLASSIFY_SEALED}, /* before Vault 0.3 */
    {500, "requested version for signing", CLASSIFY_KEY_STATE},
    {500, "no such key version", CLASSIFY_KEY_STATE},
    {500, "soft-deleted key", CLASSIFY_KEY_STATE},
    {500, "does not contain a private part", CLASSIFY_KEY_STATE},
    {500, "error deriving key", CLASSIFY_BAD_REQUEST},
    {500, "unsupported rsa signature algorithm", CLASSIFY_BAD_REQUEST},
    {500, "requested salt length", CLASSIFY_BAD_REQUEST},
    {500, "input must be hashed", CLASSIFY_BAD_REQUEST},
    {500, "failed to parse batch input", CLASSIFY_BAD_REQUEST},
    {500, "failed to verify client's certificate", CLASSIFY_CERTIFICATE},
};

/* Ranges of statuses, narrow ones first. */
static const struct status_rule {
    int from;
    int to;
    enum classify_class class;
} status_rules[] = {
    {200, 200, CLASSIFY_OK},
    {100, 199, CLASSIFY_MALFORMED}, /* nothing but an interim answer */
    {201, 299, CLASSIFY_MALFORMED}, /* signing answers 200 and nothing else */
    {300, 399, CLASSIFY_REDIRECT},
    {400, 400, CLASSIFY_BAD_REQUEST},
    {401, 401, CLASSIFY_DENIED},
    {403, 403, CLASSIFY_DENIED},
    {404, 404, CLASSIFY_NOT_FOUND},
    {407, 407, CLASSIFY_DENIED},
    {408, 408, CLASSIFY_UNAVAILABLE}, /* a proxy that gave up waiting */
    {410, 410, CLASSIFY_NOT_FOUND},
    {412, 412, CLASSIFY_STALE},
    {429, 429, CLASSIFY_RATE_LIMITED},
    {472, 474, CLASSIFY_UNAVAILABLE}, /* standbys of several kinds */
    {400, 499, CLASSIFY_BAD_REQUEST},
    {501, 501, CLASSIFY_BAD_REQUEST}, /* the peer does not know the method: no outage */
    {500, 599, CLASSIFY_UNAVAILABLE},
};

static enum classify_class by_status(int status)
{
    for (size_t i = 0; i < COUNT(status_rules); i++)
        if (status >= status_rules[i].from && status <= status_rules[i].to)
            return status_rules[i].class;
    return CLASSIFY_MALFORMED;
}

/* Without memory the text cannot be looked at, and a refusal might pass for an outage. */
static bool by_text(const struct transport_reply *reply, enum classify_class *out)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TEXT_MAX);
    *out = CLASSIFY_INTERNAL;
    if (buf_reserve(&text, TEXT_MAX) == NULL)
        return true;
    enum errc code = codec_errors(buf_slice(&reply->body), &text);
    if (code != ERRC_OK)
        return code == ERRC_NOMEM;
    for (size_t i = 0; i < COUNT(text_rules); i++) {
        if (text_rules[i].status != reply->status)
            continue;
        if (strstr(buf_text(&text), text_rules[i].text) == NULL)
            continue;
        *out = text_rules[i].class;
        return true;
    }
    return false;
}

static enum classify_class by_reply(const struct transport_reply *reply)
{
    enum classify_class class = CLASSIFY_OK;
    return by_text(reply, &class) ? class : by_status(reply->status);
}

/* A reply that was cut short: what its status refuses stays refused, the rest is malformed. */
static enum classify_class by_stump(const struct transport_reply *reply)
{
    if (reply->status == 0)
        return CLASSIFY_MALFORMED;
    enum classify_class class = by_reply(reply);
    bool said_no = class != CLASSIFY_OK && !policies[class].fallback_eligible;
    return said_no ? class : CLASSIFY_MALFORMED;
}

enum classify_class classify_reply(const struct transport_reply *reply)
{
    switch (reply->outcome) {
    case TRANSPORT_COMPLETE:
        return by_reply(reply);
    case TRANSPORT_TRUNCATED:
        return by_stump(reply);
    case TRANSPORT_REFUSED:
        return CLASSIFY_REFUSED;
    case TRANSPORT_UNREACHABLE:
        return CLASSIFY_UNREACHABLE;
    case TRANSPORT_TIMED_OUT:
        return reply->status >= 300 && policies[by_status(reply->status)].fail_closed
                   ? by_status(reply->status)
                   : CLASSIFY_TIMEOUT;
    case TRANSPORT_NOT_HTTP:
        return CLASSIFY_MALFORMED;
    case TRANSPORT_CERTIFICATE:
        return CLASSIFY_CERTIFICATE;
    case TRANSPORT_INTERNAL:
        return CLASSIFY_INTERNAL;
    case TRANSPORT_COUNT:
        break;
    }
    bug_die(__FILE__, __LINE__, "an outcome that the port does not know");
}

const struct classify_policy *classify_policy(enum classify_class class)
{
    CHECK(class < CLASSIFY_COUNT);
    return &policies[class];
}

const char *classify_text(enum classify_class class)
{
    CHECK(class < CLASSIFY_COUNT);
    return words[class];
}
