#include <string.h>

#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/commands/cli_commands.h"

static const char *field_of(const struct cli *cli)
{
    return cli_flags_get(&cli->flags, "field")->text;
}

static int no_value(const char *path)
{
    return cli_output_error(CLI_EXIT_REFUSED, "No value found at %s", path);
}

static int read_raw(const struct cli_answer *answer, const char *path)
{
    if (answer->error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error reading: %s: %s", path, answer->error);
    cli_output_line("%s", answer->text);
    return 0;
}

static int run_read(struct cli *cli)
{
    struct errc_why why = {""};
    struct cli_answer answer;
    json_t *secret, *query;
    const char *path = cli_args_path(cli, cli->args[0]);
    if (cli_args_lists(cli, 1, &query, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse K=V data: %s", why.text);
    const struct cli_call call = {.method = "GET", .path = path, .query = query};
    if (cli->format == CLI_FORMAT_RAW) {
        answer = cli_api_do(cli, &call);
        return read_raw(&answer, path);
    }
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error reading %s: %s", path, answer.error);
    if (secret == NULL)
        return no_value(path);
    if (*field_of(cli) != '\0')
        return cli_output_field(cli, secret, field_of(cli));
    return cli_output_secret(cli, secret);
}

static int run_write(struct cli *cli)
{
    struct errc_why why = {""};
    struct cli_answer answer;
    json_t *secret, *data;
    const char *path = cli_args_path(cli, cli->args[0]);
    if (cli->arg_count == 1 && cli_flags_get(&cli->flags, "force")->number == 0)
        return cli_output_error(CLI_EXIT_USAGE, "Must supply data or use -force");
    if (cli_args_data(cli, 1, &data, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse K=V data: %s", why.text);
    if (cli->arg_count == 1)
        data = cli_pool_string(&cli->pool, NULL); /* Vault's client sends null */
    const struct cli_call call = {.method = "PUT", .path = path, .body = data};
    if (!cli_api_ask(cli, &call, &secret, &answer)) {
        (void)cli_output_error(0, "Error writing data to %s: %s", path, answer.error);
        if (secret != NULL)
            (void)cli_output_secret(cli, secret);
        return CLI_EXIT_REFUSED;
    }
    return cli_output_written(cli, secret, "written to", path);
}

static int run_patch(struct cli *cli)
{
    struct errc_why why = {""};
    struct cli_answer answer;
    json_t *secret, *data;
    const char *path = cli_args_path(cli, cli->args[0]);
    if (cli->arg_count == 1 && cli_flags_get(&cli->flags, "force")->number == 0)
        return cli_output_error(CLI_EXIT_USAGE, "Must supply data or use -force");
    if (cli_args_data(cli, 1, &data, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse K=V data: %s", why.text);
    const struct cli_call call = {.method = "PATCH",
                                  .path = path,
                                  .body = data,
                                  .media_type = "application/merge-patch+json"};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error writing data to %s: %s", path,
                                answer.error);
    return cli_output_written(cli, secret, "written to", path);
}

static int run_list(struct cli *cli)
{
    const char *path = cli_args_path(cli, cli->args[0]);
    json_t *query = cli_pool_object(&cli->pool), *secret;
    struct cli_answer answer;
    cli_pool_set(query, "list", json_string("true"));
    const struct cli_call call = {.method = "GET", .path = path, .query = query};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error listing %s: %s", path, answer.error);
    return cli_output_keys(cli, secret, path);
}

static int run_delete(struct cli *cli)
{
    struct errc_why why = {""};
    struct cli_answer answer;
    json_t *secret, *query;
    const char *path = cli_args_path(cli, cli->args[0]);
    if (cli_args_lists(cli, 1, &query, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse string list data: %s", why.text);
    const struct cli_call call = {.method = "DELETE", .path = path, .query = query};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error deleting %s: %s", path, answer.error);
    return cli_output_written(cli, secret, "deleted (if it existed) at", path);
}

static int run_unwrap(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret, *body = NULL;
    if (cli->arg_count == 1 && *cli_api_token(cli) == '\0') {
        cli_api_set_token(cli, cli->args[0]);
    } else if (cli->arg_count == 1 && strcmp(cli->args[0], cli_api_token(cli)) != 0) {
        body = cli_pool_object(&cli->pool);
        cli_pool_set(body, "token", cli_pool_new_text(cli->args[0]));
    }
    if (body == NULL)
        body = cli_pool_string(&cli->pool, NULL);
    const struct cli_call call = {.method = "PUT", .path = "sys/wrapping/unwrap", .body = body};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error unwrapping: %s", answer.error);
    if (secret == NULL)
        return cli_output_success(
            cli, "Successfully unwrapped. There was no data in the wrapped secret.");
    if (*field_of(cli) != '\0')
        return cli_output_field(cli, secret, field_of(cli));
    if (json_is_array(json_object_get(json_object_get(secret, "data"), "keys")))
        return cli_output_list(cli, secret);
    return cli_output_secret(cli, secret);
}

static int run_path_help(struct cli *cli)
{
    const char *path = cli_args_path(cli, cli->args[0]);
    json_t *query = cli_pool_object(&cli->pool);
    cli_pool_set(query, "help", json_string("1"));
    const struct cli_call call = {.method = "GET", .path = path, .query = query};
    struct cli_answer answer = cli_api_do(cli, &call);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error retrieving help: %s", answer.error);
    const json_t *help = json_object_get(answer.tree, "help");
    if (cli->format == CLI_FORMAT_TABLE && json_is_string(help))
        cli_output_line("%s", json_string_value(help));
    else
        cli_output_line("%s", answer.text);
    return 0;
}

static const struct cli_flag write_flags[] = {
    {"force", CLI_FLAG_SWITCH, NULL, "write without data", "f"},
    {0},
};

const struct cli_command cli_logical_commands[] = {
    {"read", run_read, CLI_HAS_FIELD | CLI_HAS_RAW, NULL, 1, -1, NULL, "PATH [K=V ...]",
     "Read data and retrieves secrets"},
    {"write", run_write, CLI_HAS_FIELD, write_flags, 1, -1, NULL, "PATH [K=V ...]",
     "Write data, configuration, and secrets"},
    {"patch", run_patch, CLI_HAS_FIELD, write_flags, 1, -1, NULL, "PATH [K=V ...]",
     "Patch data, configuration, and secrets"},
    {"list", run_list, CLI_HAS_DETAILED, NULL, 1, 1, NULL, "PATH", "List data or secrets"},
    {"delete", run_delete, CLI_HAS_FIELD, NULL, 1, -1, "at least 1", "PATH [K=V ...]",
     "Delete secrets and configuration"},
    {"unwrap", run_unwrap, CLI_HAS_FIELD, NULL, 0, 1, NULL, "[TOKEN]", "Unwrap a wrapped secret"},
    {"path-help", run_path_help, CLI_HAS_FORMAT, NULL, 1, 1, NULL, "PATH",
     "Retrieve API help for paths"},
    {0},
};
