/*
 * envmap: the environment of a process as an ordered set of names and values.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "chaos/core/scenario/scenario.h"

#define ENVMAP_MAX 64u /* variables of one process */

/* A zeroed struct is an empty map. items[0..count) is NULL-terminated: it can be handed to exec. */
struct envmap {
    char *items[ENVMAP_MAX + 1];
    char *names[ENVMAP_MAX + 1]; /* the part before '=' */
    size_t count;
};

/* Fits CLEANUP; the map is empty afterwards. */
void envmap_done(struct envmap *map);

/* Sets a variable, over a former value. ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc envmap_set(struct envmap *map, const char *name, const char *value,
                              struct errc_why *why);

/* Takes a variable out; one that is not there is fine. */
void envmap_unset(struct envmap *map, const char *name);

/* Lends the value, or NULL. */
const char *envmap_get(const struct envmap *map, const char *name);

/* Replaces `to` by a copy of `from`. ERRC_NOMEM. */
MUST_USE enum errc envmap_copy(const struct envmap *from, struct envmap *to, struct errc_why *why);

/* Lends the items as exec wants them. */
const char *const *envmap_items(const struct envmap *map);

/* Fills pairs with names and values, which are the map's, without the variable `hidden` (NULL:
 * all), and returns how many. */
size_t envmap_pairs(const struct envmap *map, const char *hidden,
                    struct scenario_pair pairs[static ENVMAP_MAX]);
