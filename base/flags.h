/*
 * flags: the command line of all three programs, from a table.
 *
 * One or two dashes, `-name=value` or `-name value`; a switch takes no value,
 * `-name=false` turns it off. "--" ends the flags; what is no flag is
 * positional and may stand anywhere. Every flag may be given once. -h is short
 * for a flag -help. The same table prints the help.
 *
 *     struct options { const char *listen; bool dev; int64_t seed; };
 *     static const struct flags_spec specs[] = {
 *         {"listen", FLAGS_TEXT, offsetof(struct options, listen), "HOST:PORT", "where to serve"},
 *         {"dev", FLAGS_SWITCH, offsetof(struct options, dev), NULL, "start unsealed, in memory"},
 *     };
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"

enum flags_type {
    FLAGS_SWITCH, /* bool */
    FLAGS_TEXT,   /* const char *, borrowed from argv */
    FLAGS_INT,    /* int64_t, decimal */
    FLAGS_COUNT,  /* int, grows by one each time; may be repeated (-v -v) */
    FLAGS_TEXTS,  /* struct flags_texts; may be repeated */
};

#define FLAGS_TEXTS_MAX 16u

/* The values of a flag that may be repeated, in their order. */
struct flags_texts {
    const char *items[FLAGS_TEXTS_MAX]; /* borrowed from argv */
    size_t count;
};

struct flags_spec {
    const char *name; /* without dashes */
    enum flags_type type;
    size_t offset;     /* of the field in the options struct */
    const char *value; /* what stands for the value in the help; NULL for switches */
    const char *help;  /* one sentence */
};

struct flags {
    const struct flags_spec *specs;
    size_t count;
};

/*
 * Reads argv[0..argc) (without the program's name) into *options and moves the
 * positionals, in order, to the front of `positionals` (room for argc).
 * ERRC_USAGE with a sentence that names the flag and, for an unknown one, the
 * nearest known.
 */
MUST_USE enum errc flags_parse(const struct flags *flags, int argc, char *const argv[],
                               void *options, const char **positionals, size_t *positional_count,
                               struct errc_why *why);

/* Appends one line per flag, aligned. */
void flags_help(const struct flags *flags, struct buf *out);

/* True for the flag's name behind one dash or two: "-version", "--version". */
bool flags_is(const char *word, const char *name);

/* Returns the candidate nearest to word (by edit distance, at most 3 and half of its length,
 * rounded up, away), or NULL; for "did you mean". */
const char *flags_nearest(const char *word, const char *const candidates[], size_t count);
