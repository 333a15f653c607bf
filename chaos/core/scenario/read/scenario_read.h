/*
 * scenario_read: turns a tree into typed values, as the table of verbs wants
 * them. It knows fields; what a step or a stack is, is scenario.c's.
 */
#pragma once

#include "chaos/core/scenario/check/lint.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/scenario/read/yamltree.h"
#include "chaos/core/scenario/scenario.h"

struct scenario_read {
    struct pool *pool;
    struct lint *lint;
    char path[LINT_FIELD_BYTES]; /* where we are; grows and shrinks with the functions below */
};

/* Appends ".name" (or name, at the top) to the path; returns what scenario_read_pop takes. */
size_t scenario_read_push(struct scenario_read *r, const char *name);
size_t scenario_read_push_index(struct scenario_read *r, size_t index);
void scenario_read_pop(struct scenario_read *r, size_t mark);

/* Reads node as the value of a field; what is wrong goes to lint, and *out stays with its
 * standard. Never VERB_STEPS. */
void scenario_read_value(struct scenario_read *r, const struct verb_field *field,
                         const struct yamltree_node *node, struct scenario_value *out);

/* Fills *out with what holds when the field is left out. */
void scenario_read_standard(struct scenario_read *r, const struct verb_field *field,
                            struct scenario_value *out);

/*
 * Reads the entries of a map as `fields` into a new array, one value per row;
 * an entry called `skip` (NULL: none) is someone else's. Complains about
 * unknown and missing ones. VERB_STEPS are left alone. NULL: out of memory.
 */
struct scenario_value *scenario_read_fields(struct scenario_read *r,
                                            const struct verb_field *fields, const char *skip,
                                            const struct yamltree_node *map, size_t *count);

/* Complains that `word` is none of the candidates, at a place; suggests the nearest. what: "verb",
 * "field". */
void scenario_read_unknown(struct scenario_read *r, size_t line, size_t column, const char *word,
                           const char *const candidates[], size_t count);

/* Describes what a node is: `the text "x"`, "a list", "nothing". */
const char *scenario_read_kind(const struct yamltree_node *node, char *room, size_t size);
