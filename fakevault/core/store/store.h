/*
 * store: the port to what survives: names and bytes, nothing else.
 *
 * A store is synchronous and may fail. When `write` says ERRC_OK, the whole batch is durable as far
 * as the store promises durability at all; when it says anything else, nothing of the batch is
 * there. The core writes the store before it changes its memory and before it answers, so an answer
 * that arrived is never lost.
 *
 * Everything the core hands over is encrypted under the barrier already, except the two records
 * that are needed to open it (seal.h). Names are paths with '/' ("sys/token/id/…"); they are not
 * secret.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/limits.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

#define STORE_NAME_MAX (LIMIT_PATH_BYTES + 256u) /* bytes of a name */
#define STORE_VALUE_MAX (64u << 20)              /* bytes of a value */
#define STORE_BATCH_MAX 64u                      /* changes in one write */

/* One change: sets the value, or with `erase` deletes the name (one that is missing is fine). */
struct store_change {
    struct slice name;
    struct slice value;
    bool erase;
};

struct store {
    const char *kind; /* what seal-status says: "inmem" or "file" */

    /* Appends the value to out. ERRC_NOT_FOUND, ERRC_IO, ERRC_NOMEM, ERRC_TOO_BIG. */
    enum errc (*get)(void *context, struct slice name, struct buf *out, struct errc_why *why);

    /* All changes or none. ERRC_IO, ERRC_NOMEM, ERRC_UNAVAILABLE (locked by another). */
    enum errc (*write)(void *context, const struct store_change *changes, size_t count,
                       struct errc_why *why);

    /* Calls each(each_context, name without prefix) for the names that start with prefix, bytewise
     * sorted. Stops at the first error of `each` and returns it. `each` must not change the store.
     */
    enum errc (*list)(void *context, struct slice prefix,
                      enum errc (*each)(void *each_context, struct slice rest), void *each_context,
                      struct errc_why *why);

    void (*close)(void *context); /* frees everything */
    void *context;
};

/* The port's functions by name; they check the sizes above (ERRC_TOO_BIG). */
MUST_USE enum errc store_get(const struct store *store, struct slice name, struct buf *out,
                             struct errc_why *why);
MUST_USE enum errc store_write(const struct store *store, const struct store_change *changes,
                               size_t count, struct errc_why *why);
MUST_USE enum errc store_put(const struct store *store, struct slice name, struct slice value,
                             struct errc_why *why);
MUST_USE enum errc store_erase(const struct store *store, struct slice name, struct errc_why *why);
MUST_USE enum errc store_list(const struct store *store, struct slice prefix,
                              enum errc (*each)(void *each_context, struct slice rest),
                              void *each_context, struct errc_why *why);

/* Like store_list, but shows one level: of what lies deeper, the folder ("a/"), once. */
MUST_USE enum errc store_list_level(const struct store *store, struct slice prefix,
                                    enum errc (*each)(void *each_context, struct slice name),
                                    void *each_context, struct errc_why *why);
void store_close(struct store *store);
