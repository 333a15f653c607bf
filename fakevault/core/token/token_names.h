/*
 * token_names: a set of names (policies): lower case, trimmed, sorted, no two alike, none empty.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/errc.h"
#include "base/text/buf.h"

struct token_names {
    struct slice *items; /* owned */
    size_t count, room;
};

void token_names_done(struct token_names *names);

/* Each adds; what is empty or there already is dropped. `texts` is an array of strings or NULL.
 * ERRC_NOMEM. */
MUST_USE enum errc token_names_add(struct token_names *names, struct slice name);
MUST_USE enum errc token_names_add_all(struct token_names *names, const struct slice *items,
                                       size_t count);
MUST_USE enum errc token_names_add_json(struct token_names *names, const json_t *texts);

/* Leaves "root" alone when it is among them; else, if wanted, adds "default". ERRC_NOMEM. */
MUST_USE enum errc token_names_sanitize(struct token_names *names, bool add_default);

/* Is the name among the items of a set, or of the policies of a token, which come from one? */
bool token_names_among(const struct slice *items, size_t count, struct slice name);
bool token_names_has(const struct token_names *names, struct slice name);
void token_names_remove(struct token_names *names, const char *name);

/* True when one of the set, taken as a glob, fits the text. */
bool token_names_fit(const struct token_names *globs, struct slice text);

/* Appends the set as Go's %q prints it: ["a" "b"]. */
void token_names_print(const struct token_names *names, struct buf *out);
