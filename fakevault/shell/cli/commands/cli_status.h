/*
 * cli_status: the seal status, as `status` and `operator unseal` show it.
 */
#pragma once

#include "fakevault/shell/cli/cli.h"

#define CLI_VAULT_VERSION "1.14.9" /* that the command behaves like */

/* Prints the answer of sys/seal-status, and what sys/leader adds to it. Returns the exit code. */
int cli_status_print(struct cli *cli, const json_t *seal);
