/*
 * ctl: `fakevault ctl VERB`, the control API's client for people and scripts.
 *
 * Exit codes (sysexits): 0 done, 64 usage, 65 the server refused what was sent, 66 no such file or
 * rule, 69 the server is not there, 70 it failed, 76 it answered nonsense, 77 the token is missing
 * or wrong.
 */
#pragma once

/* argv behind "ctl". Returns the exit code. */
int ctl_run(int argc, char *const argv[]);
