#include <stdlib.h>
#include <string.h>

#include "base/os/file.h"
#include "fakevault/core/http/field.h"
#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/commands/cli_commands.h"

static bool is_on(const struct cli *cli, const char *name)
{
    return cli_flags_get(&cli->flags, name)->number != 0;
}

static const char *text_flag(const struct cli *cli, const char *name)
{
    return cli_flags_get(&cli->flags, name)->text;
}

static const char *first_arg(struct cli *cli)
{
    return cli->arg_count == 0 ? "" : cli_pool_copy(&cli->pool, slice_trim(slice_of(cli->args[0])));
}

static json_t *body_with(struct cli *cli, const char *key, const char *value)
{
    json_t *body = cli_pool_object(&cli->pool);
    cli_pool_set(body, key, cli_pool_new_text(value));
    return body;
}

/* ---- lookup, renew, revoke ---- */

static int run_lookup(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret;
    const char *token = first_arg(cli);
    bool accessor = is_on(cli, "accessor");
    if (accessor && cli->arg_count != 1)
        return cli_output_error(CLI_EXIT_USAGE, "%s arguments with -accessor (expected 1, got %d)",
                                cli->arg_count < 1 ? "Not enough" : "Too many", cli->arg_count);
    struct cli_call call = {.method = "GET", .path = "auth/token/lookup-self"};
    if (*token != '\0')
        call = (struct cli_call){
            .method = "POST",
            .path = accessor ? "auth/token/lookup-accessor" : "auth/token/lookup",
            .body = body_with(cli, accessor ? "accessor" : "token", token),
        };
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error looking up token: %s", answer.error);
    return cli_output_secret(cli, secret);
}

static int run_renew(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret;
    const char *token = first_arg(cli);
    bool accessor = is_on(cli, "accessor");
    json_t *body = *token == '\0' ? cli_pool_object(&cli->pool)
                                  : body_with(cli, accessor ? "accessor" : "token", token);
    cli_pool_set(body, "increment", json_integer(cli_flags_get(&cli->flags, "increment")->number));
    const struct cli_call call = {
        .method = accessor && *token != '\0' ? "POST" : "PUT",
        .path = *token == '\0' ? "auth/token/renew-self"
                : accessor     ? "auth/token/renew-accessor"
                               : "auth/token/renew",
        .body = body,
    };
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error renewing token: %s", answer.error);
    return cli_output_secret(cli, secret);
}

/* NULL when the flags fit together. */
static const char *refuse_revoke(struct cli *cli)
{
    const char *mode = text_flag(cli, "mode");
    bool self = is_on(cli, "self"), accessor = is_on(cli, "accessor");
    if (*mode != '\0' && strcmp(mode, "orphan") != 0 && strcmp(mode, "path") != 0)
        return cli_pool_text(&cli->pool, "Invalid mode: %s", mode);
    if (self && cli->arg_count > 0)
        return cli_pool_text(&cli->pool, "Too many arguments with -self (expected 0, got %d)",
                             cli->arg_count);
    if (!self && cli->arg_count != 1)
        return cli_pool_text(&cli->pool, "%s arguments (expected 1 or -self, got %d)",
                             cli->arg_count < 1 ? "Not enough" : "Too many", cli->arg_count);
    if (self && accessor)
        return "Cannot use -self with -accessor!";
    if (self && *mode != '\0')
        return "Cannot use -self with -mode!";
    if (accessor && *mode != '\0')
        return cli_pool_text(&cli->pool, "Cannot use -accessor with -mode=%s!", mode);
    return NULL;
}

static struct cli_answer send_revoke(struct cli *cli)
{
    const char *token = first_arg(cli), *mode = text_flag(cli, "mode");
    if (is_on(cli, "self"))
        return cli_api_call(cli, "PUT", "auth/token/revoke-self", NULL);
    if (is_on(cli, "accessor"))
        return cli_api_call(cli, "POST", "auth/token/revoke-accessor",
                            body_with(cli, "accessor", token));
    if (strcmp(mode, "path") == 0)
        return cli_api_call(cli, "PUT",
                            cli_pool_text(&cli->pool, "sys/leases/revoke-prefix/%s", token), NULL);
    return cli_api_call(cli, "PUT",
                        *mode == '\0' ? "auth/token/revoke" : "auth/token/revoke-orphan",
                        body_with(cli, "token", token));
}

static int run_revoke(struct cli *cli)
{
    const char *refused = refuse_revoke(cli);
    if (refused != NULL)
        return cli_output_error(CLI_EXIT_USAGE, "%s", refused);
    struct cli_answer answer = send_revoke(cli);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error revoking token: %s", answer.error);
    cli_output_line("Success! Revoked token (if it existed)");
    return 0;
}

/* ---- create ---- */

static void add_text(struct cli *cli, json_t *body, const char *field, const char *flag)
{
    const char *value = text_flag(cli, flag);
    if (*value != '\0')
        cli_pool_set(body, field, cli_pool_new_text(value));
}

static void add_duration(struct cli *cli, json_t *body, const char *field, const char *flag)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 64);
    cli_text_go_duration(cli_flags_get(&cli->flags, flag)->number, &out);
    cli_pool_set(body, field, json_string(buf_text(&out)));
}

static json_t *create_request(struct cli *cli)
{
    const json_t *policies = cli_flags_get(&cli->flags, "policy")->many;
    const json_t *metadata = cli_flags_get(&cli->flags, "metadata")->many;
    bool batch = strcmp(text_flag(cli, "type"), "batch") == 0;
    json_t *body = cli_pool_object(&cli->pool);
    add_text(cli, body, "id", "id");
    if (policies != NULL)
        cli_pool_set(body, "policies", json_incref((json_t *)(uintptr_t)policies));
    if (metadata != NULL)
        cli_pool_set(body, "meta", json_incref((json_t *)(uintptr_t)metadata));
    add_duration(cli, body, "ttl", "ttl");
    add_duration(cli, body, "explicit_max_ttl", "explicit-max-ttl");
    add_duration(cli, body, "period", "period");
    if (is_on(cli, "orphan"))
        cli_pool_set(body, "no_parent", json_true());
    if (is_on(cli, "no-default-policy"))
        cli_pool_set(body, "no_default_policy", json_true());
    cli_pool_set(body, "display_name", cli_pool_new_text(text_flag(cli, "display-name")));
    cli_pool_set(body, "num_uses", json_integer(cli_flags_get(&cli->flags, "use-limit")->number));
    cli_pool_set(body, "renewable", json_boolean(!batch && is_on(cli, "renewable")));
    add_text(cli, body, "type", "type");
    cli_pool_set(body, "entity_alias", cli_pool_new_text(text_flag(cli, "entity-alias")));
    return body;
}

static int run_create(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret;
    const char *role = text_flag(cli, "role");
    const struct cli_call call = {
        .method = "POST",
        .path = *role == '\0' ? "auth/token/create"
                              : cli_pool_text(&cli->pool, "auth/token/create/%s", role),
        .body = create_request(cli),
    };
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error creating token: %s", answer.error);
    if (*text_flag(cli, "field") != '\0')
        return cli_output_field(cli, secret, text_flag(cli, "field"));
    return cli_output_secret(cli, secret);
}

/* ---- capabilities ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_capabilities(struct cli *cli, const json_t *list)
{
    size_t count = json_array_size(list), i;
    json_t *item;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4096);
    const char **names = cli_pool_bytes(&cli->pool, (count + 1) * sizeof(const char *));
    json_array_foreach(list, i, item) names[i] = json_string_value(item);
    qsort(names, count, sizeof(const char *), by_text);
    for (i = 0; i < count; i++)
        buf_addf(&line, "%s%s", i > 0 ? ", " : "", names[i]);
    cli_output_line("%s", buf_text(&line));
    return 0;
}

static int run_capabilities(struct cli *cli)
{
    struct cli_answer answer;
    json_t *secret;
    bool other = cli->arg_count == 2;
    const char *path = cli->args[cli->arg_count - 1];
    json_t *body = body_with(cli, "path", path);
    if (other)
        cli_pool_set(body, "token", cli_pool_new_text(cli->args[0]));
    const struct cli_call call = {
        .method = "POST",
        .path = other ? "sys/capabilities" : "sys/capabilities-self",
        .body = body,
    };
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error listing capabilities: %s", answer.error);
    const json_t *data = json_object_get(secret, "data");
    const json_t *list = json_object_get(data, path);
    if (list == NULL)
        list = json_object_get(data, "capabilities");
    if (!json_is_array(list))
        return cli_output_error(CLI_EXIT_USAGE, "No capabilities found");
    return cli->format == CLI_FORMAT_TABLE ? print_capabilities(cli, list)
                                           : cli_output_data(cli, list);
}

/* ---- login ---- */

static json_t *or_null(const json_t *from, const char *field)
{
    json_t *value = json_object_get(from, field);
    return value == NULL ? json_null() : json_incref(value);
}

/* What lookup-self tells, as a login would have answered it. */
static json_t *as_login(struct cli *cli, const json_t *data)
{
    json_t *auth = json_object(), *root = cli_pool_object(&cli->pool);
    cli_pool_set(auth, "client_token", or_null(data, "id"));
    cli_pool_set(auth, "accessor", or_null(data, "accessor"));
    cli_pool_set(auth, "policies", or_null(data, "policies"));
    cli_pool_set(auth, "token_policies", or_null(data, "policies"));
    cli_pool_set(auth, "identity_policies", or_null(data, "identity_policies"));
    cli_pool_set(auth, "metadata", or_null(data, "meta"));
    cli_pool_set(auth, "lease_duration", or_null(data, "ttl"));
    cli_pool_set(auth, "renewable", or_null(data, "renewable"));
    cli_pool_set(root, "auth", auth);
    return cli_shape_apply(&cli->pool, cli_shape_secret, root);
}

static int refuse_login(const char *reason)
{
    return cli_output_error(CLI_EXIT_REFUSED, "Error authenticating: %s", reason);
}

static int login_with_token(struct cli *cli, const json_t *config, json_t **secret)
{
    struct errc_why why = {""};
    struct cli_answer answer;
    const char *token = json_string_value(json_object_get(config, "token"));
    const char *wants = json_string_value(json_object_get(config, "lookup"));
    bool lookup = true;
    if (wants != NULL && !field_parse_bool(slice_of(wants), &lookup))
        return refuse_login("Failed to parse \"lookup\" as boolean");
    if (token == NULL && cli_args_hidden(cli, "Token (will be hidden): ", &token, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_REFUSED,
                                "Error authenticating: the token could not be asked for: %s. Give "
                                "\"-\" as the argument to read it from standard input.",
                                why.text);
    token = cli_pool_copy(&cli->pool, slice_trim(slice_of(token)));
    if (*token == '\0')
        return refuse_login("a token must be passed to auth, please view the help for more "
                            "information");
    if (!lookup) {
        *secret = as_login(cli, body_with(cli, "id", token));
        return 0;
    }
    cli_api_set_token(cli, token);
    const struct cli_call call = {
        .method = "GET", .path = "auth/token/lookup-self", .no_wrapping = true};
    if (!cli_api_ask(cli, &call, secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED,
                                "Error authenticating: error looking up token: %s", answer.error);
    if (*secret == NULL)
        return refuse_login("empty response from lookup-self");
    *secret = as_login(cli, json_object_get(*secret, "data"));
    return 0;
}

static int store_token(struct cli *cli, const json_t *secret)
{
    struct errc_why why = {"no home folder: set HOME"};
    const char *path = cli_api_token_file(cli);
    struct slice token = slice_of(
        json_string_value(json_object_get(json_object_get(secret, "auth"), "client_token")));
    if (path != NULL && file_replace(path, token, 0600, &why) == ERRC_OK)
        return 0;
    (void)cli_output_error(0, "Error storing token: %s", why.text);
    (void)cli_output_advice(0, "Authentication was successful, but the token was not persisted. "
                               "The resulting token is shown below for your records.\n");
    (void)cli_output_secret(cli, secret);
    return CLI_EXIT_REFUSED;
}

static void warn_of_variable(void)
{
    const char *variable = getenv("VAULT_TOKEN");
    if (variable != NULL && *variable != '\0')
        (void)cli_output_advice(
            0, "WARNING! The VAULT_TOKEN environment variable is set! The value of "
               "this variable will take precedence; if this is unwanted please unset "
               "VAULT_TOKEN or update its value accordingly.\n");
}

static int keep_token(struct cli *cli, const json_t *secret, bool token_only)
{
    if (token_only)
        return 0;
    if (is_on(cli, "no-store")) {
        (void)cli_output_advice(0,
                                "The token was not stored in token helper. Set the VAULT_TOKEN "
                                "environment variable or pass the token below with each request to "
                                "Vault.\n");
        return 0;
    }
    int exit_code = store_token(cli, secret);
    if (exit_code == 0)
        warn_of_variable();
    return exit_code;
}

static int login_config(struct cli *cli, json_t **out)
{
    struct errc_why why = {""};
    bool bare = cli->arg_count > 0 && strchr(cli->args[0], '=') == NULL;
    const char *token = bare ? cli->args[0] : "";
    if (bare && strcmp(token, "-") == 0 && cli_args_stdin(cli, &token, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Error parsing configuration: %s", why.text);
    if (cli_args_texts(cli, bare ? 1 : 0, out, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Error parsing configuration: %s", why.text);
    if (bare)
        cli_pool_set(*out, "token", cli_pool_new_text(token));
    return 0;
}

static int run_login(struct cli *cli)
{
    json_t *config = NULL, *secret = NULL;
    const char *method = cli_args_path(cli, text_flag(cli, "method"));
    bool token_only = is_on(cli, "token-only");
    const char *field = token_only ? "token" : text_flag(cli, "field");
    if (is_on(cli, "no-store") && is_on(cli, "no-print"))
        return cli_output_error(CLI_EXIT_USAGE, "-no-store and -no-print cannot be used together");
    if (*method != '\0' && strcmp(method, "token") != 0)
        return cli_output_advice(CLI_EXIT_USAGE,
                                 "Unknown auth method: %s. Use \"vault auth list\" to see the "
                                 "complete list of auth methods. Additionally, some auth methods "
                                 "are only available via the HTTP API.",
                                 method);
    int exit_code = login_config(cli, &config);
    if (exit_code == 0)
        exit_code = login_with_token(cli, config, &secret);
    if (exit_code == 0)
        exit_code = keep_token(cli, secret, token_only);
    if (exit_code != 0 || is_on(cli, "no-print"))
        return exit_code;
    if (*field != '\0')
        return cli_output_field(cli, secret, field);
    if (cli->format == CLI_FORMAT_TABLE)
        cli_output_wrapped("Success! You are now authenticated. The token information displayed "
                           "below is already stored in the token helper. You do NOT need to run "
                           "\"vault login\" again. Future Vault requests will automatically use "
                           "this token.\n");
    return cli_output_secret(cli, secret);
}

/* ---- the table ---- */

#define ACCESSOR_FLAG                                                                              \
    {                                                                                              \
        "accessor", CLI_FLAG_SWITCH, NULL, "the word is an accessor", NULL                         \
    }

static const struct cli_flag lookup_flags[] = {ACCESSOR_FLAG, {0}};

static const struct cli_flag renew_flags[] = {
    ACCESSOR_FLAG,
    {"increment", CLI_FLAG_SECONDS, NULL, "how much longer", "i"},
    {0},
};

static const struct cli_flag revoke_flags[] = {
    ACCESSOR_FLAG,
    {"self", CLI_FLAG_SWITCH, NULL, "revoke the token in use", NULL},
    {"mode", CLI_FLAG_TEXT, NULL, "orphan: leave its children; path: all below a path", NULL},
    {0},
};

static const struct cli_flag create_flags[] = {
    {"id", CLI_FLAG_TEXT, NULL, "the token itself", NULL},
    {"display-name", CLI_FLAG_TEXT, NULL, "its name", NULL},
    {"ttl", CLI_FLAG_SECONDS, NULL, "its lifetime", NULL},
    {"explicit-max-ttl", CLI_FLAG_SECONDS, NULL, "its longest lifetime", NULL},
    {"period", CLI_FLAG_SECONDS, NULL, "its lifetime after each renewal", NULL},
    {"renewable", CLI_FLAG_SWITCH, "true", "it can be renewed", NULL},
    {"orphan", CLI_FLAG_SWITCH, NULL, "it has no parent", NULL},
    {"no-default-policy", CLI_FLAG_SWITCH, NULL, "leave the default policy out", NULL},
    {"use-limit", CLI_FLAG_INT, NULL, "how often it can be used", NULL},
    {"role", CLI_FLAG_TEXT, NULL, "made by this role", NULL},
    {"type", CLI_FLAG_TEXT, "service", "service or batch", NULL},
    {"metadata", CLI_FLAG_MAP, NULL, "shown in the audit", NULL},
    {"policy", CLI_FLAG_LIST, NULL, "a policy", NULL},
    {"entity-alias", CLI_FLAG_TEXT, NULL, "alias of the entity", NULL},
    {0},
};

static const struct cli_flag login_flags[] = {
    {"method", CLI_FLAG_TEXT, "token", "the method", NULL},
    {"path", CLI_FLAG_TEXT, NULL, "where the method is mounted", NULL},
    {"no-store", CLI_FLAG_SWITCH, NULL, "do not write ~/.vault-token", NULL},
    {"no-print", CLI_FLAG_SWITCH, NULL, "print nothing", NULL},
    {"token-only", CLI_FLAG_SWITCH, NULL, "print the token alone, write nothing", NULL},
    {0},
};

const struct cli_command cli_token_commands[] = {
    {"token lookup", run_lookup, CLI_HAS_FORMAT, lookup_flags, 0, 1, NULL, "[TOKEN|ACCESSOR]",
     "Tells of a token"},
    {"token create", run_create, CLI_HAS_FIELD, create_flags, 0, 0, NULL, NULL, "Makes a token"},
    {"token renew", run_renew, CLI_HAS_FORMAT, renew_flags, 0, 1, NULL, "[TOKEN]",
     "Renews a token"},
    {"token revoke", run_revoke, 0, revoke_flags, 0, -1, NULL, "[TOKEN|ACCESSOR]",
     "Revokes a token and its children"},
    {"token capabilities", run_capabilities, CLI_HAS_FORMAT, NULL, 1, 2, "1-2", "[TOKEN] PATH",
     "Tells what a token may do"},
    {"login", run_login, CLI_HAS_FIELD, login_flags, 0, -1, NULL, "[TOKEN|-|K=V ...]",
     "Authenticate locally"},
    {0},
};
