/*
 * yamltree: a YAML document as a tree that knows where everything stood.
 *
 * A narrow reading of YAML, which makes it harmless: one document, no anchors
 * and aliases (so nothing can multiply), no tags, no duplicate or complex
 * keys, a depth limit. JSON is YAML in flow style.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/scenario/check/lint.h"
#include "chaos/core/scenario/pool.h"

#define YAMLTREE_DEPTH_MAX 32u
#define YAMLTREE_NODES_MAX 20000u

enum yamltree_kind {
    YAMLTREE_SCALAR,
    YAMLTREE_LIST,
    YAMLTREE_MAP,
};

/* What a scalar is when it is read as YAML 1.1 does; a quoted one is always text. */
enum yamltree_scalar {
    YAMLTREE_NULL,
    YAMLTREE_BOOL,   /* true, false, and the yes, no, on, off of old */
    YAMLTREE_INT,    /* plain decimal, without leading zeros */
    YAMLTREE_NUMBER, /* any other number, also octal and dates */
    YAMLTREE_TEXT,
};

struct yamltree_node {
    enum yamltree_kind kind;
    size_t line, column;         /* from 1 */
    const char *text;            /* scalar, as written, unquoted; without NUL inside */
    enum yamltree_scalar scalar; /* scalar */
    const char *key;             /* of an entry of a map */
    size_t key_line, key_column;
    struct yamltree_node *first; /* list items or map entries */
    struct yamltree_node *next;  /* the next sibling */
    size_t count;                /* of list items or map entries */
};

/*
 * Reads a document; *out lives in pool. What is wrong goes to lint: bad syntax
 * ends the reading, other mistakes do not. *out is NULL when there is no tree.
 * ERRC_OK also with findings; ERRC_NOMEM.
 */
MUST_USE enum errc yamltree_parse(struct slice text, struct pool *pool, struct lint *lint,
                                  struct yamltree_node **out, struct errc_why *why);

/* Returns the entry of a map, or NULL. */
const struct yamltree_node *yamltree_get(const struct yamltree_node *map, const char *key);
