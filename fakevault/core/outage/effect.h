/*
 * effect: what a rule does to the request that it takes, as one table. Parser, JSON Schema, help,
 * documentation and execution come from its rows; a new effect is a row, and a value of enum
 * fault_effect.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "fakevault/core/outage/fault_types.h"

/* Where in its life a connection or request is met. */
enum effect_phase {
    EFFECT_ACCEPT,
    EFFECT_HANDSHAKE,
    EFFECT_REQUEST,  /* it is read whole, and not executed */
    EFFECT_EXECUTED, /* not a byte of the reply is out */
    EFFECT_REPLY,
};

/* What becomes of the request. */
enum effect_course {
    EFFECT_LET_BY, /* it is executed, by the vault as it is by then */
    EFFECT_ANSWER, /* with the rule's answer; not executed */
    EFFECT_DROP,   /* without an answer; not executed */
};

/* What an effect does beyond its request; carried out by outage_take. */
struct effect_apply {
    const char *verb; /* of the `control` record; NULL for nothing at all */
    bool shut;        /* closes the listener, as long as the rule is there */
    bool seal;
    bool die;
};

struct effect {
    const char *name; /* of the field in a rule's `effect` */
    enum effect_phase phase;
    /* Reads the field that has the row's name. */
    enum errc (*parse)(const json_t *effect, const struct effect *row, struct fault_reply **reply,
                       struct errc_why *why);
    const char *schema; /* of the field's value */
    const char *shown;  /* for people: the field */
    const char *help;   /* and what it does */
    enum effect_course course;
    struct effect_apply apply;
};

/* Returns the row; NULL for FAULT_NONE. */
const struct effect *effect_of(enum fault_effect effect);

/* Reads a rule's `effect`, an object with one field; *reply is the caller's when there is one.
 * ERRC_SCHEMA, ERRC_RANGE, ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc effect_parse(const json_t *value, enum fault_effect *effect,
                                struct fault_reply **reply, struct errc_why *why);

/* The names, with commas between. */
void effect_format_names(struct buf *out);

/* The JSON Schema of the fields, without the braces around them. */
void effect_format_schema(struct buf *out);

/* Two columns for a terminal, a row each. */
void effect_format_help(struct buf *out);

/* A table in Markdown, as it stands in docs/architecture.md. */
void effect_format_table(struct buf *out);
