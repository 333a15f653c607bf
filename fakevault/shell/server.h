/*
 * server: `fakevault server`: puts the parts together, says ready, serves until SIGTERM or SIGINT.
 * SIGHUP reads the TLS certificate and key anew, and opens the files of audit devices anew.
 *
 * Exit codes (sysexits): 0 stopped as asked, 64 usage, 69 a port or socket could not be had, 74
 * storage or journal failed, 78 the environment is wrong.
 */
#pragma once

/* argv behind "server". Returns the exit code. */
int server_run(int argc, char *const argv[]);

/* `vault server`: the same with Vault's defaults, greeting and exit codes (0, 1). A dev server
 * writes its root token to ~/.vault-token unless told otherwise. */
int server_run_as_vault(int argc, char *const argv[]);
