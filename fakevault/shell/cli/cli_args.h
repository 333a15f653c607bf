/*
 * cli_args: the positional words of the `vault` command: paths, key=value data, and what comes by
 * standard input.
 */
#pragma once

#include "fakevault/shell/cli/cli.h"

/* A path without blanks around it and slashes at its ends; with one slash at its end. */
const char *cli_args_path(struct cli *cli, const char *text);
const char *cli_args_folder(struct cli *cli, const char *text);

/*
 * Reads the words from `first` on as data: key=value, key=@FILE, key=- (standard input), @FILE and
 * "-" (a JSON object); a key that is repeated becomes a list. ERRC_USAGE with Vault's sentence.
 */
MUST_USE enum errc cli_args_data(struct cli *cli, int first, json_t **out, struct errc_why *why);

/* The same with every value as a text. */
MUST_USE enum errc cli_args_texts(struct cli *cli, int first, json_t **out, struct errc_why *why);

/* The same with every value as a text, or a list of texts. */
MUST_USE enum errc cli_args_lists(struct cli *cli, int first, json_t **out, struct errc_why *why);

/* All of standard input, once per run. */
MUST_USE enum errc cli_args_stdin(struct cli *cli, const char **out, struct errc_why *why);

/* All of a file. */
MUST_USE enum errc cli_args_file(struct cli *cli, const char *path, const char **out,
                                 struct errc_why *why);

/* Asks for a line that is not shown while it is typed. ERRC_STATE when nobody is there to ask. */
MUST_USE enum errc cli_args_hidden(struct cli *cli, const char *question, const char **out,
                                   struct errc_why *why);
