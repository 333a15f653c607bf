/*
 * route: endpoints as table rows, and the matching of paths.
 *
 * A row is one path and one operation. A pattern is literal text with captures:
 *
 *     :name     a key name, [A-Za-z0-9_] with '-' and '.' inside (vault-api.md 4),
 *               as in "keys/:name/rotate"
 *     +rest     anything, at least one byte, as in "sign/:name/+urlalgorithm"
 *     ~rest     the same, without a '/' at its end
 *     *path     anything, also nothing
 *     !rest     nothing: a part that the path may have and has not here, which Vault still takes
 *               for captured, as in "hash!urlalgorithm"
 *     /?        at the end: the '/' may be missing
 *
 * Adding an endpoint is one row and the functions it names.
 */
#pragma once

#include <stdbool.h>

#include "base/count.h"
#include "base/text/slice.h"
#include "fakevault/core/http/field.h"

#define ROUTE_CAPTURES_MAX 4u

struct vault_job;

enum route_operation {
    ROUTE_READ,
    ROUTE_LIST,
    ROUTE_UPDATE,
    ROUTE_CREATE, /* an update of what does not exist yet; no row has it, see `exists` */
    ROUTE_DELETE,
    ROUTE_PATCH,
    ROUTE_HEADER,
    ROUTE_HELP,    /* always allowed */
    ROUTE_OPTIONS, /* no endpoint has it, but the path is looked for */
    ROUTE_OTHER,   /* a method that no endpoint has */
};

struct route_endpoint {
    const char *pattern;
    enum route_operation operation;
    const struct field_spec *fields; /* NULL: none */
    bool any_fields;                 /* takes what it is given: never warns of unknown ones */
    bool public;                     /* no token needed */

    /* Looks at the request before it is asked who makes it; may answer, with a failure. */
    void (*admit)(struct vault_job *job);

    bool blocks; /* work may wait for the world outside, however long that takes */

    /* Of an update: is the thing there already? Decides whether policies must allow "create" or
     * "update" (vault-api.md 1.8); job->operation is ROUTE_CREATE afterwards when it is not. Runs
     * under the lock, behind the token and before the policies, with the fields read: so their
     * errors come before the policies' and have no prefix (1.7). Changes nothing; may answer, with
     * a failure. NULL: always an update. */
    bool (*exists)(struct vault_job *job);

    /* Each may be NULL. `prepare` runs under the lock, checks and takes references, and changes
     * nothing; `work` runs without the lock on what prepare left in the job; `finish` runs under
     * the lock, writes the store, changes memory and answers. A step that answers ends the job. */
    void (*prepare)(struct vault_job *job);
    void (*work)(struct vault_job *job);
    void (*finish)(struct vault_job *job);
};

struct route_table {
    const struct route_endpoint *rows;
    size_t count;
};

struct route_capture {
    struct slice name;
    struct slice value;
};

struct route_match {
    const struct route_endpoint *endpoint; /* NULL: see path_known */
    bool path_known;                       /* the path is there, but not the operation */
    struct route_capture captures[ROUTE_CAPTURES_MAX];
    size_t capture_count;
};

#define ROUTE_TABLE(array)                                                                         \
    {                                                                                              \
        (array), COUNT(array)                                                                      \
    }

/* Finds the row for a path; `match` borrows from path and table. True when there is one. */
bool route_find(const struct route_table *table, struct slice path, enum route_operation operation,
                struct route_match *match);

/* Returns the operation's name as the journal has it: "read", "list", "update", ... */
const char *route_operation_name(enum route_operation operation);
