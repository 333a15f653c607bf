/*
 * cli_flags: the command line of the `vault` command, which is Go's: one or two dashes, `-x=y` and
 * `-x y`, the first word that is no flag ends the flags (base/flags.h lets them stand anywhere, and
 * says other sentences).
 *
 *     static const struct cli_flag flags[] = {
 *         {"path", CLI_FLAG_TEXT, NULL, "where to mount it"},
 *         {0}};
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "fakevault/shell/cli/cli_pool.h"

enum cli_flag_type {
    CLI_FLAG_SWITCH,
    CLI_FLAG_TEXT,
    CLI_FLAG_INT,
    CLI_FLAG_SECONDS, /* a Go duration, or "system" for -1 */
    CLI_FLAG_LIST,    /* may be repeated */
    CLI_FLAG_MAP,     /* key=value, may be repeated */
};

struct cli_flag {
    const char *name; /* NULL ends a table */
    enum cli_flag_type type;
    const char *value; /* what it is without the flag: "5"; NULL is the zero value */
    const char *help;  /* one line */
    const char *alias; /* another name, or NULL */
};

#define CLI_FLAGS_TABLES 3u
#define CLI_FLAGS_MAX 48u

struct cli_flag_value {
    bool set;
    int64_t number; /* switch, int, seconds */
    const char *text;
    json_t *many; /* array of a list, object of a map; NULL while empty */
};

struct cli_flags {
    const struct cli_flag *tables[CLI_FLAGS_TABLES]; /* NULL where there is none */
    struct cli_flag_value values[CLI_FLAGS_MAX];     /* in the order of the tables */
};

/*
 * Reads the flags in front of args; *used tells how many words they were. Texts are lent.
 * ERRC_USAGE with Go's sentence, and ERRC_NOT_FOUND when help was asked for.
 */
MUST_USE enum errc cli_flags_parse(struct cli_flags *flags, struct cli_pool *pool, int count,
                                   char *const args[], int *used, struct errc_why *why);

/* The value of a flag; the tables must have it. */
const struct cli_flag_value *cli_flags_get(const struct cli_flags *flags, const char *name);

/* The same, but a flag that no table has is never set. */
const struct cli_flag_value *cli_flags_find(const struct cli_flags *flags, const char *name);

/* Appends one line per flag. */
void cli_flags_help(const struct cli_flag *table, struct buf *out);
