#include "chaos/core/language/verb.h"

#include <string.h>

bool verb_allowed_in(const struct verb *verb, enum verb_phase phase)
{
    switch (phase) {
    case VERB_PHASE_STEADY:
        return verb->role == VERB_SIGNS || verb->role == VERB_OBSERVES;
    case VERB_PHASE_METHOD:
    case VERB_PHASE_ROLLBACK:
        return true;
    case VERB_PHASE_EXPECT:
        return verb->role == VERB_OBSERVES;
    }
    return false;
}

const struct verb_field *verb_field_find(const struct verb_field *fields, const char *name)
{
    for (; fields != NULL && fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

const char *verb_phase_name(enum verb_phase phase)
{
    static const char *const names[VERB_PHASES] = {
        [VERB_PHASE_STEADY] = "steady_state",
        [VERB_PHASE_METHOD] = "method",
        [VERB_PHASE_ROLLBACK] = "rollback",
        [VERB_PHASE_EXPECT] = "expect",
    };
    return names[phase];
}

/* One row per format: which bytes may come first, which later, how many there are. */
static const struct {
    const char *pattern, *first, *later;
    size_t exactly; /* bytes; 0: any number */
} formats[] = {
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
    [VERB_FORMAT_ANY] = {0},
    [VERB_FORMAT_NAME] = {"^[a-z][a-z0-9_-]*$", LOWER, LOWER DIGITS "_-", 0},
    [VERB_FORMAT_VARIABLE] = {"^[A-Z_][A-Z0-9_]*$", UPPER "_", UPPER DIGITS "_", 0},
    [VERB_FORMAT_HEADER] = {"^[A-Za-z0-9-]+$", LOWER UPPER DIGITS "-", LOWER UPPER DIGITS "-", 0},
    [VERB_FORMAT_MODE] = {"^0[0-7]{3}$", "0", "01234567", 4},
    [VERB_FORMAT_METRIC] = {"^[a-zA-Z_:][a-zA-Z0-9_:]*$",
                            LOWER UPPER "_:", LOWER UPPER DIGITS "_:", 0},
};

bool verb_format_matches(enum verb_format format, const char *text)
{
    if (formats[format].pattern == NULL)
        return true;
    size_t len = strlen(text);
    if (len == 0 || (formats[format].exactly != 0 && len != formats[format].exactly))
        return false;
    return strchr(formats[format].first, text[0]) != NULL &&
           strspn(text + 1, formats[format].later) == len - 1;
}

const char *verb_format_pattern(enum verb_format format)
{
    return formats[format].pattern;
}
