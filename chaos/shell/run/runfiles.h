/*
 * runfiles: what lies in the folder of a run, by name, kind and mode. Links are listed and not
 * followed. What is private to chaos and to Vault is left out: it holds secrets by right.
 */
#pragma once

#include "base/errc.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/world.h"

struct runfiles {
    struct pool pool; /* the names */
    struct world_file *items;
    size_t count, room;
};

/* Lists the folder anew; a zeroed struct is an empty list. ERRC_NOMEM, ERRC_TOO_BIG, ERRC_IO. */
MUST_USE enum errc runfiles_list(struct runfiles *list, const char *folder, struct errc_why *why);

/* Frees it. */
void runfiles_done(struct runfiles *list);
