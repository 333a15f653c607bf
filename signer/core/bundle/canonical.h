/*
 * canonical: the one JSON text of a value, byte for byte.
 *
 * Keys sorted bytewise (UTF-8), no white space; objects, arrays, strings, integers, booleans and
 * null. Control characters are \b \f \n \r \t or \u00xx (lower case), '"' and '\' are escaped,
 * all else stands as UTF-8. Numbers with a fraction are refused, because their text is not
 * portable (failures.md 4.3).
 *
 *     {"b": 1, "a": ["x\u0001"]}  ->  {"a":["x\u0001"],"b":1}
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "base/text/buf.h"

/* Appends the canonical text of value. ERRC_SCHEMA names the place of what it cannot write;
 * ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc canonical_format(const json_t *value, struct buf *out, struct errc_why *why);

/* Appends PAE(type, body): "DSSEv1 LEN(type) type LEN(body) body" (DSSE protocol). */
void canonical_pae(struct slice type, struct slice body, struct buf *out);
