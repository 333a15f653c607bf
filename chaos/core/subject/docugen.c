#include "chaos/core/subject/docugen.h"

/* --- classes: docs/architecture.md, "Classes of an attempt"; failures.md 0 --- */

#define RANGES(n, ...) .range_count = (n), .ranges = {__VA_ARGS__}

/* clang-format off */
static const struct subject_class classes[] = {
    {"ok",           SUBJECT_SAYS_NEITHER, RANGES(1, {200, 200})},
    {"refused",      SUBJECT_SAYS_OUTAGE,  RANGES(1, {0, 0})},
    {"unreachable",  SUBJECT_SAYS_OUTAGE,  RANGES(1, {0, 0})},
    {"timeout",      SUBJECT_SAYS_OUTAGE,  RANGES(3, {0, 299}, {500, 500}, {502, 599})},
    {"sealed",       SUBJECT_SAYS_OUTAGE,  RANGES(2, {500, 500}, {503, 503})},
    {"unavailable",  SUBJECT_SAYS_OUTAGE,  RANGES(4, {408, 408}, {472, 474}, {500, 500}, {502, 599})},
    {"malformed",    SUBJECT_SAYS_OUTAGE,  RANGES(5, {0, 299}, {408, 408}, {472, 474}, {500, 500}, {502, 999})},
    {"rate_limited", SUBJECT_SAYS_NEITHER, RANGES(1, {429, 429})},
    {"stale",        SUBJECT_SAYS_NEITHER, RANGES(1, {412, 412})},
    {"denied",       SUBJECT_SAYS_REFUSAL, RANGES(4, {401, 401}, {403, 403}, {407, 407}, {503, 503})},
    {"bad_request",  SUBJECT_SAYS_REFUSAL, RANGES(2, {400, 499}, {500, 501})},
    {"not_found",    SUBJECT_SAYS_REFUSAL, RANGES(2, {404, 404}, {410, 410})},
    {"key_state",    SUBJECT_SAYS_REFUSAL, RANGES(1, {500, 500})},
    {"redirect",     SUBJECT_SAYS_REFUSAL, RANGES(1, {300, 399})},
    {"certificate",  SUBJECT_SAYS_REFUSAL, RANGES(2, {0, 0}, {500, 500})},
    {"key_mismatch", SUBJECT_SAYS_REFUSAL, RANGES(1, {200, 200})},
};

/* --- lists of words --- */

/* The classes of attempts, and that of a run which a crash ended. */
static const char *const class_words[] = {
    "ok",        "refused",      "unreachable", "timeout",      "sealed",      "unavailable",
    "malformed", "rate_limited", "stale",       "denied",       "bad_request", "not_found",
    "key_state", "redirect",     "certificate", "key_mismatch", "interrupted", NULL,
};

/* docs/architecture.md, "The audit trail": classes, and why fallback could not take over */
static const char *const reason_words[] = {
    "refused",      "unreachable",  "timeout",      "sealed",               "unavailable",
    "malformed",    "rate_limited", "stale",        "denied",               "bad_request",
    "not_found",    "key_state",    "redirect",     "certificate",          "key_mismatch",
    "fallback_off", "fallback_key_missing", "fallback_key_unsafe", "interrupted", NULL,
};

static const char *const status_words[] = {"pending", "running", "completed", "failed", "blocked", NULL};
static const char *const mode_words[] = {"vault", "fallback", NULL};
/* clang-format on */

static const struct subject docugen = {
    .name = "docugen",
    .classes = classes,
    .class_count = sizeof classes / sizeof classes[0],
    .lists =
        {
            [SUBJECT_CLASSES] = class_words,
            [SUBJECT_REASONS] = reason_words,
            [SUBJECT_STATUSES] = status_words,
            [SUBJECT_MODES] = mode_words,
        },
};

const struct subject *docugen_subject(void)
{
    return &docugen;
}
