/* sys/capabilities, -self, -accessor, and sys/internal/ui/resultant-acl (vault-api.md 2.10). */
#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/policy/authorise.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/api/token_auth.h"

static const struct field_spec fields[] = {
    {.name = "path", .type = FIELD_STRINGS},
    {.name = "paths", .type = FIELD_STRINGS},
    {.name = "token", .type = FIELD_STRING},
    {0},
};

static const struct field_spec accessor_fields[] = {
    {.name = "accessor", .type = FIELD_STRING},
    {.name = "path", .type = FIELD_STRINGS},
    {.name = "paths", .type = FIELD_STRINGS},
    {0},
};

/* --- capabilities ----------------------------------------------------------------------------- */

/* `paths`, or else `path`, as it was once named. Answers when there are none. */
static const json_t *wanted_paths(struct vault_job *job)
{
    const json_t *paths = field_tree(&job->fields, "paths");
    if (json_array_size(paths) == 0)
        paths = field_tree(&job->fields, "path");
    if (json_array_size(paths) == 0)
        call_fail(job, 400, "paths must be supplied");
    return paths;
}

static const char *text_at(const json_t *list, size_t i)
{
    return json_string_value(json_array_get(list, i));
}

/* The names of an answer, sorted; one path is answered under "capabilities" too. */
static bool names_of(struct vault_job *job, const json_t *paths, json_t *names)
{
    const char *single = json_array_size(paths) == 1 ? text_at(paths, 0) : NULL;
    if (single != NULL && json_object_set_new(names, "capabilities", json_string(single)) != 0)
        job->no_memory = true;
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *path = text_at(paths, i);
        if (path[0] == '\0') {
            call_wrapped(job, 400, "missing path");
            return false;
        }
        if (json_object_set_new_nocheck(names, path, json_string_nocheck(path)) != 0)
            job->no_memory = true;
    }
    return !job->no_memory;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The caller frees the list, not the names. NULL when out of memory. */
static const char **sorted(const json_t *names)
{
    size_t count = 0;
    const char *name;
    json_t *path;
    const char **list = calloc(json_object_size(names) + 1, sizeof *list);
    if (list == NULL)
        return NULL;
    json_object_foreach((json_t *)(uintptr_t)names, name, path) list[count++] = name;
    qsort(list, count, sizeof *list, compare_names);
    return list;
}

static void write_all(struct vault_job *job, const struct acl *acl, const json_t *names)
{
    const char **list = sorted(names);
    struct jsonwrite *w = call_data(job);
    job->no_memory = job->no_memory || list == NULL;
    for (size_t i = 0; list != NULL && i < json_object_size(names); i++) {
        struct slice path = slice_of(json_string_value(json_object_get(names, list[i])));
        acl_write_capabilities(w, list[i], acl_capabilities(acl, path));
    }
    free(list);
    call_answer(job, CALL_INJECTED);
}

static void answer_capabilities(struct vault_job *job, const struct token *token)
{
    const json_t *paths = wanted_paths(job);
    json_t *names CLEANUP(jsonread_done) = json_object();
    if (call_answered(job) || names == NULL || !names_of(job, paths, names))
        return;
    const struct acl *acl = authorise_acl(job, token);
    if (acl != NULL)
        write_all(job, acl, names);
}

static void self_finish(struct vault_job *job)
{
    answer_capabilities(job, job->token);
}

/* Only a text is a token here, whatever the field's type says. */
static void token_finish(struct vault_job *job)
{
    struct slice id;
    if (!gojson_string(json_object_get(job->data, "token"), &id) || id.len == 0) {
        call_fault(job, "no token found");
        return;
    }
    struct token *token = token_auth_find(job, id);
    const json_t *paths = wanted_paths(job);
    if (!call_answered(job) && token == NULL)
        call_wrapped(job, 400, text_at(paths, 0)[0] == '\0' ? "missing path" : "invalid token");
    if (!call_answered(job))
        answer_capabilities(job, token);
    token_release(token);
}

static void accessor_finish(struct vault_job *job)
{
    struct slice accessor = field_text(&job->fields, "accessor");
    if (accessor.len == 0) {
        call_fail(job, 400, "missing accessor");
        return;
    }
    const struct token *token = token_table_find_accessor(&job->vault->tokens, accessor);
    if (token == NULL || !token_usable(token, job->now.wall_ns))
        call_wrapped(job, 400, "invalid accessor");
    else
        answer_capabilities(job, token);
}

/* --- resultant ACL ---------------------------------------------------------------------------- */

static void write_names(struct jsonwrite *w, const char *key, const json_t *names)
{
    const char *name;
    json_t *value;
    jsonwrite_array(w, key);
    json_object_foreach((json_t *)(uintptr_t)names, name, value) jsonwrite_string(w, NULL, name);
    jsonwrite_end(w);
}

static void write_grant(void *context, const struct acl_grant *g)
{
    struct jsonwrite *w = context;
    jsonwrite_object(w, g->path);
    if (json_object_size(g->allowed) > 0)
        jsonwrite_value(w, "allowed_parameters", g->allowed);
    acl_write_capabilities(w, "capabilities", g->capabilities);
    if (json_object_size(g->denied) > 0)
        jsonwrite_value(w, "denied_parameters", g->denied);
    if (g->max_ttl_ns != 0)
        jsonwrite_int(w, "max_wrapping_ttl", g->max_ttl_ns / NS_PER_S);
    if (g->min_ttl_ns != 0)
        jsonwrite_int(w, "min_wrapping_ttl", g->min_ttl_ns / NS_PER_S);
    if (json_object_size(g->required) > 0)
        write_names(w, "required_parameters", g->required);
    jsonwrite_end(w);
}

static void resultant_finish(struct vault_job *job)
{
    const struct acl *acl = authorise_acl(job, job->token);
    if (acl == NULL)
        return;
    struct jsonwrite *w = call_data(job);
    if (!acl_is_root(acl)) {
        jsonwrite_object(w, "exact_paths");
        acl_each(acl, false, write_grant, w);
        jsonwrite_end(w);
        jsonwrite_object(w, "glob_paths");
        acl_each(acl, true, write_grant, w);
        jsonwrite_end(w);
    }
    jsonwrite_bool(w, "root", acl_is_root(acl));
    call_answer(job, CALL_DATA);
}

static const struct route_endpoint rows[] = {
    {.pattern = "capabilities",
     .operation = ROUTE_UPDATE,
     .fields = fields,
     .finish = token_finish},
    {.pattern = "capabilities-self",
     .operation = ROUTE_UPDATE,
     .fields = fields,
     .finish = self_finish},
    {.pattern = "capabilities-accessor",
     .operation = ROUTE_UPDATE,
     .fields = accessor_fields,
     .finish = accessor_finish},
    {.pattern = "internal/ui/resultant-acl", .operation = ROUTE_READ, .finish = resultant_finish},
};

const struct route_table capability_api_table = ROUTE_TABLE(rows);
