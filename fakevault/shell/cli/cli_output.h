/*
 * cli_output: what the `vault` command prints: results on standard output in the format that was
 * asked for, warnings and errors on standard error.
 *
 * Those that return an int return an exit code, so that a command may end with them.
 */
#pragma once

#include "fakevault/shell/cli/cli.h"
#include "fakevault/shell/cli/cli_api.h"
#include "fakevault/shell/cli/cli_text.h"

/* A line of standard output. */
void cli_output_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same, broken at 78 columns. */
void cli_output_wrapped(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line of standard error, and the exit code. */
int cli_output_error(int exit_code, const char *format, ...) PRINTF_LIKE(2, 3);
void cli_output_warning(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same as cli_output_error, broken at 78 columns; for texts that are longer than a line. */
int cli_output_advice(int exit_code, const char *format, ...) PRINTF_LIKE(2, 3);

/* Text without a newline unless standard output is a terminal, for `-field` and its like. */
int cli_output_raw(const char *text);

/* A table; the first row is its heading. Ends the table. */
void cli_output_table(struct cli_text_table *table, bool heading);

/* Any tree: keys and values as a table, JSON or YAML. */
int cli_output_data(struct cli *cli, const json_t *data);

/* An envelope: its lease, token, wrapping token and data. */
int cli_output_secret(struct cli *cli, const json_t *secret);

/* The keys of a list. */
int cli_output_list(struct cli *cli, const json_t *secret);

/* What a LIST answered, which may be nothing (NULL), a wrapping token, or no list. */
int cli_output_keys(struct cli *cli, const json_t *secret, const char *path);

/* The warnings of an envelope. */
void cli_output_warnings(const json_t *secret);

/* One field of an envelope, or of a map. */
int cli_output_field(struct cli *cli, const json_t *secret, const char *field);
int cli_output_map_field(struct cli *cli, const json_t *map, const char *field);

/* The same line for a command that changed something: only in the table format. */
int cli_output_success(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* What a write answered: the field that -field wants, the envelope, or `done` and the path. */
int cli_output_written(struct cli *cli, const json_t *secret, const char *done, const char *path);
