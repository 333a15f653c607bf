/*
 * dispatch: the words that a program understands, looked up in its own table: which row a command
 * line means, and what to say when it means none.
 *
 * A row may hold anything behind its name, its first member. A name may have several words.
 *
 *     static const struct verb {
 *         const char *name;
 *         int (*run)(int argc, char *const argv[]);
 *     } verbs[] = {{"status", status}, {"faults add", faults_add}};
 *     static const struct dispatch table = DISPATCH("verb", "fakevault ctl -help", verbs);
 */
#pragma once

#include <stddef.h>

#include "base/count.h"
#include "base/errc.h"

struct dispatch {
    const char *kind; /* what a row is, for sentences: "verb" */
    const char *help; /* the command that lists them */
    const void *rows;
    size_t row_bytes;
    size_t count;
};

#define DISPATCH(kind, help, rows)                                                                 \
    {                                                                                              \
        (kind), (help), (rows), sizeof *(rows), COUNT(rows)                                        \
    }

/*
 * Finds the row whose name the first of count >= 1 words are; of several the longest. *used is how
 * many words it takes. ERRC_USAGE names the nearest row, or the words that may follow the first.
 */
MUST_USE enum errc dispatch_find(const struct dispatch *d, const char *const words[], size_t count,
                                 size_t *row, size_t *used, struct errc_why *why);

/* Returns how many of the words a name is, 0 when they are not the name's. */
size_t dispatch_matches(const char *name, const char *const words[], size_t count);
