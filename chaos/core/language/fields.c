#include "chaos/core/language/fields.h"

/* clang-format off */
#define FAILURES                                                                                   \
    "refused", "unreachable", "timeout", "sealed", "unavailable", "malformed", "rate_limited",     \
    "stale", "denied", "bad_request", "not_found", "key_state", "redirect", "certificate",         \
    "key_mismatch", "internal"
/* clang-format on */

const char *const fields_services[] = {"api", "worker", NULL};
const char *const fields_modes[] = {"vault", "fallback", NULL};
const char *const fields_classes[] = {"ok", FAILURES, "interrupted", NULL};
/* Classes, and why fallback could not take over. */
const char *const fields_reasons[] = {
    FAILURES, "fallback_off", "fallback_key_missing", "fallback_key_unsafe", "interrupted", NULL};
