/*
 * server: `fakevault server`: puts the parts together, says ready, serves until SIGTERM or SIGINT.
 * SIGHUP reads the TLS certificate and key anew.
 *
 * Exit codes (sysexits): 0 stopped as asked, 64 usage, 69 a port or socket could not be had, 74
 * storage or journal failed, 78 the environment is wrong.
 */
#pragma once

/* argv behind "server". Returns the exit code. */
int server_run(int argc, char *const argv[]);
