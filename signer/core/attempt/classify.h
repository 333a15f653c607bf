/*
 * classify: which kind of failure an attempt met, and what may follow from it.
 *
 * Two tables. The first maps (how the transport ended, HTTP status, text of Vault's error) to a
 * class; the second maps a class to its policy. Sources: failures.md 1.0 and 1.A-1.E (verdicts R
 * and C), vault-api.md 1.7 and 4.13. Text is looked at only inside Vault's own error shape
 * {"errors":[...]}: a proxy's page that quotes "Vault is sealed" is not a sealed Vault.
 *
 *     503 {"errors":["Vault is sealed"]}                          -> sealed      retry, fallback
 *     503 "upstream connect error or disconnect/reset ..."        -> unavailable retry, fallback
 *     503 "... has been locked by an administrator ..."           -> denied      at once, never
 *     500 "... requested version for signing is higher ..."       -> key_state   at once, never
 *     429 {"errors":["... rate limit quota exceeded"]}            -> rate_limited retry, never
 *
 * What went wrong on our side (no memory, no descriptor) is no outage: it ends the operation, and
 * the local key, which is for when Vault cannot sign, does not take over.
 *
 * What a status refuses it refuses also when the rest of the reply is missing: a 403 that was cut
 * short is a 403, so that nobody gets the local key by cutting it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "signer/core/attempt/transport.h"

/* identifier, the word used in audit entries, metrics and answers */
#define CLASSIFY_LIST(X)                                                                           \
    X(OK, "ok")                                                                                    \
    X(REFUSED, "refused")           /* connection refused */                                       \
    X(UNREACHABLE, "unreachable")   /* resolve, route, reset, closed without an answer */          \
    X(TIMEOUT, "timeout")           /* no whole answer in time */                                  \
    X(SEALED, "sealed")             /* Vault says that it is sealed */                             \
    X(UNAVAILABLE, "unavailable")   /* 5xx of the availability kind, 408, 472-474, 530 */          \
    X(MALFORMED, "malformed")       /* an answer that is cut short or is not Vault's */            \
    X(RATE_LIMITED, "rate_limited") /* 429 */                                                      \
    X(STALE, "stale")               /* 412 */                                                      \
    X(DENIED, "denied")             /* 401, 403, 407, a locked namespace */                        \
    X(BAD_REQUEST, "bad_request")   /* 400, 405, 413, other 4xx, 501 */                            \
    X(NOT_FOUND, "not_found")       /* 404, 410 */                                                 \
    X(KEY_STATE, "key_state")       /* a 500 that names a key version, a disabled key */           \
    X(REDIRECT, "redirect")         /* any 3xx: none is followed */                                \
    X(CERTIFICATE, "certificate")   /* the peer did not prove who it is, or we did not */          \
    X(KEY_MISMATCH, "key_mismatch") /* the signature does not verify under the pin */              \
    X(INTERNAL, "internal")         /* our own trouble, which says nothing of Vault */

enum classify_class {
#define CLASSIFY_ENUM(id, text) CLASSIFY_##id,
    CLASSIFY_LIST(CLASSIFY_ENUM)
#undef CLASSIFY_ENUM
        CLASSIFY_COUNT
};

struct classify_policy {
    bool retry;                /* another attempt is allowed */
    bool fallback_eligible;    /* when attempts are used up, the local key may take over */
    bool fail_closed;          /* ends the operation at once, never fallback */
    bool respects_retry_after; /* the wait is not shorter than Retry-After, within the clamp */
};

/* Returns the class of a transport outcome or HTTP reply. A 200 is CLASSIFY_OK here; codec and
 * the pin have the last word on it. */
enum classify_class classify_reply(const struct transport_reply *reply);

/* Returns the policy of a class; static. Exactly one of retry and fail_closed holds, except for
 * CLASSIFY_OK, where neither does. */
const struct classify_policy *classify_policy(enum classify_class class);

/* Returns the class's word, e.g. "rate_limited"; static. */
const char *classify_text(enum classify_class class);
