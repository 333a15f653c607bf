/*
 * schema: the table of verbs as JSON Schema (2020-12).
 *
 * The schema tells all that holds for one field by itself. What relates two
 * places (a name that must have been given before, a threshold not above the
 * shares) only lint knows.
 */
#pragma once

#include "base/text/buf.h"

/* Appends the schema, indented, with a newline at the end. */
void schema_format_json(struct buf *out);
