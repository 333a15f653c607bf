/*
 * commands: the command line's verbs; each takes its own arguments, argv[0] being the
 * verb, and returns an exit code.
 */
#pragma once

enum commands_exit {
    COMMANDS_DONE = 0,
    COMMANDS_FAILED = 1,  /* runtime error: refused, blocked, offline, I/O */
    COMMANDS_INVALID = 2, /* invalid input or configuration */
};

int command_sign(int argc, char *const argv[]);
int command_verify(int argc, char *const argv[]);
int command_status(int argc, char *const argv[]);
int command_trust(int argc, char *const argv[]);
