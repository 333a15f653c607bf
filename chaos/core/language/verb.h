/*
 * verb: how the language of scenarios is told: as rows of data.
 *
 * A step of a scenario is a map with one key, the actor. Its value is a verb
 * (`vault: seal`), or a map of one verb with its main argument and further
 * fields (`vault: {respond: 503, times: 2}`), or, for an actor that does only
 * one thing, a map of fields (`sign: {via: api}`).
 *
 * Here is what a row can say; the rows stand with their actors
 * (chaos/core/actors/actors.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "chaos/core/condition.h"

struct check;
struct probe;
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

struct verb {
    const char *name; /* NULL: the actor does only this, its value holds the fields */
    const char *doc;  /* one sentence */
    enum verb_role role;
    struct verb_field main;          /* the verb's own argument; name is NULL (the verb's name
                                        stands for it); VERB_NOTHING when it has none */
    const struct verb_field *fields; /* further fields; NULL: none */

    /* Mistakes that no single field tells (scenario/check.h); NULL: none. */
    void (*check)(struct check *c, const struct scenario_step *step);
    const char *const *compares; /* fields, one of which must be given; ends with NULL */

    /* The condition of whom the verb acts on: Vault, or each service that it names. */
    struct condition_effect effect; /* of a step that acts at once (scenario_effect) */
    /* What the effect depends on; NULL: nothing. Changes what the row has. */
    void (*derive)(const struct scenario_step *step, const struct scenario_stack *stack,
                   struct condition_effect *effect);
    /* What makes no sense of a step (scenario/scenario_walk.h): bits of the service that it names
     * (in its argument, `via`, `service`), or else of Vault. */
    unsigned needs;    /* without them (unpause: frozen) */
    unsigned excludes; /* with them (seal: gone) */
    bool names_sign;   /* its argument names a sign step that was run */

    /* VERB_OBSERVES: reads the evidence and compares (judge/probe.h). */
    enum errc (*probe)(struct probe *p);
    bool asks; /* VERB_OBSERVES: the world has to do something first, whose outcome is compared */
};

struct actor {
    const char *name;
    bool of_subject;  /* the subject does it: when it fails, that is the subject's */
    bool of_services; /* acts on services, which the main arguments name; they may run with another
                         contract afterwards */
    const struct verb *verbs;
    size_t verb_count;
};

/* True when a step of this verb may stand in the phase. Steady state only signs and observes,
 * expect only observes. */
bool verb_allowed_in(const struct verb *verb, enum verb_phase phase);

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
