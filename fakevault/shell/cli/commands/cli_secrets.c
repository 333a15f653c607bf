#include <string.h>
#include <time.h>

#include "base/count.h"
#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/commands/cli_commands.h"

static const char *text_flag(const struct cli *cli, const char *name)
{
    return cli_flags_get(&cli->flags, name)->text;
}

static bool is_on(const struct cli *cli, const char *name)
{
    return cli_flags_get(&cli->flags, name)->number != 0;
}

static const char *text(const json_t *from, const char *field)
{
    const char *value = json_string_value(json_object_get(from, field));
    return value == NULL ? "" : value;
}

/* Each entry of a listing, shaped; NULL and an error when the listing could not be had. */
static json_t *list_of(struct cli *cli, const char *path, const struct cli_shape *fields,
                       const char *failed)
{
    struct cli_answer answer;
    json_t *secret, *entry, *out = cli_pool_object(&cli->pool);
    const char *name;
    const struct cli_call call = {.method = "GET", .path = path};
    if (!cli_api_ask(cli, &call, &secret, &answer)) {
        (void)cli_output_error(0, "%s: %s", failed, answer.error);
        return NULL;
    }
    json_object_foreach(json_object_get(secret, "data"), name, entry)
        cli_pool_set(out, name, json_incref(cli_shape_apply(&cli->pool, fields, entry)));
    return out;
}

/* ---- secrets list ---- */

static const struct cli_shape config_fields[] = {
    {"default_lease_ttl", CLI_SHAPE_NUMBER, false, NULL},
    {"max_lease_ttl", CLI_SHAPE_NUMBER, false, NULL},
    {"force_no_cache", CLI_SHAPE_BOOL, false, NULL},
    {"audit_non_hmac_request_keys", CLI_SHAPE_ANY, true, NULL},
    {"audit_non_hmac_response_keys", CLI_SHAPE_ANY, true, NULL},
    {"listing_visibility", CLI_SHAPE_TEXT, true, NULL},
    {"passthrough_request_headers", CLI_SHAPE_ANY, true, NULL},
    {"allowed_response_headers", CLI_SHAPE_ANY, true, NULL},
    {"token_type", CLI_SHAPE_TEXT, true, NULL},
    {"allowed_managed_keys", CLI_SHAPE_ANY, true, NULL},
    {"user_lockout_config", CLI_SHAPE_ANY, true, NULL},
    {"plugin_name", CLI_SHAPE_TEXT, true, NULL},
    {0},
};

static const struct cli_shape mount_fields[] = {
    {"uuid", CLI_SHAPE_TEXT, false, NULL},
    {"type", CLI_SHAPE_TEXT, false, NULL},
    {"description", CLI_SHAPE_TEXT, false, NULL},
    {"accessor", CLI_SHAPE_TEXT, false, NULL},
    {"config", CLI_SHAPE_STRUCT, false, config_fields},
    {"options", CLI_SHAPE_ANY, false, NULL},
    {"local", CLI_SHAPE_BOOL, false, NULL},
    {"seal_wrap", CLI_SHAPE_BOOL, false, NULL},
    {"external_entropy_access", CLI_SHAPE_BOOL, false, NULL},
    {"plugin_version", CLI_SHAPE_TEXT, false, NULL},
    {"running_plugin_version", CLI_SHAPE_TEXT, false, NULL},
    {"running_sha256", CLI_SHAPE_TEXT, false, NULL},
    {"deprecation_status", CLI_SHAPE_TEXT, false, NULL},
    {0},
};

static void add_value(struct cli *cli, struct cli_text_table *table, const json_t *value)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1u << 20);
    if (json_is_null(value))
        buf_add_text(&out, "map[]");
    else
        cli_text_value(NULL, value, &out);
    (void)cli;
    cli_text_cell(table, buf_text(&out));
}

static void add_ttl(struct cli_text_table *table, const json_t *mount, const char *field)
{
    const char *type = text(mount, "type");
    long long ttl = json_integer_value(json_object_get(json_object_get(mount, "config"), field));
    if (strcmp(type, "system") == 0 || strcmp(type, "cubbyhole") == 0)
        cli_text_cell(table, "");
    else if (ttl == 0)
        cli_text_cell(table, "system");
    else
        cli_text_cellf(table, "%lld", ttl);
}

static void add_detailed_mount(struct cli *cli, struct cli_text_table *table, const char *path,
                               const json_t *mount)
{
    static const char *const tail[] = {"description",    "uuid",
                                       "plugin_version", "running_plugin_version",
                                       "running_sha256", "deprecation_status"};
    const json_t *config = json_object_get(mount, "config");
    cli_text_cell(table, path);
    cli_text_cell(table, text(mount, "type"));
    cli_text_cell(table, text(mount, "accessor"));
    add_ttl(table, mount, "default_lease_ttl");
    add_ttl(table, mount, "max_lease_ttl");
    add_value(cli, table, json_object_get(config, "force_no_cache"));
    cli_text_cell(table, json_is_true(json_object_get(mount, "local")) ? "local" : "replicated");
    add_value(cli, table, json_object_get(mount, "seal_wrap"));
    add_value(cli, table, json_object_get(mount, "external_entropy_access"));
    add_value(cli, table, json_object_get(mount, "options"));
    for (size_t i = 0; i < COUNT(tail); i++)
        cli_text_cell(table, text(mount, tail[i]));
}

static void add_heading(struct cli_text_table *table, const char *const names[], size_t count)
{
    cli_text_table_init(table, count);
    for (size_t i = 0; i < count; i++)
        cli_text_cell(table, names[i]);
}

static int run_list(struct cli *cli)
{
    static const char *const few[] = {"Path", "Type", "Accessor", "Description"};
    static const char *const all[] = {"Path",
                                      "Plugin",
                                      "Accessor",
                                      "Default TTL",
                                      "Max TTL",
                                      "Force No Cache",
                                      "Replication",
                                      "Seal Wrap",
                                      "External Entropy Access",
                                      "Options",
                                      "Description",
                                      "UUID",
                                      "Version",
                                      "Running Version",
                                      "Running SHA256",
                                      "Deprecation Status"};
    struct cli_text_table table;
    const char *path;
    json_t *mount;
    json_t *mounts = list_of(cli, "sys/mounts", mount_fields, "Error listing secrets engines");
    if (mounts == NULL)
        return CLI_EXIT_REFUSED;
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, mounts);
    add_heading(&table, cli->detailed ? all : few, cli->detailed ? 16 : 4);
    json_object_foreach(mounts, path, mount)
    {
        if (cli->detailed) {
            add_detailed_mount(cli, &table, path, mount);
            continue;
        }
        cli_text_cell(&table, path);
        for (size_t i = 0; i < 3; i++)
            cli_text_cell(&table,
                          text(mount, (const char *[]){"type", "accessor", "description"}[i]));
    }
    cli_output_table(&table, true);
    return 0;
}

/* ---- enable and tune ---- */

/* Flags that are sent only when they are given, and the field that each becomes. */
static const struct {
    const char *flag, *field;
} optional_fields[] = {
    {"audit-non-hmac-request-keys", "audit_non_hmac_request_keys"},
    {"audit-non-hmac-response-keys", "audit_non_hmac_response_keys"},
    {"listing-visibility", "listing_visibility"},
    {"passthrough-request-headers", "passthrough_request_headers"},
    {"allowed-response-headers", "allowed_response_headers"},
    {"allowed-managed-keys", "allowed_managed_keys"},
    {"plugin-version", "plugin_version"},
};

static void add_optional(const struct cli *cli, json_t *config)
{
    for (size_t i = 0; i < COUNT(optional_fields); i++) {
        const struct cli_flag_value *value = cli_flags_find(&cli->flags, optional_fields[i].flag);
        if (value->set)
            cli_pool_set(config, optional_fields[i].field,
                         value->many != NULL ? json_incref(value->many)
                                             : cli_pool_new_text(value->text));
    }
}

static json_t *options_of(struct cli *cli)
{
    json_t *options = cli_flags_get(&cli->flags, "options")->many;
    int64_t version = cli_flags_get(&cli->flags, "version")->number;
    if (version > 0) {
        options = options == NULL ? cli_pool_object(&cli->pool) : options;
        cli_pool_set(options, "version",
                     json_string(cli_pool_text(&cli->pool, "%lld", (long long)version)));
    }
    return options == NULL ? json_null() : json_incref(options);
}

static json_t *duration(struct cli *cli, const char *flag)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 64);
    cli_text_go_duration(cli_flags_get(&cli->flags, flag)->number, &out);
    return json_string(buf_text(&out));
}

static json_t *mount_request(struct cli *cli, const char *type)
{
    json_t *body = cli_pool_object(&cli->pool), *config = json_object();
    cli_pool_set(config, "options", json_null());
    cli_pool_set(config, "default_lease_ttl", duration(cli, "default-lease-ttl"));
    cli_pool_set(config, "max_lease_ttl", duration(cli, "max-lease-ttl"));
    cli_pool_set(config, "force_no_cache", json_boolean(is_on(cli, "force-no-cache")));
    add_optional(cli, config);
    cli_pool_set(body, "type", cli_pool_new_text(type));
    cli_pool_set(body, "description", cli_pool_new_text(text_flag(cli, "description")));
    cli_pool_set(body, "config", config);
    cli_pool_set(body, "local", json_boolean(is_on(cli, "local")));
    cli_pool_set(body, "seal_wrap", json_boolean(is_on(cli, "seal-wrap")));
    cli_pool_set(body, "external_entropy_access",
                 json_boolean(is_on(cli, "external-entropy-access")));
    cli_pool_set(body, "options", options_of(cli));
    return body;
}

static int run_enable(struct cli *cli)
{
    const char *type = cli_pool_copy(&cli->pool, slice_trim(slice_of(cli->args[0])));
    if (strcmp(type, "plugin") == 0)
        type = text_flag(cli, "plugin-name");
    const char *path = text_flag(cli, "path");
    path = cli_args_folder(cli, *path == '\0' ? type : path);
    struct cli_answer answer = cli_api_call(
        cli, "POST", cli_pool_text(&cli->pool, "sys/mounts/%s", path), mount_request(cli, type));
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error enabling: %s", answer.error);
    cli_output_line("Success! Enabled the %s secrets engine at: %s", type, path);
    return 0;
}

/* A lifetime that is not given is not sent; a negative one means the system's. */
static json_t *tuned_ttl(struct cli *cli, const char *flag)
{
    int64_t seconds = cli_flags_get(&cli->flags, flag)->number;
    return seconds == 0  ? json_string("")
           : seconds < 0 ? json_string("system")
                         : duration(cli, flag);
}

static int run_tune(struct cli *cli)
{
    const char *path = cli_args_folder(cli, cli_args_path(cli, cli->args[0]));
    json_t *body = cli_pool_object(&cli->pool);
    cli_pool_set(body, "options", options_of(cli));
    cli_pool_set(body, "default_lease_ttl", tuned_ttl(cli, "default-lease-ttl"));
    if (cli_flags_get(&cli->flags, "description")->set)
        cli_pool_set(body, "description", cli_pool_new_text(text_flag(cli, "description")));
    cli_pool_set(body, "max_lease_ttl", tuned_ttl(cli, "max-lease-ttl"));
    cli_pool_set(body, "force_no_cache", json_false());
    add_optional(cli, body);
    struct cli_answer answer =
        cli_api_call(cli, "POST", cli_pool_text(&cli->pool, "sys/mounts/%stune", path), body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error tuning secrets engine %s: %s", path,
                                answer.error);
    cli_output_line("Success! Tuned the secrets engine at: %s", path);
    return 0;
}

/* ---- disable and move ---- */

static int run_disable(struct cli *cli)
{
    const char *path = cli_args_folder(cli, cli_args_path(cli, cli->args[0]));
    struct cli_answer answer =
        cli_api_call(cli, "DELETE", cli_pool_text(&cli->pool, "sys/mounts/%s", path), NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error disabling secrets engine at %s: %s", path,
                                answer.error);
    cli_output_line("Success! Disabled the secrets engine (if it existed) at: %s", path);
    return 0;
}

#define MOVE_POLLS_MAX 600

/* Follows a move to its end. */
static int await_move(struct cli *cli, const char *from, const char *to, const char *id)
{
    const struct timespec second = {.tv_sec = 1};
    const char *path = cli_pool_text(&cli->pool, "sys/remount/status/%s", id);
    for (int i = 0; i < MOVE_POLLS_MAX; i++) {
        struct cli_answer answer = cli_api_call(cli, "GET", path, NULL);
        if (answer.error != NULL)
            return cli_output_error(CLI_EXIT_REFUSED,
                                    "Error checking migration status of secrets engine %s to %s: "
                                    "%s",
                                    from, to, answer.error);
        const json_t *info =
            json_object_get(json_object_get(answer.tree, "data"), "migration_info");
        if (strcmp(text(info, "status"), "success") == 0) {
            cli_output_line("Success! Finished moving secrets engine %s to %s, with migration ID "
                            "%s",
                            from, to, id);
            return 0;
        }
        if (strcmp(text(info, "status"), "failure") == 0)
            return cli_output_error(0,
                                    "Failure! Error encountered moving secrets engine %s to %s, "
                                    "with migration ID %s",
                                    from, to, id);
        (void)nanosleep(&second, NULL);
    }
    return cli_output_error(CLI_EXIT_REFUSED, "The move did not end, migration ID %s", id);
}

static int run_move(struct cli *cli)
{
    const char *from = cli_args_folder(cli, cli->args[0]);
    const char *to = cli_args_folder(cli, cli->args[1]);
    json_t *body = cli_pool_object(&cli->pool);
    cli_pool_set(body, "from", cli_pool_new_text(from));
    cli_pool_set(body, "to", cli_pool_new_text(to));
    struct cli_answer answer = cli_api_call(cli, "POST", "sys/remount", body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error moving secrets engine %s to %s: %s", from,
                                to, answer.error);
    const char *id = text(json_object_get(answer.tree, "data"), "migration_id");
    cli_output_line("Started moving secrets engine %s to %s, with migration ID %s", from, to, id);
    return await_move(cli, from, to, id);
}

/* ---- audit ---- */

static const struct cli_shape audit_fields[] = {
    {"type", CLI_SHAPE_TEXT, false, NULL},   {"description", CLI_SHAPE_TEXT, false, NULL},
    {"options", CLI_SHAPE_ANY, false, NULL}, {"local", CLI_SHAPE_BOOL, false, NULL},
    {"path", CLI_SHAPE_TEXT, false, NULL},   {0},
};

static int run_audit_enable(struct cli *cli)
{
    struct errc_why why = {""};
    json_t *options, *body = cli_pool_object(&cli->pool);
    if (cli->arg_count < 1)
        return cli_output_error(CLI_EXIT_USAGE, "Error enabling audit device: audit type missing. "
                                                "Valid types include 'file', 'socket' and "
                                                "'syslog'.");
    const char *type = cli_pool_copy(&cli->pool, slice_trim(slice_of(cli->args[0])));
    const char *path = text_flag(cli, "path");
    path = cli_args_folder(cli, *path == '\0' ? type : path);
    if (cli_args_texts(cli, 1, &options, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse K=V data: %s", why.text);
    cli_pool_set(body, "type", cli_pool_new_text(type));
    cli_pool_set(body, "description", cli_pool_new_text(text_flag(cli, "description")));
    cli_pool_set(body, "options", json_incref(options));
    cli_pool_set(body, "local", json_boolean(is_on(cli, "local")));
    struct cli_answer answer =
        cli_api_call(cli, "PUT", cli_pool_text(&cli->pool, "sys/audit/%s", path), body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error enabling audit device: %s", answer.error);
    cli_output_line("Success! Enabled the %s audit device at: %s", type, path);
    return 0;
}

static void add_audit_details(struct cli *cli, struct cli_text_table *table, const json_t *device)
{
    struct buf options CLEANUP(buf_done);
    const char *key;
    json_t *value, *all = cli_shape_sorted(&cli->pool, json_object_get(device, "options"));
    buf_init(&options, 1u << 20);
    json_object_foreach(all, key, value)
        buf_addf(&options, "%s%s=%s", options.len > 0 ? " " : "", key, json_string_value(value));
    cli_text_cell(table, json_is_true(json_object_get(device, "local")) ? "local" : "replicated");
    cli_text_cell(table, buf_text(&options));
}

static int run_audit_list(struct cli *cli)
{
    static const char *const names[] = {"Path", "Type", "Description", "Replication", "Options"};
    struct cli_text_table table;
    const char *path;
    json_t *device;
    json_t *devices = list_of(cli, "sys/audit", audit_fields, "Error listing audits");
    if (devices == NULL)
        return CLI_EXIT_REFUSED;
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, devices);
    if (json_object_size(devices) == 0) {
        cli_output_line("No audit devices are enabled.");
        return CLI_EXIT_REFUSED;
    }
    add_heading(&table, names, cli->detailed ? 5 : 3);
    json_object_foreach(devices, path, device)
    {
        cli_text_cell(&table, path);
        cli_text_cell(&table, text(device, "type"));
        cli_text_cell(&table, text(device, "description"));
        if (cli->detailed)
            add_audit_details(cli, &table, device);
    }
    cli_output_table(&table, true);
    return 0;
}

static int run_audit_disable(struct cli *cli)
{
    const char *path = cli_args_folder(cli, cli_args_path(cli, cli->args[0]));
    struct cli_answer answer =
        cli_api_call(cli, "DELETE", cli_pool_text(&cli->pool, "sys/audit/%s", path), NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error disabling audit device: %s", answer.error);
    cli_output_line("Success! Disabled audit device (if it was enabled) at: %s", path);
    return 0;
}

/* ---- the table ---- */

#define TUNING_FLAGS                                                                               \
    {"description", CLI_FLAG_TEXT, NULL, "what it is for", NULL},                                  \
        {"default-lease-ttl", CLI_FLAG_SECONDS, NULL, "default lifetime of its leases", NULL},     \
        {"max-lease-ttl", CLI_FLAG_SECONDS, NULL, "longest lifetime of its leases", NULL},         \
        {"audit-non-hmac-request-keys", CLI_FLAG_LIST, NULL, "shown as they are in the audit",     \
         NULL},                                                                                    \
        {"audit-non-hmac-response-keys", CLI_FLAG_LIST, NULL, "the same for answers", NULL},       \
        {"listing-visibility", CLI_FLAG_TEXT, NULL, "hidden or unauth", NULL},                     \
        {"passthrough-request-headers", CLI_FLAG_LIST, NULL, "headers that the engine sees",       \
         NULL},                                                                                    \
        {"allowed-response-headers", CLI_FLAG_LIST, NULL, "headers that the engine may set",       \
         NULL},                                                                                    \
        {"allowed-managed-keys", CLI_FLAG_LIST, NULL, "managed keys of the engine", NULL},         \
        {"plugin-version", CLI_FLAG_TEXT, NULL, "version of the plugin", NULL},                    \
        {"options", CLI_FLAG_MAP, NULL, "options of the mount", NULL},                             \
    {                                                                                              \
        "version", CLI_FLAG_INT, NULL, "version of the engine (kv: 1 or 2)", NULL                  \
    }

static const struct cli_flag enable_flags[] = {
    TUNING_FLAGS,
    {"path", CLI_FLAG_TEXT, NULL, "where to mount it (its type)", NULL},
    {"force-no-cache", CLI_FLAG_SWITCH, NULL, "cache nothing", NULL},
    {"plugin-name", CLI_FLAG_TEXT, NULL, "name of the plugin", NULL},
    {"local", CLI_FLAG_SWITCH, NULL, "do not replicate it", NULL},
    {"seal-wrap", CLI_FLAG_SWITCH, NULL, "wrap its values with the seal", NULL},
    {"external-entropy-access", CLI_FLAG_SWITCH, NULL, "let it use external entropy", NULL},
    {0},
};

static const struct cli_flag tune_flags[] = {TUNING_FLAGS, {0}};

static const struct cli_flag audit_flags[] = {
    {"description", CLI_FLAG_TEXT, NULL, "what it is for", NULL},
    {"path", CLI_FLAG_TEXT, NULL, "its name (its type)", NULL},
    {"local", CLI_FLAG_SWITCH, NULL, "do not replicate it", NULL},
    {0},
};

const struct cli_command cli_secrets_commands[] = {
    {"secrets list", run_list, CLI_HAS_DETAILED, NULL, 0, 0, NULL, NULL, "Lists the mounts"},
    {"secrets enable", run_enable, 0, enable_flags, 1, 1, NULL, "TYPE", "Mounts an engine"},
    {"secrets tune", run_tune, 0, tune_flags, 1, 1, NULL, "PATH", "Changes a mount's settings"},
    {"secrets disable", run_disable, 0, NULL, 1, 1, NULL, "PATH",
     "Unmounts an engine, with all that is in it"},
    {"secrets move", run_move, 0, NULL, 2, 2, NULL, "FROM TO", "Gives a mount another path"},
    {"audit list", run_audit_list, CLI_HAS_DETAILED, NULL, 0, 0, NULL, NULL,
     "Lists the audit devices"},
    {"audit enable", run_audit_enable, 0, audit_flags, 0, -1, NULL, "TYPE [K=V ...]",
     "Enables an audit device"},
    {"audit disable", run_audit_disable, 0, NULL, 1, 1, NULL, "PATH", "Disables an audit device"},
    {0},
};
