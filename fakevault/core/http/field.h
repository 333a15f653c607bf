/*
 * field: the parameters of an endpoint as a table, read with the weak typing of Vault's framework
 * (vault-api.md 1.7: a number passes for a string, "true" for a bool, null is the zero value).
 *
 *     static const struct field_spec fields[] = {
 *         {.name = "key_version", .type = FIELD_INT},
 *         {.name = "hash_algorithm", .type = FIELD_STRING, .text = "sha2-256"},
 *         {0}};
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"

#define FIELD_MAX 20u /* parameters of one endpoint */

/* In brackets the name that Vault's framework has for it. */
enum field_type {
    FIELD_STRING,
    FIELD_LOWER, /* a string in lower case (TypeLowerCaseString) */
    FIELD_INT,   /* TypeInt, TypeInt64 */
    FIELD_BOOL,
    FIELD_SECONDS,        /* 30, "30", "1h30m", "2d"; not negative (TypeDurationSecond) */
    FIELD_SIGNED_SECONDS, /* the same, negative too (TypeSignedDurationSecond) */
    FIELD_MAP,            /* an object */
    FIELD_PAIRS,          /* an object of strings, or "key=value" texts (TypeKVPairs) */
    FIELD_LIST,           /* an array of anything (TypeSlice) */
    FIELD_SLICE,          /* an array of strings, or one (TypeStringSlice) */
    FIELD_STRINGS,        /* the same, or "a,b" (TypeCommaStringSlice) */
    FIELD_INTS,           /* an array of integers, one integer, or "1,2" (TypeCommaIntSlice) */
    FIELD_ANY,            /* not looked at */
};

struct field_spec {
    const char *name; /* NULL ends a table */
    enum field_type type;
    const char *text; /* default of a string; NULL is "" */
    int64_t number;   /* default of a number or bool */
};

struct field_value {
    bool present;      /* the request has it; null counts, but not for seconds */
    struct slice text; /* strings */
    int64_t number;    /* int, bool, seconds */
    json_t *tree;  /* maps, pairs and lists in their proper shape; else as sent; NULL when absent
                      or null. Borrowed from the set */
    json_t *made;  /* what the set owns of it */
    int64_t *list; /* FIELD_INTS */
    size_t list_len;
};

struct field_set {
    const struct field_spec *specs;
    struct field_value values[FIELD_MAX];
    size_t count;
};

/* Reads `data` (an object, or NULL for none) by the table. The set borrows data. ERRC_SCHEMA with
 * the framework's sentence, ERRC_NOMEM. */
MUST_USE enum errc field_read(struct field_set *set, const struct field_spec *specs, json_t *data,
                              struct errc_why *why);

/* Frees what a set made; a zeroed set is fine. */
void field_done(struct field_set *set);

/* The value of a field, or its default. The name must be in the table. field_tree: a map or list,
 * NULL when the request has none. */
const struct field_value *field_get(const struct field_set *set, const char *name);
const json_t *field_tree(const struct field_set *set, const char *name);
struct slice field_text(const struct field_set *set, const char *name);
int64_t field_number(const struct field_set *set, const char *name);
bool field_flag(const struct field_set *set, const char *name);

/* True when a table has the name. */
bool field_known(const struct field_spec *specs, const char *name);

/* Reads one of the spellings of Go's ParseBool: 1 t T TRUE true True, 0 f F FALSE false False. */
bool field_parse_bool(struct slice text, bool *out);

/* Reads a Go duration ("1h30m", "2d", "30") as whole seconds; ERRC_SYNTAX with Go's sentence. */
MUST_USE enum errc field_parse_seconds(struct slice text, int64_t *out, struct errc_why *why);
