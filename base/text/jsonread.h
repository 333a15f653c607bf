/*
 * jsonread: JSON text into a tree, and typed access that explains itself.
 *
 * Every refusal names the place: "line 3 column 7" for text, the field for
 * values. Duplicate keys, NUL in strings, nesting over LIMIT_JSON_DEPTH and
 * text behind the value are refused.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"

/* Gives jansson an allocator that remembers when memory ran out, and wipes what it frees: JSON may
 * carry tokens and keys. The first parse does it, too; a program that lets others parse calls this
 * at its start. */
void jsonread_install(void);

/* Parses one value; the caller owns *out (json_decref, or
 * CLEANUP(jsonread_done)). ERRC_SYNTAX, ERRC_NOMEM. */
MUST_USE enum errc jsonread_parse(struct slice text, json_t **out, struct errc_why *why);

/* Fits CLEANUP; NULL allowed. */
void jsonread_done(json_t **value);

/* Each reads object[field]. A missing field or another type is ERRC_SCHEMA with
 * a sentence. Strings are lent by the object. */
MUST_USE enum errc jsonread_string(const json_t *object, const char *field, const char **out,
                                   struct errc_why *why);
MUST_USE enum errc jsonread_int(const json_t *object, const char *field, int64_t min, int64_t max,
                                int64_t *out, struct errc_why *why);
MUST_USE enum errc jsonread_bool(const json_t *object, const char *field, bool *out,
                                 struct errc_why *why);
MUST_USE enum errc jsonread_object(const json_t *object, const char *field, json_t **out,
                                   struct errc_why *why);
MUST_USE enum errc jsonread_array(const json_t *object, const char *field, json_t **out,
                                  struct errc_why *why);

/* True when the field is there and not null; an optional field is read with the
 * above behind this. */
bool jsonread_has(const json_t *object, const char *field);

/* Returns the string at object[field], or fallback when it is missing or of
 * another type. */
const char *jsonread_string_or(const json_t *object, const char *field, const char *fallback);

/* ERRC_SCHEMA when the value is no object or has a field that is not in
 * `allowed` (NULL-terminated); the sentence lists what is allowed. */
MUST_USE enum errc jsonread_only(const json_t *object, const char *const allowed[],
                                 struct errc_why *why);
