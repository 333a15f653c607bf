#include <string.h>

#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/commands/cli_commands.h"
#include "fakevault/shell/cli/commands/cli_status.h"

static int run_version(struct cli *cli)
{
    (void)cli;
    cli_output_line("Vault v" CLI_VAULT_VERSION " (cgo)");
    return 0;
}

static int run_status(struct cli *cli)
{
    const struct cli_call call = {.method = "GET", .path = "sys/seal-status", .no_namespace = true};
    struct cli_answer answer = cli_api_do(cli, &call);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_USAGE, "Error checking seal status: %s", answer.error);
    int exit_code = cli_status_print(cli, answer.tree);
    return json_is_true(json_object_get(answer.tree, "sealed")) ? CLI_EXIT_REFUSED : exit_code;
}

static int run_print_token(struct cli *cli)
{
    cli_output_line("%s", cli_api_token(cli));
    return 0;
}

const struct cli_command cli_system_commands[] = {
    {"status", run_status, CLI_HAS_FORMAT | CLI_TWO_IS_SEALED, NULL, 0, 0, NULL, NULL,
     "Print seal and HA status"},
    {"version", run_version, 0, NULL, 0, -1, NULL, NULL, "Print the version"},
    {"print token", run_print_token, 0, NULL, 0, -1, NULL, NULL, "Print the token in use"},
    {0},
};
