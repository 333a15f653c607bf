/*
 * weak: Go's weak decoding of a JSON value (mapstructure 1.5, Vault's parseutil), with its
 * sentences.
 *
 * `name` is where the value stands, for the sentence: "" at the top, "[0]" in a list. A null is the
 * zero value. All give ERRC_SCHEMA with the sentence, or ERRC_NOMEM; *out is the caller's.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"

/* A string: numbers and bools pass ("1" for true). */
MUST_USE enum errc weak_string(const char *name, json_t *value, json_t **out, struct errc_why *why);

/* An integer: texts ("5", "0x10", "") and bools pass. */
MUST_USE enum errc weak_int(const char *name, json_t *value, int64_t *out, struct errc_why *why);

/* A bool: texts of strconv.ParseBool, "" and numbers 0 and 1 pass. */
MUST_USE enum errc weak_bool(const char *name, json_t *value, bool *out, struct errc_why *why);

/* A duration: seconds as a number, or a text of gotext_duration. */
MUST_USE enum errc weak_duration(json_t *value, int64_t *out_ns, struct errc_why *why);

/* An object: a list of objects is merged into one. */
MUST_USE enum errc weak_map(json_t *value, json_t **out, struct errc_why *why);

/* An array of anything: one value passes for a list of one, {} for none. */
MUST_USE enum errc weak_list(json_t *value, json_t **out, struct errc_why *why);

/* An array of strings without blanks around them; `commas` also cuts a text at its commas. */
MUST_USE enum errc weak_strings(json_t *value, bool commas, json_t **out, struct errc_why *why);

/* An array of integers; a text is cut at its commas. */
MUST_USE enum errc weak_ints(json_t *value, json_t **out, struct errc_why *why);

/* An object of strings: from an object, or from "key=value" texts. */
MUST_USE enum errc weak_pairs(json_t *value, json_t **out, struct errc_why *why);
