/*
 * gojson: reads JSON as Go's encoding/json does when it decodes into an interface, faults included,
 * because clients of a real Vault see exactly these texts (vault-api.md 1.7).
 *
 * Of duplicate keys the last wins; what follows the first value is not read; invalid UTF-8 and lone
 * surrogates become U+FFFD; NUL is allowed.
 *
 * A number that is no plain 64-bit integer ("1.50", "1e3", 2^64) keeps its text, as Go's
 * json.Number does: it is a string with JSONWRITE_NUMBER_MARK in front, which jsonwrite_value
 * writes back as it was. So never take json_is_string for "is a string" where both can come: ask
 * gojson_string.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

/*
 * Parses the first value of text; the caller owns *out. ERRC_NOT_FOUND "EOF" when there is only
 * white space, ERRC_SYNTAX with Go's sentence, ERRC_TOO_BIG when nested deeper than
 * LIMIT_JSON_DEPTH, ERRC_NOMEM.
 */
MUST_USE enum errc gojson_parse(struct slice text, json_t **out, struct errc_why *why);

/* Appends text with each byte that is no part of valid UTF-8 replaced by U+FFFD. */
void gojson_valid_utf8(struct slice text, struct buf *out);

/* Appends a value as Go's %v prints it: map[a:1 b:[x y]], <nil>. */
void gojson_print(const json_t *value, struct buf *out);

#define GOJSON_NUMBER_BYTES 24u /* of a 64-bit integer, with sign and NUL */

/* True for a number; its text borrows from the value or from room, and has a NUL behind it. */
bool gojson_number(const json_t *value, char room[static GOJSON_NUMBER_BYTES], struct slice *text);

/* True for a string; its text borrows from the value. Of anything else the text means nothing. */
bool gojson_string(const json_t *value, struct slice *text);

/* Returns Go's name of a value's type: "string", "map[string]interface {}", "[]interface {}",
 * "json.Number", "bool", "nil". */
const char *gojson_type_name(const json_t *value);

/* Returns Go's name of a value's kind: "string" (of a number, too), "map", "slice", "bool". */
const char *gojson_kind_name(const json_t *value);
