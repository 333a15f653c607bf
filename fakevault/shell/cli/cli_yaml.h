/*
 * cli_yaml: a tree as YAML in block style, the way Go's yaml.v2 writes it; the only file of
 * fakevault that knows libyaml.
 */
#pragma once

#include <jansson.h>

#include "base/text/buf.h"

/* Appends the tree, without a newline at its end. A full `out` shows in its status. */
void cli_yaml_format(const json_t *value, struct buf *out);
