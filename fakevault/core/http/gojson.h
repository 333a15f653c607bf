/*
 * gojson: reads JSON as Go's encoding/json does when it decodes into an interface, faults included,
 * because clients of a real Vault see exactly these texts (vault-api.md 1.7).
 *
 * Of duplicate keys the last wins; what follows the first value is not read; invalid UTF-8 and lone
 * surrogates become U+FFFD; NUL is allowed. Integers beyond 64 bits become reals.
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

/* Returns Go's name of a value's type: "string", "map[string]interface {}", "[]interface {}",
 * "json.Number", "bool", "nil". */
const char *gojson_type_name(const json_t *value);
