/*
 * cmd_table: the words that chaos understands, one row each.
 */
#pragma once

struct cmd_table_row {
    const char *name;
    const char *arguments; /* for the help, "" for none */
    const char *help;      /* one sentence */
    /* argv behind the name; returns the exit code (docs/exit-codes.md). */
    int (*run)(int argc, char *const argv[]);
    void (*explain)(void); /* prints the flags; NULL: there are none */
};

/* Runs the command that argv names; argv[0] is the program. Returns the exit code. */
int cmd_table_run(int argc, char *const argv[]);
