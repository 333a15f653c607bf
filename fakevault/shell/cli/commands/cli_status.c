#include "fakevault/shell/cli/commands/cli_status.h"

#include <string.h>

#include "base/count.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/cli_shape.h"

#define NO_TIME "0001-01-01T00:00:00Z"

static const struct cli_shape fields[] = {
    {"type", CLI_SHAPE_TEXT, false, NULL},
    {"initialized", CLI_SHAPE_BOOL, false, NULL},
    {"sealed", CLI_SHAPE_BOOL, false, NULL},
    {"t", CLI_SHAPE_NUMBER, false, NULL},
    {"n", CLI_SHAPE_NUMBER, false, NULL},
    {"progress", CLI_SHAPE_NUMBER, false, NULL},
    {"nonce", CLI_SHAPE_TEXT, false, NULL},
    {"version", CLI_SHAPE_TEXT, false, NULL},
    {"build_date", CLI_SHAPE_TEXT, false, NULL},
    {"migration", CLI_SHAPE_BOOL, false, NULL},
    {"cluster_name", CLI_SHAPE_TEXT, true, NULL},
    {"cluster_id", CLI_SHAPE_TEXT, true, NULL},
    {"recovery_seal", CLI_SHAPE_BOOL, false, NULL},
    {"storage_type", CLI_SHAPE_TEXT, true, NULL},
    {"warnings", CLI_SHAPE_ANY, true, NULL},
    {"ha_enabled", CLI_SHAPE_BOOL, false, NULL},
    {"is_self", CLI_SHAPE_BOOL, true, NULL},
    {"active_time", CLI_SHAPE_TEXT, false, NULL},
    {"leader_address", CLI_SHAPE_TEXT, true, NULL},
    {"leader_cluster_address", CLI_SHAPE_TEXT, true, NULL},
    {"performance_standby", CLI_SHAPE_BOOL, true, NULL},
    {"performance_standby_last_remote_wal", CLI_SHAPE_NUMBER, true, NULL},
    {"last_wal", CLI_SHAPE_NUMBER, true, NULL},
    {"raft_committed_index", CLI_SHAPE_NUMBER, true, NULL},
    {"raft_applied_index", CLI_SHAPE_NUMBER, true, NULL},
    {0},
};

static const char *text(const json_t *status, const char *field)
{
    const char *value = json_string_value(json_object_get(status, field));
    return value == NULL ? "" : value;
}

static int64_t number(const json_t *status, const char *field)
{
    return json_integer_value(json_object_get(status, field));
}

static bool flag(const json_t *status, const char *field)
{
    return json_is_true(json_object_get(status, field));
}

static void add(struct cli_text_table *table, const char *key, const char *value)
{
    cli_text_cell(table, key);
    cli_text_cell(table, value);
}

static void add_bool(struct cli_text_table *table, const char *key, bool value)
{
    add(table, key, value ? "true" : "false");
}

static void add_number(struct cli_text_table *table, const char *key, int64_t value)
{
    cli_text_cell(table, key);
    cli_text_cellf(table, "%lld", (long long)value);
}

static void add_seal(struct cli_text_table *table, const json_t *status)
{
    bool recovery = flag(status, "recovery_seal");
    add(table, recovery ? "Recovery Seal Type" : "Seal Type", text(status, "type"));
    add_bool(table, "Initialized", flag(status, "initialized"));
    add_bool(table, "Sealed", flag(status, "sealed"));
    add_number(table, recovery ? "Total Recovery Shares" : "Total Shares", number(status, "n"));
    add_number(table, "Threshold", number(status, "t"));
    if (flag(status, "sealed")) {
        cli_text_cell(table, "Unseal Progress");
        cli_text_cellf(table, "%lld/%lld", (long long)number(status, "progress"),
                       (long long)number(status, "t"));
        add(table, "Unseal Nonce", text(status, "nonce"));
    }
    if (flag(status, "migration"))
        add_bool(table, "Seal Migration in Progress", true);
    add(table, "Version", text(status, "version"));
    add(table, "Build Date", text(status, "build_date"));
    add(table, "Storage Type", text(status, "storage_type"));
    if (*text(status, "cluster_name") != '\0' && *text(status, "cluster_id") != '\0') {
        add(table, "Cluster Name", text(status, "cluster_name"));
        add(table, "Cluster ID", text(status, "cluster_id"));
    }
}

static void add_cluster(struct cli_text_table *table, const json_t *status)
{
    bool self = flag(status, "is_self");
    const char *leader = text(status, "leader_address");
    add_bool(table, "HA Enabled", flag(status, "ha_enabled"));
    if (!flag(status, "ha_enabled") || flag(status, "sealed"))
        return;
    add(table, "HA Cluster", text(status, "leader_cluster_address"));
    add(table, "HA Mode", self ? "active" : "standby");
    if (self && strcmp(text(status, "active_time"), NO_TIME) != 0)
        add(table, "Active Since", text(status, "active_time"));
    if (!self)
        add(table, "Active Node Address", *leader == '\0' ? "<none>" : leader);
}

static void add_indexes(struct cli_text_table *table, const json_t *status)
{
    static const char *const rows[][2] = {{"raft_committed_index", "Raft Committed Index"},
                                          {"raft_applied_index", "Raft Applied Index"},
                                          {"last_wal", "Last WAL"}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (number(status, rows[i][0]) > 0)
            add_number(table, rows[i][1], number(status, rows[i][0]));
}

static json_t *merge(struct cli *cli, const json_t *seal, const json_t *leader)
{
    json_t *all = cli_shape_sorted(&cli->pool, seal);
    json_t *more = cli_shape_sorted(&cli->pool, leader);
    if (json_object_update(all, more) != 0)
        return all;
    if (*text(all, "active_time") == '\0')
        cli_pool_set(all, "active_time", json_string(NO_TIME));
    return cli_shape_apply(&cli->pool, fields, all);
}

int cli_status_print(struct cli *cli, const json_t *seal)
{
    struct cli_answer leader = cli_api_call(cli, "GET", "sys/leader", NULL);
    json_t *ha = cli_pool_object(&cli->pool);
    /* A sealed server with high availability cannot tell who leads. */
    if (leader.error != NULL && strstr(leader.error, "Vault is sealed") != NULL)
        cli_pool_set(ha, "ha_enabled", json_true());
    else if (leader.error != NULL)
        return cli_output_error(CLI_EXIT_USAGE, "Error checking leader status: %s", leader.error);
    else if (json_is_object(leader.tree))
        ha = leader.tree;
    const json_t *status = merge(cli, seal, ha);
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, status);
    struct cli_text_table table;
    cli_text_table_init(&table, 2);
    add(&table, "Key", "Value");
    add_seal(&table, status);
    add_cluster(&table, status);
    add_indexes(&table, status);
    cli_output_table(&table, true);
    return 0;
}
