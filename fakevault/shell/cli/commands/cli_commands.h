/*
 * cli_commands: the tables of the `vault` command's topics, each ended by a row without a name.
 */
#pragma once

#include "fakevault/shell/cli/cli.h"

extern const struct cli_command cli_logical_commands[];  /* read, write, list, delete, unwrap ... */
extern const struct cli_command cli_system_commands[];   /* status, version, print token ... */
extern const struct cli_command cli_operator_commands[]; /* init, unseal, seal, rotate ... */
extern const struct cli_command cli_rekey_commands[];    /* rekey, generate-root */
extern const struct cli_command cli_secrets_commands[];  /* secrets, audit */
extern const struct cli_command cli_kv_commands[];
extern const struct cli_command cli_kv_metadata_commands[];
extern const struct cli_command cli_token_commands[]; /* token, login */
extern const struct cli_command cli_policy_commands[];
