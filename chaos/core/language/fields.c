#include "chaos/core/language/fields.h"

const char *const fields_services[] = {"api", "worker", NULL};
const char *const fields_modes[] = {"vault", "fallback", NULL};
const char *const fields_classes[] = {
    "ok",        "refused",      "unreachable", "timeout",      "sealed",      "unavailable",
    "malformed", "rate_limited", "stale",       "denied",       "bad_request", "not_found",
    "key_state", "redirect",     "certificate", "key_mismatch", "interrupted", NULL};
/* Classes, and why fallback could not take over. */
const char *const fields_reasons[] = {"refused",
                                      "unreachable",
                                      "timeout",
                                      "sealed",
                                      "unavailable",
                                      "malformed",
                                      "rate_limited",
                                      "stale",
                                      "denied",
                                      "bad_request",
                                      "not_found",
                                      "key_state",
                                      "redirect",
                                      "certificate",
                                      "key_mismatch",
                                      "fallback_off",
                                      "fallback_key_missing",
                                      "fallback_key_unsafe",
                                      "interrupted",
                                      NULL};
