#include <string.h>

#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/commands/cli_commands.h"
#include "fakevault/shell/cli/commands/cli_kv_place.h"

static const char *text_flag(const struct cli *cli, const char *name)
{
    return cli_flags_get(&cli->flags, name)->text;
}

/* ---- put, patch, rollback ---- */

static int print_written(struct cli *cli, const json_t *secret, const char *path)
{
    const json_t *data = json_object_get(secret, "data");
    bool plain = *cli_flags_find(&cli->flags, "field")->text == '\0' && secret != NULL &&
                 !json_is_object(json_object_get(secret, "wrap_info")) &&
                 cli->format == CLI_FORMAT_TABLE;
    if (!plain)
        return cli_output_written(cli, secret, "written to", path);
    cli_kv_place_show("Secret Path", path);
    cli_kv_place_title("Metadata", data);
    return cli_output_data(cli, data);
}

static json_t *versioned(struct cli *cli, json_t *data, json_t *cas)
{
    json_t *body = cli_pool_object(&cli->pool), *options = json_object();
    if (cas != NULL)
        cli_pool_set(options, "cas", cas);
    cli_pool_set(body, "data", json_incref(data));
    cli_pool_set(body, "options", options);
    return body;
}

static int run_put(struct cli *cli)
{
    struct errc_why why = {""};
    struct cli_kv_place place;
    json_t *data, *secret;
    int64_t cas = cli_flags_get(&cli->flags, "cas")->number;
    if (cli->arg_count == 1)
        return cli_output_error(CLI_EXIT_USAGE, "Must supply data");
    if (cli_args_data(cli, 1, &data, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse K=V data: %s", why.text);
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    const char *path = cli_kv_place_path(cli, &place, "data");
    if (place.v2)
        data = versioned(cli, data, cas >= 0 ? json_integer(cas) : NULL);
    exit_code = cli_kv_place_write(cli, "PUT", path, data, &secret);
    return exit_code != 0 ? exit_code : print_written(cli, secret, path);
}

/* Data and version of what is there, for a change of it. */
static int read_existing(struct cli *cli, const char *path, int64_t version, const char *what,
                         json_t **data, json_t **newest)
{
    json_t *secret;
    int exit_code = cli_kv_place_read(cli, path, version, "Error doing pre-read at", &secret);
    if (exit_code != 0)
        return exit_code;
    const json_t *all = json_object_get(secret, "data");
    const json_t *metadata = json_object_get(all, "metadata");
    *data = json_object_get(all, "data");
    if (!json_is_object(metadata))
        return cli_output_error(CLI_EXIT_REFUSED,
                                "No metadata found at %s; %s only works on existing data", path,
                                what);
    if (newest != NULL) {
        *newest = json_object_get(metadata, "version");
        return 0;
    }
    const char *deleted = json_string_value(json_object_get(metadata, "deletion_time"));
    if (deleted != NULL && *deleted != '\0')
        return cli_output_error(CLI_EXIT_REFUSED,
                                "Cannot roll back to a version that has been deleted");
    if (json_is_true(json_object_get(metadata, "destroyed")))
        return cli_output_error(CLI_EXIT_REFUSED,
                                "Cannot roll back to a version that has been destroyed");
    return 0;
}

static int no_data(const char *path, const char *what)
{
    return cli_output_error(CLI_EXIT_REFUSED, "No data found at %s; %s only works on existing data",
                            path, what);
}

/* For servers and policies without PATCH. */
static int read_and_write(struct cli *cli, const char *path, json_t *changes, json_t **secret)
{
    json_t *data = NULL, *newest = NULL, *value;
    const char *key;
    int exit_code = read_existing(cli, path, 0, "patch", &data, &newest);
    if (exit_code != 0)
        return exit_code;
    if (!json_is_object(data))
        return no_data(path, "patch");
    json_object_foreach(changes, key, value) cli_pool_set(data, key, json_incref(value));
    return cli_kv_place_write(cli, "PUT", path, versioned(cli, data, json_incref(newest)), secret);
}

static int merge_patch(struct cli *cli, const char *path, json_t *changes, bool fall_back,
                       json_t **secret)
{
    struct cli_answer answer;
    int64_t cas = cli_flags_get(&cli->flags, "cas")->number;
    const struct cli_call call = {.method = "PATCH",
                                  .path = path,
                                  .body =
                                      versioned(cli, changes, cas > 0 ? json_integer(cas) : NULL),
                                  .media_type = "application/merge-patch+json"};
    if (cli_api_ask(cli, &call, secret, &answer))
        return 0;
    if (fall_back && answer.status == 403)
        cli_output_warning("Data was written to %s but we recommend that you add the \"patch\" "
                           "capability to your ACL policy in order to use HTTP PATCH in the "
                           "future.",
                           path);
    if (fall_back && (answer.status == 403 || answer.status == 405))
        return read_and_write(cli, path, changes, secret);
    return cli_output_error(CLI_EXIT_REFUSED, "Error writing data to %s: %s", path, answer.error);
}

static int run_patch(struct cli *cli)
{
    struct errc_why why = {""};
    struct cli_kv_place place;
    json_t *changes, *secret = NULL, *name;
    size_t i;
    const char *method = text_flag(cli, "method");
    const json_t *removed = cli_flags_get(&cli->flags, "remove-data")->many;
    if (cli->arg_count == 1 && json_array_size(removed) == 0)
        return cli_output_error(CLI_EXIT_USAGE, "Must supply data");
    if (cli_args_data(cli, 1, &changes, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to parse K=V data: %s", why.text);
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    if (!place.v2)
        return cli_output_error(CLI_EXIT_REFUSED,
                                "K/V engine mount must be version 2 for patch support");
    const char *path = cli_kv_place_path(cli, &place, "data");
    json_array_foreach(removed, i, name)
        cli_pool_set(changes, json_string_value(name), json_null());
    if (strcmp(method, "rw") == 0)
        exit_code = read_and_write(cli, path, changes, &secret);
    else if (*method == '\0' || strcmp(method, "patch") == 0)
        exit_code = merge_patch(cli, path, changes, *method == '\0', &secret);
    else
        return cli_output_error(CLI_EXIT_REFUSED, "Unsupported method provided to -method flag: %s",
                                method);
    return exit_code != 0 ? exit_code : print_written(cli, secret, path);
}

static int run_rollback(struct cli *cli)
{
    struct cli_kv_place place;
    json_t *data = NULL, *newest = NULL, *secret = NULL;
    int64_t version = cli_flags_get(&cli->flags, "version")->number;
    if (version <= 0)
        return cli_output_error(CLI_EXIT_USAGE, version == 0 ? "Version flag must be specified"
                                                             : "Version number must be positive");
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    if (!place.v2)
        return cli_output_error(CLI_EXIT_REFUSED,
                                "K/V engine mount must be version 2 for rollback support");
    const char *path = cli_kv_place_path(cli, &place, "data");
    exit_code = read_existing(cli, path, 0, "rollback", &data, &newest);
    if (exit_code == 0)
        exit_code = read_existing(cli, path, version, "rollback", &data, NULL);
    if (exit_code != 0)
        return exit_code;
    if (!json_is_object(data))
        return no_data(path, "rollback");
    exit_code =
        cli_kv_place_write(cli, "PUT", path, versioned(cli, data, json_incref(newest)), &secret);
    return exit_code != 0 ? exit_code : cli_output_written(cli, secret, "written to", path);
}

/* ---- get and list ---- */

static int print_field_of(struct cli *cli, const json_t *secret, bool v2, const char *path)
{
    const char *field = text_flag(cli, "field");
    const json_t *data = json_object_get(json_object_get(secret, "data"), "data");
    if (!v2)
        return cli_output_field(cli, secret, field);
    if (data == NULL || json_is_null(data))
        return cli_output_error(CLI_EXIT_REFUSED, "No data found at %s", path);
    if (strcmp(field, "data") == 0 && json_object_get(data, "data") == NULL)
        return cli_output_field(cli, secret, field);
    return cli_output_map_field(cli, data, field);
}

static int run_get(struct cli *cli)
{
    struct cli_kv_place place;
    json_t *secret;
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    const char *path = cli_kv_place_path(cli, &place, "data");
    int64_t version = place.v2 ? cli_flags_get(&cli->flags, "version")->number : 0;
    exit_code = cli_kv_place_read(cli, path, version, "Error reading", &secret);
    if (exit_code != 0)
        return exit_code;
    if (*text_flag(cli, "field") != '\0')
        return print_field_of(cli, secret, place.v2, path);
    if (json_is_object(json_object_get(secret, "wrap_info")) || cli->format != CLI_FORMAT_TABLE)
        return cli_output_secret(cli, secret);
    cli_output_warnings(secret);
    const json_t *data = json_object_get(secret, "data");
    const json_t *metadata = json_object_get(data, "metadata");
    if (place.v2)
        cli_kv_place_show("Secret Path", path);
    if (json_is_object(metadata)) {
        cli_kv_place_title("Metadata", metadata);
        (void)cli_output_data(cli, metadata);
        cli_output_line("%s", "");
    }
    if (place.v2)
        data = json_object_get(data, "data");
    if (!json_is_object(data))
        return 0;
    cli_kv_place_title("Data", data);
    return cli_output_data(cli, data);
}

static int run_list(struct cli *cli)
{
    struct cli_kv_place place;
    struct cli_answer answer;
    json_t *secret, *query = cli_pool_object(&cli->pool);
    if (cli->arg_count == 0 && *text_flag(cli, "mount") == '\0')
        return cli_output_error(CLI_EXIT_USAGE, "Not enough arguments (expected 1, got 0)");
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    const char *path = cli_kv_place_path(cli, &place, "metadata");
    cli_pool_set(query, "list", json_string("true"));
    const struct cli_call call = {.method = "GET", .path = path, .query = query};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error listing %s: %s", path, answer.error);
    return cli_output_keys(cli, secret, path);
}

/* ---- delete, undelete, destroy ---- */

/* -versions=1,2 -versions=3 as one list. */
static json_t *versions_of(struct cli *cli)
{
    json_t *out = cli_pool_array(&cli->pool), *item;
    size_t i;
    json_array_foreach(cli_flags_get(&cli->flags, "versions")->many, i, item)
    {
        struct slice rest = slice_of(json_string_value(item));
        while (rest.len > 0) {
            struct slice part = slice_trim(slice_cut(&rest, ','));
            if (part.len > 0)
                cli_pool_append(out, json_stringn(part.ptr, part.len));
        }
    }
    return out;
}

static int send_versions(struct cli *cli, const char *path, json_t *versions, const char *done,
                         const char *shown)
{
    json_t *body = cli_pool_object(&cli->pool), *secret;
    cli_pool_set(body, "versions", json_incref(versions));
    int exit_code = cli_kv_place_write(cli, "PUT", path, body, &secret);
    return exit_code != 0 ? exit_code : cli_output_written(cli, secret, done, shown);
}

static int run_delete(struct cli *cli)
{
    struct cli_kv_place place;
    struct cli_answer answer;
    json_t *secret, *versions = versions_of(cli);
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    const char *path = cli_kv_place_path(cli, &place, "data");
    if (place.v2 && json_array_size(versions) > 0)
        return send_versions(cli, cli_kv_place_path(cli, &place, "delete"), versions,
                             "deleted (if it existed) at", path);
    const struct cli_call call = {.method = "DELETE", .path = path};
    if (!cli_api_ask(cli, &call, &secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "Error deleting %s: %s", path, answer.error);
    return cli_output_written(cli, secret, "deleted (if it existed) at", path);
}

static int on_versions(struct cli *cli, const char *part, const char *name)
{
    struct cli_kv_place place;
    json_t *versions = versions_of(cli);
    if (json_array_size(versions) == 0)
        return cli_output_error(CLI_EXIT_USAGE,
                                "No versions provided, use the \"-versions\" flag to specify the "
                                "version to %s.",
                                part);
    int exit_code = cli_kv_place_find(cli, &place);
    if (exit_code != 0)
        return exit_code;
    if (!place.v2)
        return cli_output_error(CLI_EXIT_USAGE, "%s not supported on KV Version 1", name);
    const char *path = cli_kv_place_path(cli, &place, part);
    return send_versions(cli, path, versions, "written to", path);
}

static int run_undelete(struct cli *cli)
{
    return on_versions(cli, "undelete", "Undelete");
}

static int run_destroy(struct cli *cli)
{
    return on_versions(cli, "destroy", "Destroy");
}

/* ---- the table ---- */

static const struct cli_flag mount_flags[] = {CLI_KV_PLACE_FLAG, {0}};

static const struct cli_flag put_flags[] = {
    CLI_KV_PLACE_FLAG,
    {"cas", CLI_FLAG_INT, "-1", "write only over this version, 0: only when none is there", NULL},
    {0},
};

static const struct cli_flag patch_flags[] = {
    CLI_KV_PLACE_FLAG,
    {"cas", CLI_FLAG_INT, NULL, "write only over this version", NULL},
    {"method", CLI_FLAG_TEXT, NULL, "patch, or rw: read, then write", NULL},
    {"remove-data", CLI_FLAG_LIST, NULL, "a key to remove", NULL},
    {0},
};

static const struct cli_flag version_flags[] = {
    CLI_KV_PLACE_FLAG,
    {"version", CLI_FLAG_INT, NULL, "the version", NULL},
    {0},
};

static const struct cli_flag versions_flags[] = {
    CLI_KV_PLACE_FLAG,
    {"versions", CLI_FLAG_LIST, NULL, "the versions", NULL},
    {0},
};

const struct cli_command cli_kv_commands[] = {
    {"kv put", run_put, CLI_HAS_FIELD, put_flags, 1, -1, ">1", "PATH K=V ...", "Writes a secret"},
    {"kv get", run_get, CLI_HAS_FIELD, version_flags, 1, 1, NULL, "PATH", "Reads a secret"},
    {"kv list", run_list, CLI_HAS_FORMAT, mount_flags, 0, 1, NULL, "PATH", "Lists secrets"},
    {"kv patch", run_patch, CLI_HAS_FIELD, patch_flags, 1, -1, ">1", "PATH K=V ...",
     "Changes a secret in part"},
    {"kv delete", run_delete, CLI_HAS_FIELD, versions_flags, 1, 1, NULL, "PATH",
     "Deletes versions, so that they can come back"},
    {"kv undelete", run_undelete, CLI_HAS_FORMAT, versions_flags, 1, 1, NULL, "PATH",
     "Brings deleted versions back"},
    {"kv destroy", run_destroy, CLI_HAS_FORMAT, versions_flags, 1, 1, NULL, "PATH",
     "Deletes versions for good"},
    {"kv rollback", run_rollback, CLI_HAS_FIELD, version_flags, 1, 1, NULL, "PATH",
     "Writes an old version anew"},
    {0},
};
