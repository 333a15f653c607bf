/*
 * fieldlist: the field types that hold several strings, for field.c (vault-api.md 1.7).
 *
 *     strings   "a, b" -> [a b]     ["a,b", 3] -> [a,b 3]
 *     slice     "a, b" -> [a, b] as one string
 *     pairs     {"a":1} -> {a: 1}     "a=b=c" -> {a: b=c}     ["a=1","b=2"] -> {a: 1, b: 2}
 *
 * A reader puts a tree of its own making into v->made and v->tree. Errors: ERRC_NOMEM, and
 * ERRC_SCHEMA with mapstructure's sentence in `reason` (FIELDLIST_REASON_MAX bytes).
 */
#pragma once

#include "fakevault/core/http/field.h"

#define FIELDLIST_REASON_MAX 256u

enum errc fieldlist_read_strings(const json_t *value, struct field_value *v, char *reason);
enum errc fieldlist_read_slice(const json_t *value, struct field_value *v, char *reason);
enum errc fieldlist_read_pairs(const json_t *value, struct field_value *v, char *reason);

/* The text of a scalar as mapstructure's weak decoding gives it: in v->text, and in v->owned when
 * it had to be made. ERRC_NOT_FOUND when it has none. */
enum errc fieldlist_scalar(const json_t *value, struct field_value *v);
