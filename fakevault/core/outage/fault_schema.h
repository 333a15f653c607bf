/*
 * fault_schema: a fault rule as JSON Schema (2020-12), for editors and for programs that write
 * rules.
 *
 * What a schema cannot say is checked by fault_add alone: `to_ms` behind `from_ms`, `path` in use,
 * headers that the server sets itself.
 */
#pragma once

#include "base/text/buf.h"

#define FAULT_SCHEMA_BYTES_MAX 16384u

/* Appends the schema as one JSON text. */
void fault_schema_format(struct buf *out);
