/*
 * cli_pool: what one run of the `vault` command allocates, freed and wiped together at its end, so
 * that a command may build texts and trees without a thought for their owners.
 *
 * Out of memory ends the process with exit code 2: a command has nothing left to say then.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

struct cli_pool_item;

struct cli_pool {
    struct cli_pool_item *first; /* NULL in an empty one */
};

/* Frees all; texts are wiped, since they hold tokens and shares. */
void cli_pool_done(struct cli_pool *pool);

/* Zeroed bytes. */
void *cli_pool_bytes(struct cli_pool *pool, size_t len);

/* A text, as printf makes it. */
char *cli_pool_text(struct cli_pool *pool, const char *format, ...) PRINTF_LIKE(2, 3);

char *cli_pool_copy(struct cli_pool *pool, struct slice text);

/* The text of a buf, which is wiped and empty then. A buf that failed ends the process. */
char *cli_pool_take(struct cli_pool *pool, struct buf *text);

/* Takes the reference over and lends it; NULL stands for "out of memory". */
json_t *cli_pool_tree(struct cli_pool *pool, json_t *tree);

/* New values of the pool: an object, an array, a string (NULL gives null). */
json_t *cli_pool_object(struct cli_pool *pool);
json_t *cli_pool_array(struct cli_pool *pool);
json_t *cli_pool_string(struct cli_pool *pool, const char *text);

/* Sets object[key], or appends to an array; takes over `value`, which must not be of the pool. */
void cli_pool_set(json_t *object, const char *key, json_t *value);
void cli_pool_append(json_t *array, json_t *value);

/* A new string, owned by the caller; what is no UTF-8 in it becomes U+FFFD, as Go writes it. */
json_t *cli_pool_new_text(const char *text);
