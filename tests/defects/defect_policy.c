/*
 * defect_policy: what a class of failure leads to. The trail says honestly what was met.
 */
#include "tests/defects/defect.h"

static const struct classify_policy *as_if(enum classify_class class, enum classify_class met,
                                           enum classify_class other)
{
    if (class != met)
        return __real_classify_policy(class);
    defect_acts();
    return __real_classify_policy(other);
}

#define POLICY(id, met, other)                                                                     \
    static const struct classify_policy *policy_##id(enum classify_class class)                    \
    {                                                                                              \
        return as_if(class, met, other);                                                           \
    }                                                                                              \
    DEFECT(id, .classify_policy = policy_##id)

/* The local key takes over what Vault would not do. */
POLICY(fallback_on_412, CLASSIFY_STALE, CLASSIFY_SEALED);
POLICY(fallback_on_bad_request, CLASSIFY_BAD_REQUEST, CLASSIFY_SEALED);
POLICY(fallback_on_404, CLASSIFY_NOT_FOUND, CLASSIFY_SEALED);
POLICY(fallback_on_key_state, CLASSIFY_KEY_STATE, CLASSIFY_SEALED);
POLICY(fallback_on_redirect, CLASSIFY_REDIRECT, CLASSIFY_SEALED);
POLICY(fallback_on_certificate, CLASSIFY_CERTIFICATE, CLASSIFY_SEALED);
POLICY(fallback_on_key_mismatch, CLASSIFY_KEY_MISMATCH, CLASSIFY_SEALED);

/* A refusal is asked again, as if it could change its mind. */
POLICY(retries_403, CLASSIFY_DENIED, CLASSIFY_STALE);
POLICY(retries_bad_request, CLASSIFY_BAD_REQUEST, CLASSIFY_STALE);
POLICY(retries_404, CLASSIFY_NOT_FOUND, CLASSIFY_STALE);
POLICY(retries_key_state, CLASSIFY_KEY_STATE, CLASSIFY_STALE);
POLICY(retries_key_mismatch, CLASSIFY_KEY_MISMATCH, CLASSIFY_STALE);

/* An outage is taken for a refusal. */
POLICY(sealed_as_refusal, CLASSIFY_SEALED, CLASSIFY_DENIED);
POLICY(malformed_as_refusal, CLASSIFY_MALFORMED, CLASSIFY_DENIED);
POLICY(timeout_as_refusal, CLASSIFY_TIMEOUT, CLASSIFY_DENIED);
POLICY(timeout_without_fallback, CLASSIFY_TIMEOUT, CLASSIFY_STALE);

/* Falls back behind rate limits as if behind an outage; the attempts are told as they were. */
static enum classify_class unavailable(const struct transport_reply *reply)
{
    enum classify_class class = __real_classify_reply(reply);
    if (class != CLASSIFY_RATE_LIMITED)
        return class;
    defect_acts();
    return CLASSIFY_UNAVAILABLE;
}

static enum errc format_honestly(const struct audit_entry *entry, const char *previous,
                                 struct buf *out, struct errc_why *why)
{
    struct audit_attempt attempts[LIMIT_ATTEMPTS];
    struct audit_entry told = *entry;
    for (size_t i = 0; i < entry->attempt_count; i++) {
        attempts[i] = entry->attempts[i];
        if (attempts[i].status == 429)
            attempts[i].class = CLASSIFY_RATE_LIMITED;
    }
    told.attempts = attempts;
    return __real_audit_format(&told, previous, out, why);
}
DEFECT(fallback_on_429, .classify_reply = unavailable, .audit_format = format_honestly);

static enum errc read_off(const struct config_source *source, unsigned needs, struct config *out,
                          struct errc_why *why)
{
    TRY(__real_config_read(source, needs, out, why));
    if (out->allow_fallback)
        defect_acts();
    out->allow_fallback = false;
    return ERRC_OK;
}
DEFECT(never_falls_back, .config_read = read_off);
