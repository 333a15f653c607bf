#include "base/text/jsonread.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/buf.h"
#include "base/wipe.h"

/* jansson reports most failed allocations as a syntax error or with no sentence at all; only its
 * allocator knows. */
static _Thread_local bool ran_out;
static pthread_once_t allocator_once = PTHREAD_ONCE_INIT;

static void *allocate(size_t size)
{
    void *ptr = malloc(size);
    ran_out = ran_out || ptr == NULL;
    return ptr;
}

static void install_allocator(void)
{
    json_set_alloc_funcs(allocate, wipe_free);
}

void jsonread_install(void)
{
    (void)pthread_once(&allocator_once, install_allocator);
}

static size_t depth_of(struct slice text)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

enum errc jsonread_parse(struct slice text, json_t **out, struct errc_why *why)
{
    if (depth_of(text) > LIMIT_JSON_DEPTH)
        return errc_fail(why, ERRC_SYNTAX, "JSON nested deeper than %u", LIMIT_JSON_DEPTH);
    jsonread_install();
    ran_out = false;
    json_error_t error;
    json_t *value = json_loadb(text.ptr == NULL ? "" : text.ptr, text.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (ran_out) {
        /* Also when there is a value: jansson drops the character for which its buffer could not
         * grow, and goes on. */
        json_decref(value);
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    }
    if (value != NULL) {
        *out = value;
        return ERRC_OK;
    }
    return errc_fail(why, ERRC_SYNTAX, "line %d column %d: %s", error.line, error.column,
                     error.text);
}

void jsonread_done(json_t **value)
{
    if (value == NULL)
        return;
    json_decref(*value);
    *value = NULL;
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array",     [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a real number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null",
    };
    return names[json_typeof(value)];
}

static enum errc wrong(const json_t *object, const char *field, const char *wanted,
                       struct errc_why *why)
{
    const json_t *value = json_object_get(object, field);
    if (value == NULL)
        return errc_fail(why, ERRC_SCHEMA, "field \"%s\" is missing, want %s", field, wanted);
    return errc_fail(why, ERRC_SCHEMA, "field \"%s\" is %s, want %s", field, type_name(value),
                     wanted);
}

enum errc jsonread_string(const json_t *object, const char *field, const char **out,
                          struct errc_why *why)
{
    const json_t *value = json_object_get(object, field);
    if (!json_is_string(value))
        return wrong(object, field, "a string", why);
    *out = json_string_value(value);
    return ERRC_OK;
}

enum errc jsonread_int(const json_t *object, const char *field, int64_t min, int64_t max,
                       int64_t *out, struct errc_why *why)
{
    const json_t *value = json_object_get(object, field);
    if (!json_is_integer(value))
        return wrong(object, field, "an integer", why);
    int64_t n = json_integer_value(value);
    if (n < min || n > max)
        return errc_fail(why, ERRC_RANGE, "field \"%s\" is %" PRId64 ", want %" PRId64 "..%" PRId64,
                         field, n, min, max);
    *out = n;
    return ERRC_OK;
}

enum errc jsonread_bool(const json_t *object, const char *field, bool *out, struct errc_why *why)
{
    const json_t *value = json_object_get(object, field);
    if (!json_is_boolean(value))
        return wrong(object, field, "true or false", why);
    *out = json_is_true(value);
    return ERRC_OK;
}

enum errc jsonread_object(const json_t *object, const char *field, json_t **out,
                          struct errc_why *why)
{
    json_t *value = json_object_get(object, field);
    if (!json_is_object(value))
        return wrong(object, field, "an object", why);
    *out = value;
    return ERRC_OK;
}

enum errc jsonread_array(const json_t *object, const char *field, json_t **out,
                         struct errc_why *why)
{
    json_t *value = json_object_get(object, field);
    if (!json_is_array(value))
        return wrong(object, field, "an array", why);
    *out = value;
    return ERRC_OK;
}

bool jsonread_has(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return value != NULL && !json_is_null(value);
}

const char *jsonread_string_or(const json_t *object, const char *field, const char *fallback)
{
    const json_t *value = json_object_get(object, field);
    return json_is_string(value) ? json_string_value(value) : fallback;
}

static bool listed(const char *name, const char *const allowed[])
{
    for (size_t i = 0; allowed[i] != NULL; i++)
        if (strcmp(name, allowed[i]) == 0)
            return true;
    return false;
}

enum errc jsonread_only(const json_t *object, const char *const allowed[], struct errc_why *why)
{
    if (!json_is_object(object))
        return errc_fail(why, ERRC_SCHEMA, "got %s, want an object", type_name(object));
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, name, member)
    {
        if (listed(name, allowed))
            continue;
        struct buf list CLEANUP(buf_done);
        buf_init(&list, ERRC_WHY_MAX);
        for (size_t i = 0; allowed[i] != NULL; i++)
            buf_addf(&list, "%s%s", i == 0 ? "" : ", ", allowed[i]);
        return errc_fail(why, ERRC_SCHEMA, "field \"%s\" is unknown, want one of: %s", name,
                         buf_text(&list));
    }
    return ERRC_OK;
}
