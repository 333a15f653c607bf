#include "fakevault/shell/cli/commands/cli_kv_place.h"

#include <string.h>

#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"

static const char *join(struct cli *cli, const char *a, const char *b)
{
    size_t len = strlen(a);
    while (len > 0 && a[len - 1] == '/')
        len--;
    b += strspn(b, "/");
    return cli_pool_text(&cli->pool, "%.*s%s%s", (int)len, a, len > 0 && *b != '\0' ? "/" : "", b);
}

/* Returns 0, or the exit code after having said why. */
static int ask_mount(struct cli *cli, const char *path, struct cli_kv_place *out)
{
    const struct cli_call call = {
        .method = "GET",
        .path = cli_pool_text(&cli->pool, "sys/internal/ui/mounts/%s", path),
        .no_wrapping = true,
    };
    struct cli_answer answer = cli_api_do(cli, &call);
    out->mount = "";
    if (answer.status == 404) /* a server from before version 2 */
        return 0;
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "%s", answer.error);
    const json_t *data = json_object_get(answer.tree, "data");
    const char *mount = json_string_value(json_object_get(data, "path"));
    const char *version =
        json_string_value(json_object_get(json_object_get(data, "options"), "version"));
    out->mount = mount == NULL ? "" : mount;
    out->v2 = version != NULL && strcmp(version, "2") == 0;
    return 0;
}

int cli_kv_place_find(struct cli *cli, struct cli_kv_place *out)
{
    const char *given = cli->arg_count > 0 ? cli_args_path(cli, cli->args[0]) : "";
    const char *mount = cli_flags_get(&cli->flags, "mount")->text;
    *out = (struct cli_kv_place){.path = given};
    if (*mount == '\0')
        return ask_mount(cli, given, out);
    int exit_code = ask_mount(cli, cli_args_path(cli, mount), out);
    out->path = join(cli, *out->mount == '\0' ? mount : out->mount, given);
    return exit_code;
}

/* secret/x becomes secret/data/x. A mount may carry namespaces that the path does not have. */
const char *cli_kv_place_path(struct cli *cli, const struct cli_kv_place *place, const char *part)
{
    const char *mount = place->mount, *path = place->path;
    size_t len = strlen(mount);
    if (!place->v2)
        return path;
    if (strncmp(path, mount, len > 0 ? len - 1 : 0) == 0 && strlen(path) + 1 == len)
        return join(cli, mount, part);
    while (strncmp(path, mount, strlen(mount)) != 0) {
        const char *slash = strchr(mount, '/');
        if (slash == NULL || slash[1] == '\0')
            return join(cli, join(cli, mount, part), path);
        mount = slash + 1;
    }
    return join(cli, join(cli, mount, part), path + strlen(mount));
}

int cli_kv_place_empty(const char *path)
{
    return cli_output_error(CLI_EXIT_REFUSED, "No value found at %s", path);
}

static void print_title(const char *title, size_t width)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1u << 16);
    cli_text_title(title, width, &out);
    cli_output_line("%s", buf_text(&out));
}

void cli_kv_place_show(const char *title, const char *path)
{
    print_title(title, strlen(path));
    cli_output_line("%s\n", path);
}

/* As wide as the table under it. */
void cli_kv_place_title(const char *title, const json_t *map)
{
    size_t width = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        size_t len = strlen(key);
        width = len > width ? len : width;
    }
    print_title(title, width + 4 + strlen("Value"));
}

int cli_kv_place_write(struct cli *cli, const char *method, const char *path, const json_t *body,
                       json_t **secret)
{
    struct cli_answer answer;
    bool patches = strcmp(method, "PATCH") == 0;
    const struct cli_call call = {.method = method,
                                  .path = path,
                                  .body = body,
                                  .media_type = patches ? "application/merge-patch+json" : NULL};
    if (cli_api_ask(cli, &call, secret, &answer))
        return 0;
    (void)cli_output_error(0, "Error writing data to %s: %s", path, answer.error);
    if (*secret != NULL)
        (void)cli_output_secret(cli, *secret);
    return CLI_EXIT_REFUSED;
}

/* The secret at path, in one of its versions (0: the newest). */
int cli_kv_place_read(struct cli *cli, const char *path, int64_t version, const char *failed,
                      json_t **secret)
{
    struct cli_answer answer;
    json_t *query = cli_pool_object(&cli->pool);
    if (version > 0)
        cli_pool_set(query, "version",
                     json_string(cli_pool_text(&cli->pool, "%lld", (long long)version)));
    const struct cli_call call = {.method = "GET", .path = path, .query = query};
    if (!cli_api_ask(cli, &call, secret, &answer))
        return cli_output_error(CLI_EXIT_REFUSED, "%s %s: %s", failed, path, answer.error);
    return *secret == NULL ? cli_kv_place_empty(path) : 0;
}
