#include <stdlib.h>
#include <string.h>

#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/commands/cli_commands.h"
#include "fakevault/shell/cli/commands/cli_kv_place.h"

static int find_metadata(struct cli *cli, const char **path)
{
    struct cli_kv_place place;
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    if (!place.v2)
        return cli_output_error(CLI_EXIT_USAGE, "Metadata not supported on KV Version 1");
    *path = cli_kv_place_path(cli, &place, "metadata");
    return 0;
}

static int by_number(const void *a, const void *b)
{
    long x = strtol(*(const char *const *)a, NULL, 10);
    long y = strtol(*(const char *const *)b, NULL, 10);
    return (x > y) - (x < y);
}

static void print_versions(struct cli *cli, json_t *versions)
{
    size_t count = 0;
    const char *key;
    json_t *version;
    const char **keys =
        cli_pool_bytes(&cli->pool, (json_object_size(versions) + 1) * sizeof(const char *));
    json_object_foreach(versions, key, version) keys[count++] = key;
    qsort(keys, count, sizeof(const char *), by_number);
    for (size_t i = 0; i < count; i++) {
        version = json_object_get(versions, keys[i]);
        cli_output_line("%s", "");
        cli_kv_place_title(cli_pool_text(&cli->pool, "Version %s", keys[i]), version);
        (void)cli_output_data(cli, version);
    }
}

static int run_metadata_get(struct cli *cli)
{
    const char *path = NULL;
    json_t *secret = NULL;
    int exit_code = find_metadata(cli, &path);
    if (exit_code == 0)
        exit_code = cli_kv_place_read(cli, path, 0, "Error reading", &secret);
    if (exit_code != 0)
        return exit_code;
    if (json_is_object(json_object_get(secret, "wrap_info")) || cli->format != CLI_FORMAT_TABLE)
        return cli_output_secret(cli, secret);
    json_t *data = json_object_get(secret, "data");
    json_t *versions = json_object_get(data, "versions");
    if (!json_is_object(versions))
        return cli_kv_place_empty(path);
    versions = cli_shape_sorted(&cli->pool, versions);
    (void)json_object_del(data, "versions");
    cli_kv_place_show("Metadata Path", path);
    cli_kv_place_title("Metadata", data);
    (void)cli_output_secret(cli, secret);
    print_versions(cli, versions);
    return 0;
}

static json_t *metadata_body(struct cli *cli)
{
    const struct cli_flags *flags = &cli->flags;
    json_t *body = cli_pool_object(&cli->pool);
    const struct cli_flag_value *after = cli_flags_get(flags, "delete-version-after");
    const struct cli_flag_value *required = cli_flags_get(flags, "cas-required");
    const struct cli_flag_value *custom = cli_flags_get(flags, "custom-metadata");
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64);
    if (cli_flags_get(flags, "max-versions")->number >= 0)
        cli_pool_set(body, "max_versions",
                     json_integer(cli_flags_get(flags, "max-versions")->number));
    cli_text_go_duration(after->number, &text);
    if (after->set && after->number >= 0)
        cli_pool_set(body, "delete_version_after", json_string(buf_text(&text)));
    if (required->set)
        cli_pool_set(body, "cas_required", json_boolean(required->number));
    if (custom->many != NULL)
        cli_pool_set(body, "custom_metadata", json_incref(custom->many));
    return body;
}

static int write_metadata(struct cli *cli, const char *method, const json_t *body)
{
    const char *path = NULL;
    json_t *secret = NULL;
    int exit_code = find_metadata(cli, &path);
    if (exit_code == 0)
        exit_code = cli_kv_place_write(cli, method, path, body, &secret);
    return exit_code != 0 ? exit_code : cli_output_written(cli, secret, "written to", path);
}

static int run_metadata_put(struct cli *cli)
{
    return write_metadata(cli, "PUT", metadata_body(cli));
}

static int run_metadata_patch(struct cli *cli)
{
    json_t *body = metadata_body(cli), *name;
    json_t *custom = json_object_get(body, "custom_metadata");
    size_t i;
    if (custom == NULL) {
        custom = json_object();
        cli_pool_set(body, "custom_metadata", custom);
    }
    json_array_foreach(cli_flags_get(&cli->flags, "remove-custom-metadata")->many, i, name)
        cli_pool_set(custom, json_string_value(name), json_null());
    return write_metadata(cli, "PATCH", body);
}

static int run_metadata_delete(struct cli *cli)
{
    const char *path = NULL;
    int exit_code = find_metadata(cli, &path);
    if (exit_code != 0)
        return exit_code;
    struct cli_answer answer = cli_api_call(cli, "DELETE", path, NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error deleting %s: %s", path, answer.error);
    cli_output_line("Success! Data deleted (if it existed) at: %s", path);
    return 0;
}

/* ---- the table ---- */

#define METADATA_FLAGS                                                                             \
    CLI_KV_PLACE_FLAG, {"max-versions", CLI_FLAG_INT, "-1", "versions to keep", NULL},             \
        {"cas-required", CLI_FLAG_SWITCH, NULL, "writes must name the version", NULL},             \
        {"delete-version-after", CLI_FLAG_SECONDS, NULL, "lifetime of a version", NULL},           \
    {                                                                                              \
        "custom-metadata", CLI_FLAG_MAP, NULL, "facts of one's own", NULL                          \
    }

static const struct cli_flag place_flags[] = {CLI_KV_PLACE_FLAG, {0}};

static const struct cli_flag metadata_flags[] = {METADATA_FLAGS, {0}};

static const struct cli_flag metadata_patch_flags[] = {
    METADATA_FLAGS,
    {"remove-custom-metadata", CLI_FLAG_LIST, NULL, "a fact to remove", NULL},
    {0},
};

const struct cli_command cli_kv_metadata_commands[] = {
    {"kv metadata get", run_metadata_get, CLI_HAS_FORMAT, place_flags, 1, 1, NULL, "PATH",
     "Shows a secret's metadata and versions"},
    {"kv metadata put", run_metadata_put, CLI_HAS_FORMAT, metadata_flags, 1, 1, NULL, "PATH",
     "Sets a secret's metadata"},
    {"kv metadata patch", run_metadata_patch, CLI_HAS_FORMAT, metadata_patch_flags, 1, 1, NULL,
     "PATH", "Changes a secret's metadata in part"},
    {"kv metadata delete", run_metadata_delete, 0, place_flags, 1, 1, NULL, "PATH",
     "Deletes a secret with all its versions"},
    {0},
};
