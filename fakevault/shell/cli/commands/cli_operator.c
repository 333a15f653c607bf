#include <string.h>
#include <time.h>

#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/commands/cli_commands.h"
#include "fakevault/shell/cli/commands/cli_status.h"

/* ---- init ---- */

static int print_init_status(struct cli *cli)
{
    struct cli_answer answer = cli_api_call(cli, "GET", "sys/init", NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_USAGE, "Error checking init status: %s", answer.error);
    bool done = json_is_true(json_object_get(answer.tree, "initialized"));
    if (cli->format == CLI_FORMAT_TABLE) {
        cli_output_line("Vault is %sinitialized", done ? "" : "not ");
    } else {
        json_t *out = cli_pool_object(&cli->pool);
        cli_pool_set(out, "Initialized", json_boolean(done));
        (void)cli_output_data(cli, out);
    }
    return done ? 0 : CLI_EXIT_REFUSED;
}

static json_t *init_request(struct cli *cli)
{
    json_t *body = cli_pool_object(&cli->pool);
    int64_t shares = cli_flags_get(&cli->flags, "key-shares")->number;
    int64_t threshold = cli_flags_get(&cli->flags, "key-threshold")->number;
    cli_pool_set(body, "secret_shares", json_integer(shares == 0 ? 5 : shares));
    cli_pool_set(body, "secret_threshold", json_integer(threshold == 0 ? 3 : threshold));
    cli_pool_set(body, "stored_shares", json_integer(0));
    cli_pool_set(body, "pgp_keys", json_null());
    cli_pool_set(body, "recovery_shares", json_integer(0));
    cli_pool_set(body, "recovery_threshold", json_integer(0));
    cli_pool_set(body, "recovery_pgp_keys", json_null());
    cli_pool_set(body, "root_token_pgp_key", json_string(""));
    return body;
}

static json_t *list_of(const json_t *answer, const char *field)
{
    json_t *list = json_object_get(answer, field);
    return json_is_array(list) ? json_incref(list) : json_array();
}

static int print_init_for_machines(struct cli *cli, const json_t *request, const json_t *answer)
{
    json_t *out = cli_pool_object(&cli->pool);
    cli_pool_set(out, "unseal_keys_b64", list_of(answer, "keys_base64"));
    cli_pool_set(out, "unseal_keys_hex", list_of(answer, "keys"));
    cli_pool_set(out, "unseal_shares", json_incref(json_object_get(request, "secret_shares")));
    cli_pool_set(out, "unseal_threshold",
                 json_incref(json_object_get(request, "secret_threshold")));
    cli_pool_set(out, "recovery_keys_b64", list_of(answer, "recovery_keys_base64"));
    cli_pool_set(out, "recovery_keys_hex", list_of(answer, "recovery_keys"));
    cli_pool_set(out, "recovery_keys_shares", json_integer(0));
    cli_pool_set(out, "recovery_keys_threshold", json_integer(0));
    cli_pool_set(out, "root_token", json_incref(json_object_get(answer, "root_token")));
    return cli_output_data(cli, out);
}

static int print_init(const json_t *request, const json_t *answer)
{
    size_t i;
    json_t *share;
    long long shares = json_integer_value(json_object_get(request, "secret_shares"));
    long long threshold = json_integer_value(json_object_get(request, "secret_threshold"));
    json_array_foreach(json_object_get(answer, "keys_base64"), i, share)
        cli_output_line("Unseal Key %zu: %s", i + 1, json_string_value(share));
    cli_output_line("\nInitial Root Token: %s\n",
                    json_string_value(json_object_get(answer, "root_token")));
    cli_output_wrapped(
        "Vault initialized with %lld key shares and a key threshold of %lld. Please securely "
        "distribute the key shares printed above. When the Vault is re-sealed, restarted, or "
        "stopped, you must supply at least %lld of these keys to unseal it before it can start "
        "servicing requests.",
        shares, threshold, threshold);
    cli_output_wrapped("\nVault does not store the generated root key. Without at least %lld keys "
                       "to reconstruct the root key, Vault will remain permanently sealed!",
                       threshold);
    cli_output_wrapped("\nIt is possible to generate new unseal keys, provided you have a quorum "
                       "of existing unseal keys shares. See \"vault operator rekey\" for more "
                       "information.");
    return 0;
}

static int run_init(struct cli *cli)
{
    struct cli_answer seal = cli_api_call(cli, "GET", "sys/seal-status", NULL);
    if (seal.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "%s", seal.error);
    if (cli_flags_get(&cli->flags, "status")->number != 0)
        return print_init_status(cli);
    const json_t *request = init_request(cli);
    struct cli_answer answer = cli_api_call(cli, "PUT", "sys/init", request);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error initializing: %s", answer.error);
    if (cli->format != CLI_FORMAT_TABLE)
        return print_init_for_machines(cli, request, answer.tree);
    return print_init(request, answer.tree);
}

/* ---- seal and unseal ---- */

static int send_unseal(struct cli *cli, json_t *body, const char *failed)
{
    struct cli_answer answer = cli_api_call(cli, "PUT", "sys/unseal", body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "%s: %s", failed, answer.error);
    return cli_status_print(cli, answer.tree);
}

static int run_unseal(struct cli *cli)
{
    struct errc_why why = {""};
    const char *key = cli->arg_count > 0 ? cli->args[0] : "";
    json_t *body = cli_pool_object(&cli->pool);
    if (cli_flags_get(&cli->flags, "reset")->number != 0) {
        cli_pool_set(body, "reset", json_true());
        return send_unseal(cli, body, "Error resetting unseal process");
    }
    if (*key == '\0' &&
        cli_args_hidden(cli, "Unseal Key (will be hidden): ", &key, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE,
                                "The unseal key could not be asked for: %s. Give it as the first "
                                "argument when standard input is no terminal.",
                                why.text);
    cli_pool_set(body, "key",
                 cli_pool_new_text(cli_pool_copy(&cli->pool, slice_trim(slice_of(key)))));
    cli_pool_set(body, "reset", json_false());
    cli_pool_set(body, "migrate", json_boolean(cli_flags_get(&cli->flags, "migrate")->number));
    return send_unseal(cli, body, "Error unsealing");
}

static int simple_put(struct cli *cli, const char *path, const char *failed)
{
    struct cli_answer answer = cli_api_call(cli, "PUT", path, NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "%s: %s", failed, answer.error);
    return 0;
}

static int run_seal(struct cli *cli)
{
    int exit_code = simple_put(cli, "sys/seal", "Error sealing");
    if (exit_code == 0)
        cli_output_line("Success! Vault is sealed.");
    return exit_code;
}

static int run_step_down(struct cli *cli)
{
    int exit_code = simple_put(cli, "sys/step-down", "Error stepping down");
    if (exit_code == 0)
        cli_output_line("Success! Stepped down: %s", cli_api_address(cli));
    return exit_code;
}

/* ---- the barrier's key ---- */

static const struct cli_shape key_status_fields[] = {
    {"term", CLI_SHAPE_NUMBER, false, NULL},
    {"install_time", CLI_SHAPE_TEXT, false, NULL},
    {"encryptions", CLI_SHAPE_NUMBER, false, NULL},
    {0},
};

/* Go's RFC822: "02 Jan 06 15:04 UTC". */
static const char *day_of(struct cli *cli, const char *stamp)
{
    int64_t wall_ns = 0;
    struct tm parts;
    char text[16];
    if (stamp == NULL || !stamp_parse(slice_of(stamp), &wall_ns))
        return "";
    const time_t seconds = (time_t)(wall_ns / NS_PER_S);
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof text, "%d %b", &parts);
    return cli_pool_text(&cli->pool, "%s %02d %02d:%02d UTC", text, parts.tm_year % 100,
                         parts.tm_hour, parts.tm_min);
}

static int print_key_status(struct cli *cli, const char *heading)
{
    struct cli_answer answer;
    json_t *secret;
    struct cli_text_table table;
    const struct cli_call call = {.method = "GET", .path = "sys/key-status"};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error reading key status: %s", answer.error);
    const json_t *status =
        cli_shape_apply(&cli->pool, key_status_fields, json_object_get(secret, "data"));
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, status);
    if (heading != NULL)
        cli_output_line("%s\n", heading);
    cli_text_table_init(&table, 2);
    cli_text_cell(&table, "Key Term");
    cli_text_cellf(&table, "%lld", (long long)json_integer_value(json_object_get(status, "term")));
    cli_text_cell(&table, "Install Time");
    cli_text_cell(&table, day_of(cli, json_string_value(json_object_get(status, "install_time"))));
    cli_text_cell(&table, "Encryption Count");
    cli_text_cellf(&table, "%lld",
                   (long long)json_integer_value(json_object_get(status, "encryptions")));
    cli_output_table(&table, false);
    return 0;
}

static int run_key_status(struct cli *cli)
{
    return print_key_status(cli, NULL);
}

static int run_rotate(struct cli *cli)
{
    struct cli_answer answer = cli_api_call(cli, "POST", "sys/rotate", NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error rotating key: %s", answer.error);
    return print_key_status(cli, "Success! Rotated key");
}

/* ---- the table ---- */

static const struct cli_flag init_flags[] = {
    {"status", CLI_FLAG_SWITCH, NULL, "only tell whether it is initialised", NULL},
    {"key-shares", CLI_FLAG_INT, NULL, "into how many shares the root key is split (5)", "n"},
    {"key-threshold", CLI_FLAG_INT, NULL, "how many of them unseal (3)", "t"},
    {0},
};

static const struct cli_flag unseal_flags[] = {
    {"reset", CLI_FLAG_SWITCH, NULL, "forget the shares that came so far", NULL},
    {"migrate", CLI_FLAG_SWITCH, NULL, "the share is for a migration of the seal", NULL},
    {0},
};

const struct cli_command cli_operator_commands[] = {
    {"operator init", run_init, CLI_HAS_FORMAT, init_flags, 0, 0, NULL, NULL,
     "Initializes a server"},
    {"operator unseal", run_unseal, CLI_HAS_FORMAT, unseal_flags, 0, 1, NULL, "[KEY]",
     "Unseals the server with one share"},
    {"operator seal", run_seal, 0, NULL, 0, 0, NULL, NULL, "Seals the server"},
    {"operator step-down", run_step_down, 0, NULL, 0, 0, NULL, NULL, "Gives up leadership"},
    {"operator key-status", run_key_status, CLI_HAS_FORMAT, NULL, 0, 0, NULL, NULL,
     "Tells of the active encryption key"},
    {"operator rotate", run_rotate, CLI_HAS_FORMAT, NULL, 0, 0, NULL, NULL,
     "Rotates the encryption key"},
    {0},
};
