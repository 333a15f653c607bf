/*
 * fields: what the fields of several verbs have in common: words that may stand in them, and whole
 * fields. A field that only one actor has stands in that actor's file.
 */
#pragma once

#include "chaos/core/language/verb.h"

#define FIELDS_COUNT_MAX 1000000
#define FIELDS_WITHIN_MS_MAX 60000

/* Lists end with NULL. */
extern const char *const fields_services[]; /* "api", "worker" */
extern const char *const fields_modes[];    /* signingMode */
extern const char *const fields_classes[];  /* docs/architecture.md, "Classes of an attempt" */
extern const char *const fields_reasons[];  /* docs/architecture.md, "The audit trail" */

/* The end of a list of fields. */
#define FIELDS_END                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }
#define FIELDS_ENVIRONMENT_OF(must, sentence)                                                      \
    {                                                                                              \
        .name = "environment", .type = VERB_MAP, .format = VERB_FORMAT_VARIABLE, .max = 32,        \
        .required = must, .doc = sentence                                                          \
    }
#define FIELDS_ENVIRONMENT(sentence) FIELDS_ENVIRONMENT_OF(false, sentence)
#define FIELDS_WITHIN(standard_ms)                                                                 \
    {                                                                                              \
        .name = "within_ms", .type = VERB_INT, .min = 0, .max = FIELDS_WITHIN_MS_MAX,              \
        .standard = standard_ms, .doc = "how long to wait for it, in milliseconds"                 \
    }
/* The name of a sign step. */
#define FIELDS_SIGN_STEP(word, must, sentence)                                                     \
    {                                                                                              \
        .name = word, .type = VERB_TEXT, .format = VERB_FORMAT_NAME, .required = must, .max = 64,  \
        .doc = sentence                                                                            \
    }
#define FIELDS_COUNT(word, sentence)                                                               \
    {                                                                                              \
        .name = word, .type = VERB_INT, .min = 0, .max = FIELDS_COUNT_MAX, .doc = sentence         \
    }
#define FIELDS_SERVICE(sentence)                                                                   \
    {                                                                                              \
        .name = "service", .type = VERB_WORD, .words = fields_services, .required = true,          \
        .doc = sentence                                                                            \
    }
