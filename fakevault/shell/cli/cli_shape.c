#include "fakevault/shell/cli/cli_shape.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_shape auth_fields[] = {
    {"client_token", CLI_SHAPE_TEXT, false, NULL},
    {"accessor", CLI_SHAPE_TEXT, false, NULL},
    {"policies", CLI_SHAPE_ANY, false, NULL},
    {"token_policies", CLI_SHAPE_ANY, false, NULL},
    {"identity_policies", CLI_SHAPE_ANY, false, NULL},
    {"metadata", CLI_SHAPE_ANY, false, NULL},
    {"orphan", CLI_SHAPE_BOOL, false, NULL},
    {"entity_id", CLI_SHAPE_TEXT, false, NULL},
    {"lease_duration", CLI_SHAPE_NUMBER, false, NULL},
    {"renewable", CLI_SHAPE_BOOL, false, NULL},
    {"mfa_requirement", CLI_SHAPE_ANY, false, NULL},
    {0},
};

static const struct cli_shape wrap_fields[] = {
    {"token", CLI_SHAPE_TEXT, false, NULL},
    {"accessor", CLI_SHAPE_TEXT, false, NULL},
    {"ttl", CLI_SHAPE_NUMBER, false, NULL},
    {"creation_time", CLI_SHAPE_TEXT, false, NULL},
    {"creation_path", CLI_SHAPE_TEXT, false, NULL},
    {"wrapped_accessor", CLI_SHAPE_TEXT, false, NULL},
    {0},
};

const struct cli_shape cli_shape_secret[] = {
    {"request_id", CLI_SHAPE_TEXT, false, NULL},
    {"lease_id", CLI_SHAPE_TEXT, false, NULL},
    {"lease_duration", CLI_SHAPE_NUMBER, false, NULL},
    {"renewable", CLI_SHAPE_BOOL, false, NULL},
    {"data", CLI_SHAPE_ANY, false, NULL},
    {"warnings", CLI_SHAPE_ANY, false, NULL},
    {"auth", CLI_SHAPE_STRUCT, true, auth_fields},
    {"wrap_info", CLI_SHAPE_STRUCT, true, wrap_fields},
    {0},
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(struct cli_pool *pool, const json_t *from);

static json_t *sorted_object(struct cli_pool *pool, json_t *from)
{
    size_t count = json_object_size(from), n = 0;
    const char **names = cli_pool_bytes(pool, (count + 1) * sizeof(const char *));
    for (void *at = json_object_iter(from); at != NULL; at = json_object_iter_next(from, at))
        names[n++] = json_object_iter_key(at);
    qsort(names, n, sizeof(const char *), by_name);
    json_t *copy = json_object();
    for (size_t i = 0; i < n; i++)
        cli_pool_set(copy, names[i], sorted(pool, json_object_get(from, names[i])));
    return copy;
}

static json_t *sorted(struct cli_pool *pool, const json_t *from)
{
    size_t i;
    json_t *item;
    json_t *tree = (json_t *)(uintptr_t)from; /* only read, or its count of references */
    if (json_is_object(from))
        return sorted_object(pool, tree);
    if (!json_is_array(from))
        return json_incref(tree);
    json_t *copy = json_array();
    json_array_foreach(from, i, item) cli_pool_append(copy, sorted(pool, item));
    return copy;
}

json_t *cli_shape_sorted(struct cli_pool *pool, const json_t *from)
{
    return cli_pool_tree(pool, sorted(pool, from));
}

static bool is_zero(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static json_t *zero_of(enum cli_shape_type type)
{
    switch (type) {
    case CLI_SHAPE_TEXT:
        return json_string("");
    case CLI_SHAPE_NUMBER:
        return json_integer(0);
    case CLI_SHAPE_BOOL:
        return json_false();
    case CLI_SHAPE_ANY:
    case CLI_SHAPE_STRUCT:
        break;
    }
    return json_null();
}

static json_t *field_of(struct cli_pool *pool, const struct cli_shape *field, const json_t *from)
{
    json_t *value = json_object_get(from, field->name);
    if (field->type == CLI_SHAPE_STRUCT)
        return json_incref(cli_shape_apply(pool, field->fields, value));
    return value == NULL || json_is_null(value) ? zero_of(field->type) : sorted(pool, value);
}

json_t *cli_shape_apply(struct cli_pool *pool, const struct cli_shape *fields, const json_t *from)
{
    json_t *out = cli_pool_object(pool);
    for (const struct cli_shape *field = fields; field->name != NULL; field++)
        if (!field->omit_empty || !is_zero(json_object_get(from, field->name)))
            cli_pool_set(out, field->name, field_of(pool, field, from));
    return out;
}
