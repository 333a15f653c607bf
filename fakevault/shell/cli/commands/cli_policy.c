#include <ctype.h>
#include <string.h>

#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/commands/cli_commands.h"

static char *lower_name(struct cli *cli)
{
    char *name = cli_pool_copy(&cli->pool, slice_trim(slice_of(cli->args[0])));
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return name;
}

static const char *path_of(struct cli *cli, const char *name)
{
    return cli_pool_text(&cli->pool, "sys/policies/acl/%s", name);
}

static int run_write(struct cli *cli)
{
    struct errc_why why = {""};
    const char *name = lower_name(cli), *file = cli->args[1], *rules;
    json_t *body = cli_pool_object(&cli->pool);
    bool piped = strcmp(file, "-") == 0;
    enum errc code =
        piped ? cli_args_stdin(cli, &rules, &why) : cli_args_file(cli, file, &rules, &why);
    if (code != ERRC_OK)
        return cli_output_error(CLI_EXIT_REFUSED, "Error %s: %s",
                                piped ? "reading policy" : "opening policy file", why.text);
    cli_pool_set(body, "policy", cli_pool_new_text(rules));
    struct cli_answer answer = cli_api_call(cli, "PUT", path_of(cli, name), body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error uploading policy: %s", answer.error);
    if (strcmp(name, cli->args[0]) != 0)
        cli_output_warning("Policy name was converted from \"%s\" to \"%s\"", cli->args[0], name);
    cli_output_line("Success! Uploaded policy: %s", name);
    return 0;
}

static int run_read(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret;
    const char *name = lower_name(cli);
    const struct cli_call call = {.method = "GET", .path = path_of(cli, name)};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error reading policy named %s: %s", name,
                                answer.error);
    json_t *rules = json_object_get(json_object_get(secret, "data"), "policy");
    if (!json_is_string(rules) || json_string_length(rules) == 0)
        return cli_output_error(CLI_EXIT_REFUSED, "No policy named: %s", name);
    if (cli->format == CLI_FORMAT_TABLE) {
        struct slice text = slice_trim(slice_of(json_string_value(rules)));
        cli_output_line("%.*s", SLICE_FMT(text));
        return 0;
    }
    json_t *out = cli_pool_object(&cli->pool);
    cli_pool_set(out, "policy", json_incref(rules));
    return cli_output_data(cli, out);
}

static int run_list(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret, *name, *query = cli_pool_object(&cli->pool);
    size_t i;
    cli_pool_set(query, "list", json_string("true"));
    const struct cli_call call = {.method = "GET", .path = "sys/policies/acl", .query = query};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error listing policies: %s", answer.error);
    const json_t *names = json_object_get(json_object_get(secret, "data"), "keys");
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, names);
    json_array_foreach(names, i, name) cli_output_line("%s", json_string_value(name));
    return 0;
}

static int run_delete(struct cli *cli)
{
    const char *name = lower_name(cli);
    struct cli_answer answer = cli_api_call(cli, "DELETE", path_of(cli, name), NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error deleting %s: %s", name, answer.error);
    cli_output_line("Success! Deleted policy: %s", name);
    return 0;
}

const struct cli_command cli_policy_commands[] = {
    {"policy write", run_write, 0, NULL, 2, 2, NULL, "NAME FILE|-", "Uploads a policy"},
    {"policy read", run_read, CLI_HAS_FORMAT, NULL, 1, 1, NULL, "NAME", "Prints a policy"},
    {"policy list", run_list, CLI_HAS_FORMAT, NULL, 0, 0, NULL, NULL, "Lists the policies"},
    {"policy delete", run_delete, 0, NULL, 1, 1, NULL, "NAME", "Deletes a policy"},
    {0},
};
