/*
 * scenario: a scenario file in memory: what it says, in the types of the
 * language. scenario_parse.h makes it of a file's text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chaos/core/language/verb.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/subject/subject.h"

#define SCENARIO_STEPS_MAX 500u      /* steps of one phase */
#define SCENARIO_POOL_MAX (8u << 20) /* memory of one scenario */

struct scenario_pair {
    const char *name;
    const char *value;
    size_t line, column; /* of the name */
};

/* A value in its field's type; the other members are zero. */
struct scenario_value {
    const struct verb_field *field;
    bool given; /* false: left out; the members hold the field's standard, if it has one */
    size_t line, column;
    int64_t number;                      /* VERB_INT */
    bool flag;                           /* VERB_BOOL */
    const char *text;                    /* VERB_TEXT, VERB_WORD; NULL: nothing */
    const char **texts;                  /* VERB_WORDS, VERB_TEXTS */
    struct scenario_pair *pairs;         /* VERB_MAP, in the file's order */
    const struct scenario_value *values; /* VERB_FIELDS: one per row of field->fields */
    size_t count;                        /* of texts, pairs or values */
};

struct scenario_step {
    const struct actor *actor;
    const struct verb *verb;
    enum verb_phase phase;
    size_t index; /* in its phase, from 0 */
    size_t line, column;
    struct scenario_value main;
    const struct scenario_value *values; /* one per row of verb->fields */
    size_t count;
};

struct scenario_steps {
    const struct scenario_step *items;
    size_t count;
};

struct scenario_stack {
    bool dev;     /* fakevault -dev: in memory, one share, unsealed, token "root" */
    bool durable; /* storage: file */
    bool tls;     /* Vault is served over TLS */
    int shares, threshold;
    const struct subject *subject;
    bool services[SUBJECT_DOORS_MAX];        /* which of its doors that are services there are */
    const struct scenario_pair *environment; /* for services and command */
    size_t environment_count;
};

struct scenario {
    struct pool pool; /* owns all that follows */
    const char *name; /* of the file, without folder and ending */
    const char *file; /* as given */
    const char *purpose;
    const char **tags;
    size_t tag_count;
    struct scenario_stack stack;
    struct scenario_steps phases[VERB_PHASES]; /* by enum verb_phase */
};

/* Frees it; a zeroed one is fine. Fits CLEANUP(scenario_done). */
void scenario_done(struct scenario *scenario);

/* True when the scenario carries the tag. */
bool scenario_tagged(const struct scenario *scenario, const char *tag);

/* Returns a field of a step; NULL when its verb has no such field. The value may be not given. */
const struct scenario_value *scenario_field(const struct scenario_step *step, const char *name);

/* Returns a field of a VERB_FIELDS value; NULL when there is no such field. */
const struct scenario_value *scenario_member(const struct scenario_value *value, const char *name);

/* Shorthands over scenario_field. CHECK that the verb has the field. A value that was left out
 * gives its standard, or NULL, 0, false. */
const char *scenario_text(const struct scenario_step *step, const char *name);
int64_t scenario_int(const struct scenario_step *step, const char *name);
bool scenario_bool(const struct scenario_step *step, const char *name);
bool scenario_given(const struct scenario_step *step, const char *name);

/* True when the step waits for a request (`at_request`). */
bool scenario_at_request(const struct scenario_step *step);

/* What the step does to Vault's condition when it is carried out in such a stack. */
struct condition_effect scenario_effect(const struct scenario_step *step,
                                        const struct scenario_stack *stack);
