/*
 * cli_shape: JSON as Go's structs print it: fields in a fixed order, with their zero values when
 * they are missing.
 */
#pragma once

#include <jansson.h>

#include "fakevault/shell/cli/cli_pool.h"

enum cli_shape_type {
    CLI_SHAPE_TEXT,
    CLI_SHAPE_NUMBER,
    CLI_SHAPE_BOOL,
    CLI_SHAPE_ANY, /* null when missing: a list, a map */
    CLI_SHAPE_STRUCT,
};

struct cli_shape {
    const char *name; /* NULL ends a table */
    enum cli_shape_type type;
    bool omit_empty; /* leave it out when it has its zero value */
    const struct cli_shape *fields;
};

/* The envelope of Vault's answers. */
extern const struct cli_shape cli_shape_secret[];

/* A new tree in the pool; `from` may be NULL. */
json_t *cli_shape_apply(struct cli_pool *pool, const struct cli_shape *fields, const json_t *from);

/* A copy with the keys of all objects sorted, as Go prints a map. */
json_t *cli_shape_sorted(struct cli_pool *pool, const json_t *from);
