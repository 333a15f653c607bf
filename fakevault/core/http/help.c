#include "fakevault/core/http/help.h"

#include <string.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

#define TEXT_BYTES_MAX (1u << 20)

static const char *const methods[] = {
    [ROUTE_READ] = "get",    [ROUTE_LIST] = "get",    [ROUTE_UPDATE] = "post",
    [ROUTE_CREATE] = "post", [ROUTE_PATCH] = "patch", [ROUTE_DELETE] = "delete",
    [ROUTE_OTHER] = NULL,
};

static const char *const types[] = {
    [FIELD_STRING] = "string",
    [FIELD_LOWER] = "lowercase string",
    [FIELD_INT] = "int",
    [FIELD_BOOL] = "bool",
    [FIELD_SECONDS] = "duration (sec)",
    [FIELD_SIGNED_SECONDS] = "duration (sec)",
    [FIELD_MAP] = "map",
    [FIELD_PAIRS] = "keypair",
    [FIELD_LIST] = "slice",
    [FIELD_SLICE] = "slice",
    [FIELD_STRINGS] = "slice",
    [FIELD_INTS] = "slice",
    [FIELD_ANY] = "map",
};

/* Takes the name of a capture off the front. */
static struct slice take_name(struct slice *pattern)
{
    size_t n = 0;
    while (n < pattern->len && pattern->ptr[n] >= '0' && strchr(":+*!?", pattern->ptr[n]) == NULL)
        n++;
    struct slice name = {pattern->ptr, n};
    *pattern = slice_from(*pattern, n);
    return name;
}

/* A pattern as OpenAPI has it, "/keys/{name}", or as a regular expression. */
static void add_pattern(const char *text, bool regular, struct buf *out)
{
    struct slice rest = slice_of(text);
    while (rest.len > 0) {
        char c = rest.ptr[0];
        if (!regular && slice_equal_text(rest, "/?"))
            return;
        rest = slice_from(rest, 1);
        if (c != ':' && c != '+' && c != '*' && c != '!') {
            buf_add_char(out, c);
            continue;
        }
        struct slice name = take_name(&rest);
        if (c == '!')
            continue;
        if (!regular)
            buf_addf(out, "{%.*s}", SLICE_FMT(name));
        else
            buf_addf(out, "(?P<%.*s>%s)", SLICE_FMT(name),
                     c == ':'   ? "\\w(([\\w-.]+)?\\w)?"
                     : c == '+' ? ".+"
                                : ".*");
    }
}

/* --- OpenAPI ---------------------------------------------------------------------------------- */

static json_t *operation_of(const struct route_endpoint *row)
{
    json_t *parameters = row->operation != ROUTE_LIST
                             ? json_array()
                             : json_pack("[{s:s,s:s,s:{s:s}}]", "name", "list", "in", "query",
                                         "schema", "type", "string");
    return json_pack("{s:o,s:{s:{s:s}}}", "parameters", parameters, "responses", "200",
                     "description", "OK");
}

/* Adds one row to "paths"; false when out of memory. */
static bool add_row(json_t *paths, const char *prefix, const struct route_endpoint *row)
{
    const char *method = row->operation <= ROUTE_PATCH ? methods[row->operation] : NULL;
    if (method == NULL)
        return true;
    struct buf path CLEANUP(buf_done);
    buf_init(&path, TEXT_BYTES_MAX);
    buf_addf(&path, "/%s", prefix);
    add_pattern(row->pattern, false, &path);
    if (path.failed)
        return false;
    json_t *item = json_object_get(paths, buf_text(&path));
    if (item == NULL) {
        item = json_object();
        if (json_object_set_new(paths, buf_text(&path), item) != 0)
            return false;
    }
    return json_object_set_new(item, method, operation_of(row)) == 0;
}

static bool add_table(json_t *paths, const char *prefix, const struct route_table *table,
                      const char *pattern)
{
    for (size_t i = 0; i < table->count; i++)
        if ((pattern == NULL || strcmp(pattern, table->rows[i].pattern) == 0) &&
            !add_row(paths, prefix, &table->rows[i]))
            return false;
    return true;
}

/* Takes the reference to paths; NULL when out of memory. */
static json_t *document(const struct vault *v, json_t *paths)
{
    return json_pack("{s:s,s:{s:s,s:s},s:o,s:{s:{}}}", "openapi", "3.0.2", "info", "title",
                     "HashiCorp Vault API", "version", v->version, "paths", paths, "components",
                     "schemas");
}

static bool add_mount(json_t *paths, const struct mount *m)
{
    for (const struct route_table *const *t = api_tables(m->engine, m->kv_version_2); *t != NULL;
         t++)
        if (!add_table(paths, m->path, *t, NULL))
            return false;
    return true;
}

/* Without a token there is nothing to see, as in Vault. */
static void openapi_finish(struct vault_job *job)
{
    const struct mount_table *mounts = &job->vault->mounts;
    json_t *paths = json_object();
    bool complete = paths != NULL;
    for (size_t i = 0; i < mounts->count && complete && job->token != NULL; i++)
        complete = add_mount(paths, &mounts->items[i]);
    json_t *whole CLEANUP(jsonread_done) = document(job->vault, paths);
    job->no_memory = job->no_memory || !complete || whole == NULL;
    if (job->no_memory)
        return;
    struct jsonwrite *w = call_data(job);
    const char *name;
    json_t *part;
    json_object_foreach(whole, name, part) jsonwrite_value(w, name, part);
    call_answer(job, CALL_BARE);
    job->raw = true;
}

/* --- texts ------------------------------------------------------------------------------------ */

static void add_parameters(const struct field_spec *fields, struct buf *out)
{
    if (fields == NULL)
        return;
    buf_add_text(out, "## PARAMETERS\n\n");
    for (; fields->name != NULL; fields++)
        buf_addf(out, "    %s (%s)\n\n", fields->name, types[fields->type]);
}

static void add_operations(const struct route_table *table, const char *pattern, struct buf *out)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].pattern, pattern) == 0)
            buf_addf(out, " %s", route_operation_name(table->rows[i].operation));
}

static void add_endpoint(const struct vault_job *job, const struct route_table *table,
                         const struct route_endpoint *row, struct buf *out)
{
    buf_addf(out, "Request:        %.*s\nMatching Route: ^", SLICE_FMT(job->below));
    add_pattern(row->pattern, true, out);
    buf_add_text(out, "$\n\n");
    add_parameters(row->fields, out);
    buf_add_text(out, "## OPERATIONS\n\n   ");
    add_operations(table, row->pattern, out);
    buf_add_char(out, '\n');
}

static void add_root(const struct route_table *const *tables, struct buf *out)
{
    buf_add_text(out, "## PATHS\n\n");
    for (; *tables != NULL; tables++)
        for (size_t i = 0; i < (*tables)->count; i++) {
            const char *pattern = (*tables)->rows[i].pattern;
            if (i > 0 && strcmp(pattern, (*tables)->rows[i - 1].pattern) == 0)
                continue;
            buf_add_text(out, "    ^");
            add_pattern(pattern, true, out);
            buf_add_text(out, "$\n");
        }
}

/* Takes the reference to paths. */
static void answer(struct vault_job *job, const struct buf *text, json_t *paths)
{
    json_t *whole CLEANUP(jsonread_done) = document(job->vault, paths);
    job->no_memory = job->no_memory || text->failed || whole == NULL;
    if (job->no_memory)
        return;
    struct jsonwrite *w = call_data(job);
    jsonwrite_slice(w, "help", buf_slice(text));
    jsonwrite_value(w, "openapi", whole);
    jsonwrite_null(w, "see_also");
    call_answer(job, CALL_BARE);
}

/* The first row whose path fits, in any of the tables. */
static const struct route_endpoint *find_row(const struct route_table *const *tables,
                                             struct slice path, const struct route_table **table)
{
    struct route_match match;
    for (; *tables != NULL; tables++)
        for (int op = ROUTE_READ; op <= ROUTE_PATCH; op++)
            if (route_find(*tables, path, (enum route_operation)op, &match)) {
                *table = *tables;
                return match.endpoint;
            }
    return NULL;
}

void help_answer(struct vault_job *job)
{
    const struct route_table *table = NULL;
    const struct route_endpoint *row =
        find_row(api_tables(job->engine, job->kv_version_2), job->below, &table);
    if (row == NULL)
        row = find_row(api_hard_wired(), buf_slice(&job->path), &table);
    json_t *paths = json_object();
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TEXT_BYTES_MAX);
    if (row != NULL) {
        add_endpoint(job, table, row, &text);
        job->no_memory = job->no_memory || !add_table(paths, "", table, row->pattern);
    } else if (job->below.len == 0 || job->engine == MOUNT_KV) { /* a kv takes any path */
        buf_addf(&text, "## DESCRIPTION\n\nThe %s backend.\n\n", job->plugin->type);
        add_root(api_tables(job->engine, job->kv_version_2), &text);
    } else {
        json_decref(paths);
        call_wrapped(job, 404, "unsupported path");
        return;
    }
    answer(job, &text, paths);
}

static const struct route_endpoint rows[] = {
    {.pattern = "internal/specs/openapi",
     .operation = ROUTE_READ,
     .public = true,
     .finish = openapi_finish},
    {.pattern = "internal/specs/openapi",
     .operation = ROUTE_UPDATE,
     .public = true,
     .finish = openapi_finish},
};

const struct route_table help_table = ROUTE_TABLE(rows);
