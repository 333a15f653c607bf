/*
 * command_line: what the verbs share: flags with -help, one-line errors, one line of JSON.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/flags.h"
#include "base/text/buf.h"

struct command_line {
    const char *verb;      /* "sign" */
    const char *arguments; /* "DIR [flags]", for the help */
    const char *purpose;   /* one sentence, for the help */
    struct flags flags;
    size_t help_offset; /* of the bool that -help sets */
    size_t positionals_min;
    size_t positionals_max;
};

#define COMMAND_LINE_POSITIONALS 4

/* Parses into *options. False when the command is over: help was printed or the usage was wrong;
 * *exit_code then holds what to return. */
bool command_line_parse(const struct command_line *spec, int argc, char *const argv[],
                        void *options, const char *positionals[COMMAND_LINE_POSITIONALS],
                        int *exit_code);

/* Prints "signer VERB: sentence" on stderr and returns exit_code. */
int command_line_fail(const char *verb, const struct errc_why *why, int exit_code);

/* Writes a line on stdout. False, with a word on stderr, when that fails. */
bool command_line_print(struct buf *line);
