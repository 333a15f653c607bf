/*
 * recorded_mask: compares an answer with a recording as the project's replay runner does: what
 * differs from run to run (ids, times, keys, signatures) compares by shape, everything else by
 * value.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/text/buf.h"

/* Returns a masked copy of a tree, which the caller owns. */
json_t *recorded_mask_apply(const json_t *value, const char *key);

/* Appends a line to `report` for each place where two masked answers differ; `path` says where. */
void recorded_mask_differ(const json_t *want, const json_t *got, const char *path,
                          struct buf *report);

/* Blanks the values at a dotted path ('*' is any key or index). */
void recorded_mask_drop(json_t *value, const char *path);
