/*
 * cli_main: the `vault` command's way in.
 */
#pragma once

#include <stdbool.h>

/* Runs `vault` with argv behind the program's name. Returns the exit code. */
int cli_run(int argc, char *const argv[]);

/* True when the program was started under the name `vault`. */
bool cli_is_vault(const char *program);
