/*
 * verb: the one table of everything a scenario can say.
 *
 * A step of a scenario is a map with one key, the actor. Its value is a verb
 * (`vault: seal`), or a map of one verb with its main argument and further
 * fields (`vault: {respond: 503, times: 2}`), or, for an actor that does only
 * one thing, a map of fields (`sign: {via: api}`).
 *
 * The table drives the reading of scenarios, lint's messages, the JSON Schema
 * and docs/scenarios.md. A new verb is one row in verb.c, one enum value here
 * and, when it acts, one function in the world that executes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chaos/core/condition.h"

struct scenario_stack;
struct scenario_step;

enum verb_type {
    VERB_NOTHING, /* no argument: the verb stands alone */
    VERB_INT,     /* decimal integer, min..max */
    VERB_BOOL,    /* true or false */
    VERB_TEXT,    /* text of min..max bytes in `format` */
    VERB_WORD,    /* one of words */
    VERB_WORDS,   /* one of words, or a list of 1..max different ones */
    VERB_TEXTS,   /* list of 1..max texts in `format` */
    VERB_MAP,     /* map of 1..max names to texts; names in `format` */
    VERB_FIELDS,  /* map of `fields` */
    VERB_STEPS,   /* list of 1..max steps; only at the top of a scenario */
};

enum verb_format {
    VERB_FORMAT_ANY,      /* anything without NUL */
    VERB_FORMAT_NAME,     /* [a-z][a-z0-9_-]*: names of sign steps, tags */
    VERB_FORMAT_VARIABLE, /* [A-Z_][A-Z0-9_]*: environment variables */
    VERB_FORMAT_HEADER,   /* [A-Za-z0-9-]+: HTTP header names */
    VERB_FORMAT_MODE,     /* 0[0-7]{3}: file permissions */
    VERB_FORMAT_METRIC,   /* [a-zA-Z_:][a-zA-Z0-9_:]*: metrics and their labels */
};

/* An argument, or any other field of a scenario. Lists of fields end with a row whose name is
 * NULL. */
struct verb_field {
    const char *name;
    enum verb_type type;
    enum verb_format format;
    bool required;
    int64_t min;                     /* VERB_INT: smallest; VERB_TEXT: fewest bytes */
    int64_t max;                     /* VERB_INT: largest; else see verb_type; 0: no limit */
    const char *const *words;        /* VERB_WORD, VERB_WORDS; ends with NULL */
    const struct verb_field *fields; /* VERB_FIELDS */
    const char *standard; /* what holds when it is left out, as a scenario would write it;
                             NULL: nothing */
    const char *doc;      /* one sentence */
};

enum verb_role {
    VERB_ACTS,     /* changes the world */
    VERB_SIGNS,    /* asks a signer for a signature, which is judged */
    VERB_WAITS,    /* waits for an event, with a deadline */
    VERB_OBSERVES, /* reads evidence and compares */
};

enum verb_phase {
    VERB_PHASE_STEADY,   /* steady_state, before the method and again after rollback */
    VERB_PHASE_METHOD,   /* method */
    VERB_PHASE_ROLLBACK, /* rollback */
    VERB_PHASE_EXPECT,   /* expect, over the evidence of the whole run */
};
#define VERB_PHASES 4u

enum verb_id {
    VERB_VAULT_SEAL,
    VERB_VAULT_UNSEAL,
    VERB_VAULT_RESPOND,
    VERB_VAULT_REFUSE,
    VERB_VAULT_ACCEPT,
    VERB_VAULT_HANG,
    VERB_VAULT_RESUME,
    VERB_VAULT_CRASH,
    VERB_VAULT_STOP,
    VERB_VAULT_KILL,
    VERB_VAULT_START,
    VERB_VAULT_RESTART,
    VERB_VAULT_PAUSE,
    VERB_VAULT_UNPAUSE,
    VERB_VAULT_RESET,
    VERB_VAULT_BOOTSTRAP,
    VERB_VAULT_ROTATE_KEY,
    VERB_VAULT_RECREATE_KEY,
    VERB_VAULT_DELETE_KEY,
    VERB_SERVICE_START,
    VERB_SERVICE_STOP,
    VERB_SERVICE_KILL,
    VERB_SERVICE_PAUSE,
    VERB_SERVICE_UNPAUSE,
    VERB_SERVICE_RESTART,
    VERB_TRUST_ACCEPT,
    VERB_FALLBACK_KEY_WRITE,
    VERB_FALLBACK_KEY_REMOVE,
    VERB_FALLBACK_KEY_CHMOD,
    VERB_FALLBACK_KEY_ROTATE,
    VERB_SIGN,
    VERB_WAIT_FOR,
    VERB_AUDIT,
    VERB_BACKOFF,
    VERB_JOURNAL,
    VERB_LOG,
    VERB_METRICS,
    VERB_MANIFEST,
    VERB_STATE,
    VERB_STATUS,
    VERB_ENVIRONMENT,
    VERB_COUNT
};

struct verb {
    enum verb_id id;
    const char *actor;
    const char *name; /* NULL: the actor does only this, its value holds the fields */
    enum verb_role role;
    struct condition_effect effect; /* of a step that acts at once (scenario_effect) */
    /* What the effect depends on; NULL: nothing. Changes what the row has. */
    void (*derive)(const struct scenario_step *step, const struct scenario_stack *stack,
                   struct condition_effect *effect);
    unsigned needs;         /* bits without which the step makes no sense (unpause: frozen) */
    unsigned excludes;      /* bits with which it makes none (seal: gone) */
    bool of_subject;        /* the subject does it: when it fails, that is the subject's */
    bool key_event;         /* the signing key or its pin may change lawfully */
    struct verb_field main; /* the verb's own argument; name is NULL (the verb's name
                               stands for it); VERB_NOTHING when it has none */
    const struct verb_field *fields; /* further fields; NULL: none */
    const char *doc;                 /* one sentence */
};

/* Returns the row of an id. */
const struct verb *verb_of(enum verb_id id);

/* Returns the row of actor and verb name (NULL for a nameless one), or NULL. */
const struct verb *verb_find(const char *actor, const char *name);

/* True when there is such an actor. */
bool verb_actor_known(const char *actor);

/* Fills `out` with the actors in table order, each once, and returns how many (<= VERB_COUNT). */
size_t verb_actors(const char *out[static VERB_COUNT]);

/* True when a step of this verb may stand in the phase. Steady state only signs and observes,
 * expect only observes. */
bool verb_allowed_in(const struct verb *verb, enum verb_phase phase);

/* The fields of a whole scenario: version, purpose, tags, stack, and the four lists of steps. */
const struct verb_field *verb_scenario_fields(void);

/* Returns the field of that name in a list that ends with a NULL name, or NULL. fields may be
 * NULL. */
const struct verb_field *verb_field_find(const struct verb_field *fields, const char *name);

/* The key of a phase in a scenario: "steady_state", "method", "rollback", "expect". */
const char *verb_phase_name(enum verb_phase phase);

/* True when text has the format; an empty text has none but VERB_FORMAT_ANY. */
bool verb_format_matches(enum verb_format format, const char *text);

/* The format as a regular expression (ECMA 262, as JSON Schema wants it), or NULL for
 * VERB_FORMAT_ANY. */
const char *verb_format_pattern(enum verb_format format);
