#include "fakevault/core/sys/sys_body.h"

#include <inttypes.h>
#include <strings.h>

#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/request.h"

static const char *const go_types[] = {
    [SYS_BODY_INT] = "int",
    [SYS_BODY_BOOL] = "bool",
    [SYS_BODY_STRING] = "string",
    [SYS_BODY_STRINGS] = "[]string",
};

/* The first item of a list of strings that is none; NULL when all are. */
static const json_t *bad_item(const json_t *list)
{
    struct slice text;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!gojson_string(item, &text) && !json_is_null(item))
            return item;
    }
    return NULL;
}

static bool fits(const json_t *value, enum sys_body_type type)
{
    struct slice text;
    if (json_is_null(value))
        return true;
    switch (type) {
    case SYS_BODY_INT:
        return json_is_integer(value);
    case SYS_BODY_BOOL:
        return json_is_boolean(value);
    case SYS_BODY_STRING:
        return gojson_string(value, &text);
    case SYS_BODY_STRINGS:
        return json_is_array(value) && bad_item(value) == NULL;
    }
    return false;
}

static const char *shown_type(const json_t *value)
{
    struct slice text;
    return gojson_string(value, &text) ? "string"
           : json_is_boolean(value)    ? "bool"
           : json_is_array(value)      ? "array"
           : json_is_object(value)     ? "object"
                                       : "number";
}

json_t *sys_body_get(const struct vault_job *job, const char *name)
{
    const char *key;
    json_t *value, *found = NULL;
    json_object_foreach(job->data, key, value) if (strcasecmp(key, name) == 0) found = value;
    return found;
}

static void check_field(struct vault_job *job, const char *go_struct,
                        const struct sys_body_field *field)
{
    const json_t *value = sys_body_get(job, field->name);
    if (value == NULL || fits(value, field->type))
        return;
    char shown[64], room[GOJSON_NUMBER_BYTES];
    struct slice number;
    bool list = field->type == SYS_BODY_STRINGS && json_is_array(value);
    (void)snprintf(shown, sizeof shown, "%s", shown_type(list ? bad_item(value) : value));
    if (gojson_number(value, room, &number) && field->type == SYS_BODY_INT)
        (void)snprintf(shown, sizeof shown, "number %.*s", SLICE_FMT(number));
    call_fail(job, 400,
              "failed to parse JSON input: json: cannot unmarshal %s into Go struct field %s.%s of "
              "type %s",
              shown, go_struct, field->name, list ? "string" : go_types[field->type]);
}

void sys_body_read(struct vault_job *job, const char *go_struct,
                   const struct sys_body_field *fields, size_t count)
{
    request_read_sys_body(job, go_struct);
    for (size_t i = 0; i < count && !call_answered(job); i++)
        check_field(job, go_struct, &fields[i]);
}

int64_t sys_body_int(const struct vault_job *job, const char *name)
{
    return json_integer_value(sys_body_get(job, name));
}

bool sys_body_flag(const struct vault_job *job, const char *name)
{
    return json_is_true(sys_body_get(job, name));
}

struct slice sys_body_text(const struct vault_job *job, const char *name)
{
    const json_t *value = sys_body_get(job, name);
    return slice_bytes(json_string_value(value), json_string_length(value));
}
