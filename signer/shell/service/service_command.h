/*
 * service_command: `signer serve`, from its command line to its exit code.
 */
#pragma once

/* argv[0] is "serve". Reads the environment once. Returns 0 after a graceful stop, 1 for a runtime
 * error, 2 for invalid flags or configuration. */
int service_command(int argc, char *const argv[]);
