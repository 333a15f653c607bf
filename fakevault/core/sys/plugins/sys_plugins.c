/* sys_plugins: the catalog as Vault 1.14.9 ships it, to be read. It names what Vault has built in,
 * of which this server has transit and kv alone; nothing can be added to it. */
#include <string.h>

#include "base/count.h"
#include "base/text/hex.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/mounts/mountconf.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

#define VERSION "v1.14.9+builtin.vault"
#define CATALOG "plugins/catalog/"

enum plugin_type { AUTH, DATABASE, SECRET, TYPE_COUNT };

static const char *const types[TYPE_COUNT] = {"auth", "database", "secret"};

struct plugin {
    const char *name;
    const char *version;
    const char *status;
};

/* These are mounted by the engine "database"; the others are in builtin.h. */
static const struct {
    const char *name;
    const char *version;
} databases[] = {
    {"cassandra-database-plugin", VERSION},
    {"couchbase-database-plugin", "v0.9.2+builtin"},
    {"elasticsearch-database-plugin", "v0.13.2+builtin"},
    {"hana-database-plugin", VERSION},
    {"influxdb-database-plugin", VERSION},
    {"mongodb-database-plugin", VERSION},
    {"mongodbatlas-database-plugin", "v0.10.0+builtin"},
    {"mssql-database-plugin", VERSION},
    {"mysql-aurora-database-plugin", VERSION},
    {"mysql-database-plugin", VERSION},
    {"mysql-legacy-database-plugin", VERSION},
    {"mysql-rds-database-plugin", VERSION},
    {"postgresql-database-plugin", VERSION},
    {"redis-database-plugin", "v0.2.1+builtin"},
    {"redis-elasticache-database-plugin", "v0.2.1+builtin"},
    {"redshift-database-plugin", VERSION},
    {"snowflake-database-plugin", "v0.9.0+builtin"},
};

/* Reads plugin i of a type; false behind the last. */
static bool plugin_at(enum plugin_type type, size_t i, struct plugin *out)
{
    if (type == DATABASE) {
        if (i >= COUNT(databases))
            return false;
        *out = (struct plugin){databases[i].name, databases[i].version, "supported"};
        return true;
    }
    const struct builtin *b;
    for (size_t at = 0; (b = builtin_at(at)) != NULL; at++) {
        bool listed = b->status == BUILTIN_SUPPORTED || b->status == BUILTIN_DEPRECATED;
        if (listed && b->auth == (type == AUTH) && i-- == 0) {
            *out = (struct plugin){b->type, b->version, builtin_status_text(b->status)};
            return true;
        }
    }
    return false;
}

static json_t *names_of(enum plugin_type type)
{
    struct plugin p;
    json_t *names = json_array();
    int failed = names == NULL;
    for (size_t i = 0; !failed && plugin_at(type, i, &p); i++)
        failed = json_array_append_new(names, json_string(p.name));
    if (!failed)
        return names;
    json_decref(names);
    return NULL;
}

static int add_details(json_t *all, enum plugin_type type)
{
    struct plugin p;
    int failed = 0;
    for (size_t i = 0; !failed && plugin_at(type, i, &p); i++)
        failed = json_array_append_new(
            all, json_pack("{s:b,s:s,s:s,s:s,s:s}", "builtin", 1, "deprecation_status", p.status,
                           "name", p.name, "type", types[type], "version", p.version));
    return failed;
}

static json_t *details(void)
{
    json_t *all = json_array();
    int failed = all == NULL;
    for (unsigned type = 0; type < TYPE_COUNT && !failed; type++)
        failed = add_details(all, (enum plugin_type)type);
    if (!failed)
        return all;
    json_decref(all);
    return NULL;
}

static void catalog_read(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA,
                     json_pack("{s:o,s:o,s:o,s:o}", "auth", names_of(AUTH), "database",
                               names_of(DATABASE), "detailed", details(), "secret",
                               names_of(SECRET)));
}

/* The type that the path of a typed row names. */
static enum plugin_type type_of(const struct vault_job *job)
{
    struct slice rest = slice_from(job->below, strlen(CATALOG));
    struct slice name = slice_cut(&rest, '/');
    unsigned type = 0;
    while (type + 1 < TYPE_COUNT && !slice_equal_text(name, types[type]))
        type++;
    return (enum plugin_type)type;
}

static void typed_list(struct vault_job *job)
{
    call_answer_tree(job, CALL_DATA, json_pack("{s:o}", "keys", names_of(type_of(job))));
}

static const struct field_spec plugin_fields[] = {
    {.name = "sha256", .type = FIELD_STRING},
    {.name = "sha_256", .type = FIELD_STRING},
    {.name = "command", .type = FIELD_STRING},
    {.name = "args", .type = FIELD_SLICE},
    {.name = "env", .type = FIELD_SLICE},
    {.name = "version", .type = FIELD_STRING},
    {0},
};

/* Reads the version; answers and returns false when it is none. "" when it is not given. */
static bool read_version(struct vault_job *job, char out[static MOUNTCONF_VERSION_BYTES])
{
    struct slice version = field_text(&job->fields, "version");
    out[0] = '\0';
    if (version.len == 0 || mountconf_canonical(version, out))
        return true;
    call_fail(job, 400, "version \"%.*s\" is not a valid semantic version: Malformed version: %.*s",
              SLICE_FMT(version), SLICE_FMT(version));
    return false;
}

static bool find(struct slice name, enum plugin_type type, struct plugin *out)
{
    for (size_t i = 0; plugin_at(type, i, out); i++)
        if (slice_equal_text(name, out->name))
            return true;
    return false;
}

static void plugin_read(struct vault_job *job)
{
    char version[MOUNTCONF_VERSION_BYTES];
    struct plugin p;
    if (!read_version(job, version))
        return;
    if (!find(call_capture(job, "name"), type_of(job), &p) ||
        (version[0] != '\0' && strcmp(version, p.version) != 0))
        call_fail_bare(job, 404);
    else
        call_answer_tree(job, CALL_DATA,
                         json_pack("{s:n,s:b,s:s,s:s,s:s,s:s,s:s}", "args", "builtin", 1, "command",
                                   "", "deprecation_status", p.status, "name", p.name, "sha256", "",
                                   "version", p.version));
}

static void plugin_update(struct vault_job *job)
{
    char version[MOUNTCONF_VERSION_BYTES];
    struct slice sha256 = field_text(&job->fields, "sha256");
    if (sha256.len == 0)
        sha256 = field_text(&job->fields, "sha_256");
    struct buf bytes CLEANUP(buf_done);
    buf_init(&bytes, LIMIT_REQUEST_BODY_BYTES);
    if (!read_version(job, version))
        return;
    if (strstr(version, "builtin") != NULL)
        call_fail(job, 400,
                  "version \"%s\" is not allowed because 'builtin' is a reserved metadata "
                  "identifier",
                  version);
    else if (sha256.len == 0)
        call_fail(job, 400, "missing SHA-256 value");
    else if (field_text(&job->fields, "command").len == 0)
        call_fail(job, 400, "missing command value");
    else if (hex_parse(sha256, &bytes) != ERRC_OK)
        call_fail(job, 400, "Could not decode SHA-256 value from Hex");
    else
        call_fault(job, "could not set plugin, plugin directory is not configured");
}

static void old_warn(struct vault_job *job, const char *what)
{
    struct slice name = call_capture(job, "name");
    call_warn(job, "Deprecated API endpoint, cannot %s catalog for \"%.*s\"", what,
              SLICE_FMT(name));
    call_answer_none(job, 200);
}

static void old_read(struct vault_job *job)
{
    old_warn(job, "read plugin information from");
}

static void old_delete(struct vault_job *job)
{
    old_warn(job, "deregister plugin from");
}

/* --- reload: an engine has no state that a reload would drop ---------------------------------- */

static const struct field_spec reload_fields[] = {
    {.name = "plugin", .type = FIELD_STRING},
    {.name = "mounts", .type = FIELD_STRINGS},
    {.name = "scope", .type = FIELD_STRING},
    {0},
};

/* Answers when one of the paths is no mount's. */
static void check_mounts(struct vault_job *job, const json_t *mounts)
{
    for (size_t i = 0; i < json_array_size(mounts) && !call_answered(job); i++) {
        char path[MOUNT_PATH_BYTES];
        const char *text = json_string_value(json_array_get(mounts, i));
        bool fits = sys_mounts_path("", slice_of(text), path);
        if (!fits || mount_find(&job->vault->mounts, slice_of(path)) == NULL)
            call_fault(job, "cannot fetch mount entry on \"%s\"", path);
    }
}

static void reload_finish(struct vault_job *job)
{
    struct slice plugin = field_text(&job->fields, "plugin");
    struct slice scope = field_text(&job->fields, "scope");
    const json_t *mounts = field_get(&job->fields, "mounts")->tree;
    if (scope.len > 0 && !slice_equal_text(scope, "global"))
        call_fail(job, 400, "reload scope must be omitted or 'global'");
    else if (plugin.len > 0 && json_array_size(mounts) > 0)
        call_fail(job, 400, "plugin and mounts cannot be set at the same time");
    else if (plugin.len == 0 && json_array_size(mounts) == 0)
        call_fail(job, 400, "plugin or mounts must be provided");
    else
        check_mounts(job, mounts);
    if (call_answered(job))
        return;
    char id[ENTROPY_UUID_BYTES];
    entropy_uuid(&job->vault->ports.entropy, id);
    call_answer_tree(job, CALL_DATA, json_pack("{s:s}", "reload_id", id));
    if (scope.len > 0)
        call_make_raw(job, 202);
}

#define ROW(path, what, last)                                                                      \
    {                                                                                              \
        .pattern = CATALOG path, .operation = what, .fields = plugin_fields, .finish = last        \
    }
#define ROWS_OF(type)                                                                              \
    {.pattern = CATALOG type "/?", .operation = ROUTE_LIST, .finish = typed_list},                 \
        ROW(type "/+name", ROUTE_READ, plugin_read),                                               \
        ROW(type "/+name", ROUTE_UPDATE, plugin_update),                                           \
        ROW(type "/+name", ROUTE_DELETE, call_empty)

static const struct route_endpoint rows[] = {
    {.pattern = "plugins/catalog/?", .operation = ROUTE_READ, .finish = catalog_read},
    ROWS_OF("auth"),
    ROWS_OF("database"),
    ROWS_OF("secret"),
    ROW("+name", ROUTE_READ, old_read),
    ROW("+name", ROUTE_UPDATE, plugin_update),
    ROW("+name", ROUTE_DELETE, old_delete),
    {.pattern = "plugins/reload/backend",
     .operation = ROUTE_UPDATE,
     .fields = reload_fields,
     .finish = reload_finish},
};

const struct route_table sys_plugins_table = ROUTE_TABLE(rows);
