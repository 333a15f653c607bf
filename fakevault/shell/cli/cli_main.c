#include "fakevault/shell/cli/cli_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "base/dispatch.h"
#include "fakevault/shell/cli/cli.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/commands/cli_commands.h"
#include "fakevault/shell/server.h"

#define HELP_MAX (64u << 10)
#define COLUMN_GAP 6

static const struct cli_flag http_flags[] = {
    {"address", CLI_FLAG_TEXT, NULL, "the server (VAULT_ADDR, https://127.0.0.1:8200)", NULL},
    {"agent-address", CLI_FLAG_TEXT, NULL, "an agent in front of it (VAULT_AGENT_ADDR)", NULL},
    {"ca-cert", CLI_FLAG_TEXT, NULL, "file of the CA that signed its certificate (VAULT_CACERT)",
     NULL},
    {"ca-path", CLI_FLAG_TEXT, NULL, "folder of such CAs (VAULT_CAPATH)", NULL},
    {"client-cert", CLI_FLAG_TEXT, NULL, "our own certificate (VAULT_CLIENT_CERT)", NULL},
    {"client-key", CLI_FLAG_TEXT, NULL, "and its key (VAULT_CLIENT_KEY)", NULL},
    {"disable-redirects", CLI_FLAG_SWITCH, NULL, "follow no redirect", NULL},
    {"header", CLI_FLAG_MAP, NULL, "one more header of each request", NULL},
    {"namespace", CLI_FLAG_TEXT, NULL, "sent as X-Vault-Namespace (VAULT_NAMESPACE)", NULL},
    {"non-interactive", CLI_FLAG_SWITCH, NULL, "accepted, nothing is asked", NULL},
    {"ns", CLI_FLAG_TEXT, NULL, "the same as -namespace", NULL},
    {"tls-skip-verify", CLI_FLAG_SWITCH, NULL, "take any certificate (VAULT_SKIP_VERIFY)", NULL},
    {"wrap-ttl", CLI_FLAG_SECONDS, NULL, "have the answer wrapped (VAULT_WRAP_TTL)", NULL},
    {0},
};

static const struct cli_flag format_flags[] = {
    {"format", CLI_FLAG_TEXT, NULL, "table, json, yaml, raw (VAULT_FORMAT)", NULL},
    {0},
};

static const struct cli_flag field_flags[] = {
    {"format", CLI_FLAG_TEXT, NULL, "table, json, yaml, raw (VAULT_FORMAT)", NULL},
    {"field", CLI_FLAG_TEXT, NULL, "print this field alone", NULL},
    {0},
};

static const struct cli_flag detailed_flags[] = {
    {"format", CLI_FLAG_TEXT, NULL, "table, json, yaml, raw (VAULT_FORMAT)", NULL},
    {"detailed", CLI_FLAG_SWITCH, NULL, "show what the server tells of each entry", NULL},
    {0},
};

/* Adding a topic is one line; adding a command is one row in its topic's table. */
static const struct cli_command *const topics[] = {
    cli_logical_commands,     cli_system_commands,  cli_operator_commands,
    cli_rekey_commands,       cli_secrets_commands, cli_kv_commands,
    cli_kv_metadata_commands, cli_token_commands,   cli_policy_commands,
};

/* What `vault` lists, also what this one cannot do; scripts compare the list. */
struct overview {
    const char *name, *says;
};

static const struct overview common_commands[] = {
    {"read", "Read data and retrieves secrets"},
    {"write", "Write data, configuration, and secrets"},
    {"delete", "Delete secrets and configuration"},
    {"list", "List data or secrets"},
    {"login", "Authenticate locally"},
    {"agent", "Start a Vault agent"},
    {"server", "Start a Vault server"},
    {"status", "Print seal and HA status"},
    {"unwrap", "Unwrap a wrapped secret"},
    {NULL, NULL},
};

static const struct overview other_commands[] = {
    {"audit", "Interact with audit devices"},
    {"auth", "Interact with auth methods"},
    {"debug", "Runs the debug command"},
    {"events", ""},
    {"kv", "Interact with Vault's Key-Value storage"},
    {"lease", "Interact with leases"},
    {"monitor", "Stream log messages from a Vault server"},
    {"namespace", "Interact with namespaces"},
    {"operator", "Perform operator-specific tasks"},
    {"patch", "Patch data, configuration, and secrets"},
    {"path-help", "Retrieve API help for paths"},
    {"pki", "Interact with Vault's PKI Secrets Engine"},
    {"plugin", "Interact with Vault plugins and catalog"},
    {"policy", "Interact with policies"},
    {"print", "Prints runtime configurations"},
    {"proxy", "Start a Vault Proxy"},
    {"secrets", "Interact with secrets engines"},
    {"ssh", "Initiate an SSH session"},
    {"token", "Interact with tokens"},
    {"transform", "Interact with Vault's Transform Secrets Engine"},
    {"transit", "Interact with Vault's Transit Secrets Engine"},
    {"version-history", "Prints the version history of the target Vault server"},
    {NULL, NULL},
};

/* ---- finding the command ---- */

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "--help") == 0;
}

static bool is_version(const char *word)
{
    return strcmp(word, "-v") == 0 || strcmp(word, "-version") == 0 ||
           strcmp(word, "--version") == 0;
}

static const struct cli_command *find(int argc, char *const argv[], int *words)
{
    const struct cli_command *best = NULL;
    *words = 0;
    for (size_t i = 0; i < COUNT(topics); i++)
        for (const struct cli_command *c = topics[i]; c->name != NULL; c++) {
            int n = (int)dispatch_matches(c->name, (const char *const *)argv, (size_t)argc);
            if (n > *words) {
                *words = n;
                best = c;
            }
        }
    return best;
}

/* ---- help ---- */

static void add_overview(struct buf *out, const struct overview *rows)
{
    size_t width = 0;
    for (const struct overview *row = rows; row->name != NULL; row++)
        width = strlen(row->name) > width ? strlen(row->name) : width;
    for (; rows->name != NULL; rows++)
        buf_addf(out, "    %-*s%s\n", (int)width + COLUMN_GAP, rows->name, rows->says);
}

static int print_usage(FILE *out, int exit_code)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, HELP_MAX);
    buf_add_text(&text, "Usage: vault <command> [args]\n\nCommon commands:\n");
    add_overview(&text, common_commands);
    buf_add_text(&text, "\nOther commands:\n");
    add_overview(&text, other_commands);
    (void)fputs(buf_text(&text), out);
    return exit_code;
}

static int print_help(const struct cli *cli)
{
    const struct cli_command *c = cli->command;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, HELP_MAX);
    buf_addf(&text, "Usage: vault %s [flags]%s%s\n\n  %s.\n\nFlags of the command:\n", c->name,
             c->usage == NULL ? "" : " ", c->usage == NULL ? "" : c->usage, c->help);
    cli_flags_help(c->flags, &text);
    cli_flags_help(cli->flags.tables[1], &text);
    buf_add_text(&text, "\nFlags of every command:\n");
    cli_flags_help(http_flags, &text);
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

/* The commands below a group ("kv", "operator"). Returns false when there are none. */
static bool add_group(struct buf *out, struct slice group)
{
    bool any = false;
    for (size_t i = 0; i < COUNT(topics); i++)
        for (const struct cli_command *c = topics[i]; c->name != NULL; c++) {
            struct slice name = slice_of(c->name);
            if (!slice_starts_with(name, group.ptr) || name.len <= group.len ||
                name.ptr[group.len] != ' ')
                continue;
            buf_addf(out, "    %-19s%s\n", name.ptr + group.len + 1, c->help);
            any = true;
        }
    return any;
}

static bool is_listed(const char *word)
{
    const struct overview *const lists[] = {common_commands, other_commands};
    for (size_t i = 0; i < 2; i++)
        for (const struct overview *row = lists[i]; row->name != NULL; row++)
            if (strcmp(row->name, word) == 0)
                return true;
    return false;
}

static int without_command(int argc, char *const argv[])
{
    bool helps = argc > 0 && is_help(argv[argc - 1]);
    int words = argc - helps;
    int exit_code = helps ? 0 : CLI_EXIT_NO_COMMAND;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, HELP_MAX);
    if (words == 0 || !is_listed(argv[0]))
        return print_usage(helps ? stdout : stderr, exit_code);
    exit_code = helps ? 0 : CLI_EXIT_USAGE;
    buf_addf(&text, "Usage: vault %s <subcommand> [flags] [args]\n\nSubcommands:\n", argv[0]);
    if (!add_group(&text, slice_of(argv[0])))
        return cli_output_error(CLI_EXIT_USAGE, "vault %s: fakevault does not have this command",
                                argv[0]);
    (void)fputs(buf_text(&text), helps ? stdout : stderr);
    return exit_code;
}

/* ---- running it ---- */

static const struct {
    const char *name;
    enum cli_format format;
} formats[] = {
    {"table", CLI_FORMAT_TABLE}, {"json", CLI_FORMAT_JSON}, {"yaml", CLI_FORMAT_YAML},
    {"yml", CLI_FORMAT_YAML},    {"raw", CLI_FORMAT_RAW},
};

static bool parse_format(const char *text, enum cli_format *out)
{
    for (size_t i = 0; i < COUNT(formats); i++)
        if (strcasecmp(formats[i].name, text) == 0) {
            *out = formats[i].format;
            return true;
        }
    return false;
}

/* -format counts wherever it stands, as in Vault. */
static const char *format_of(int argc, char *const argv[])
{
    const char *variable = getenv("VAULT_FORMAT");
    const char *format = variable == NULL || *variable == '\0' ? "table" : variable;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        if (*word != '-')
            continue;
        word += 1 + (word[1] == '-');
        if (strncmp(word, "format=", 7) == 0)
            format = word + 7;
        else if (strcmp(word, "format") == 0 && i + 1 < argc)
            format = argv[++i];
    }
    return format;
}

static bool wants_details(int argc, char *const argv[])
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "-detailed") == 0 || strcmp(argv[i], "--detailed") == 0 ||
            strcmp(argv[i], "-detailed=true") == 0)
            return true;
    return false;
}

/* Flags behind a positional word are data, which people often do not mean. */
static void warn_of_late_flags(const struct cli *cli)
{
    struct buf late CLEANUP(buf_done);
    buf_init(&late, HELP_MAX);
    for (int i = 0; i < cli->arg_count; i++) {
        const char *arg = cli->args[i];
        const char *name = arg + strspn(arg, "-");
        if (arg[0] != '-' || arg[1] == '\0' || strncmp(name, "format", 6) == 0 ||
            strncmp(name, "detailed", 8) == 0)
            continue;
        buf_addf(&late, "%s%s", late.len > 0 ? "," : "", arg);
    }
    if (late.len > 0 && cli->format == CLI_FORMAT_TABLE)
        cli_output_warning("Command flags must be provided before positional arguments. The "
                           "following arguments will not be parsed as flags: [%s]",
                           buf_text(&late));
}

static int count_args(const struct cli *cli)
{
    const struct cli_command *c = cli->command;
    const char *few = c->args_missing;
    if (cli->arg_count < c->args_min && few != NULL)
        return cli_output_error(CLI_EXIT_USAGE, "Not enough arguments (expected %s, got %d)", few,
                                cli->arg_count);
    if (cli->arg_count < c->args_min)
        return cli_output_error(CLI_EXIT_USAGE, "Not enough arguments (expected %d, got %d)",
                                c->args_min, cli->arg_count);
    if (c->args_max < 0 || cli->arg_count <= c->args_max)
        return 0;
    if (c->args_min < c->args_max)
        return cli_output_error(CLI_EXIT_USAGE, "Too many arguments (expected %d-%d, got %d)",
                                c->args_min, c->args_max, cli->arg_count);
    return cli_output_error(CLI_EXIT_USAGE, "Too many arguments (expected %d, got %d)", c->args_max,
                            cli->arg_count);
}

static const struct cli_flag *output_flags(unsigned has)
{
    if ((has & CLI_HAS_FIELD) == CLI_HAS_FIELD)
        return field_flags;
    if ((has & CLI_HAS_DETAILED) == CLI_HAS_DETAILED)
        return detailed_flags;
    return (has & CLI_HAS_FORMAT) != 0 ? format_flags : NULL;
}

static int run_command(struct cli *cli, int argc, char *const argv[])
{
    struct errc_why why = {""};
    int used = 0;
    cli->flags.tables[0] = cli->command->flags;
    cli->flags.tables[1] = output_flags(cli->command->has);
    cli->flags.tables[2] = http_flags;
    enum errc code = cli_flags_parse(&cli->flags, &cli->pool, argc, argv, &used, &why);
    cli->args = argv + used;
    cli->arg_count = argc - used;
    if (code == ERRC_NOT_FOUND)
        return print_help(cli);
    if (code != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "%s", why.text);
    warn_of_late_flags(cli);
    if (cli->format == CLI_FORMAT_RAW && (cli->command->has & CLI_HAS_RAW) == 0)
        return cli_output_error(CLI_EXIT_USAGE,
                                "This command does not support the -format=raw option.");
    int wrong = count_args(cli);
    if (wrong != 0)
        return wrong;
    const char *refused = cli_api_refused(cli);
    if (refused == NULL)
        return cli->command->run(cli);
    bool sealed = (cli->command->has & CLI_TWO_IS_SEALED) != 0;
    return cli_output_error(sealed ? CLI_EXIT_USAGE : CLI_EXIT_REFUSED, "%s", refused);
}

static int dispatch(struct cli *cli, int argc, char *const argv[])
{
    static char version[] = "version";
    static char *const asks_version[] = {version, NULL};
    const char *format = format_of(argc, argv);
    int words = 0;
    if (argc == 1 && is_version(argv[0]))
        argv = asks_version;
    if (!parse_format(format, &cli->format))
        return cli_output_error(CLI_EXIT_USAGE, "Invalid output format: %s", format);
    cli->detailed = wants_details(argc, argv);
    cli->command = find(argc, argv, &words);
    if (cli->command == NULL)
        return without_command(argc, argv);
    for (int i = words; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i])) {
            cli->flags.tables[1] = output_flags(cli->command->has);
            return print_help(cli);
        }
    return run_command(cli, argc - words, argv + words);
}

int cli_run(int argc, char *const argv[])
{
    struct cli cli = {0};
    if (argc > 0 && strcmp(argv[0], "server") == 0)
        return server_run_as_vault(argc - 1, argv + 1);
    int exit_code = dispatch(&cli, argc, argv);
    cli_pool_done(&cli.pool);
    return fflush(stdout) == 0 ? exit_code : CLI_EXIT_USAGE;
}

bool cli_is_vault(const char *program)
{
    const char *slash = strrchr(program, '/');
    return strcmp(slash == NULL ? program : slash + 1, "vault") == 0;
}
