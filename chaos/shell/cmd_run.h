/*
 * cmd_run: `chaos run`: scenarios over real processes, judged.
 */
#pragma once

/* argv behind "run". Returns the exit code (docs/exit-codes.md). */
int cmd_run(int argc, char *const argv[]);

/* Prints the flags. */
void cmd_run_explain(void);
