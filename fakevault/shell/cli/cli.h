/*
 * cli: the `vault` command: Vault's commands, flags, output and exit codes over HTTP, for drills
 * against fakevault and against a real Vault (vault-api.md 2.18).
 *
 * A command is one row in the table of its topic (commands/) and one function, which prints what it
 * has to say (cli_output.h) and returns its exit code: 0 done, 1 wrong usage or an error of this
 * side, 2 refused by the server (`status`: 0 unsealed, 1 an error, 2 sealed).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "fakevault/shell/cli/cli_flags.h"
#include "fakevault/shell/cli/cli_pool.h"

enum cli_format {
    CLI_FORMAT_TABLE,
    CLI_FORMAT_JSON,
    CLI_FORMAT_YAML,
    CLI_FORMAT_RAW,
};

/* Flags that commands share; each has those of HTTP. */
enum cli_common {
    CLI_HAS_FORMAT = 1 << 0,
    CLI_HAS_FIELD = 1 << 1 | CLI_HAS_FORMAT,
    CLI_HAS_DETAILED = 1 << 2 | CLI_HAS_FORMAT,
    CLI_HAS_RAW = 1 << 3,       /* -format=raw works */
    CLI_TWO_IS_SEALED = 1 << 4, /* exit code 2 means no error */
};

struct cli;

struct cli_command {
    const char *name; /* "kv metadata get"; NULL ends a table */
    int (*run)(struct cli *cli);
    unsigned has; /* of cli_common */
    const struct cli_flag *flags;
    int args_min, args_max;   /* positional words; -1: the function looks */
    const char *args_missing; /* how Vault puts the number it wants; NULL: args_min */
    const char *usage;        /* of the positional words: "PATH [K=V ...]" */
    const char *help;         /* one line */
};

/* One run. */
struct cli {
    struct cli_pool pool;
    const struct cli_command *command;
    struct cli_flags flags;
    char *const *args; /* behind the flags */
    int arg_count;
    enum cli_format format;
    bool detailed;
    bool stdin_used;
    const char *token; /* NULL: not looked up yet */
};

#define CLI_EXIT_USAGE 1
#define CLI_EXIT_REFUSED 2
#define CLI_EXIT_NO_COMMAND 127
