#include "signer/core/bundle/canonical.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Appends one string with its quotes. */
static void add_string(struct slice text, struct buf *out)
{
    static const char short_forms[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c >= 0x20)
            buf_add_char(out, (char)c);
        else if (short_forms[c] != 0)
            buf_addf(out, "\\%c", short_forms[c]);
        else
            buf_addf(out, "\\u%04x", c);
    }
    buf_add_char(out, '"');
}

void canonical_pae(struct slice type, struct slice body, struct buf *out)
{
    buf_addf(out, "DSSEv1 %zu %.*s %zu ", type.len, SLICE_FMT(type), body.len);
    buf_add_slice(out, body);
}

static enum errc format_value(const json_t *value, size_t depth, struct buf *out,
                              struct errc_why *why);

/* strcmp orders by unsigned bytes, which for UTF-8 is the order of code points. */
static int by_bytes(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static void free_keys(const char ***keys)
{
    free((void *)*keys);
}

static enum errc format_object(const json_t *object, size_t depth, struct buf *out,
                               struct errc_why *why)
{
    size_t count = json_object_size(object);
    const char **keys CLEANUP(free_keys) = calloc(count + 1, sizeof *keys);
    if (keys == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    /* jansson's iterators want a pointer to non-const and change nothing. */
    json_t *walked = (json_t *)(uintptr_t)object;
    size_t n = 0;
    for (void *i = json_object_iter(walked); i != NULL; i = json_object_iter_next(walked, i))
        keys[n++] = json_object_iter_key(i);
    qsort((void *)keys, n, sizeof *keys, by_bytes);
    buf_add_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        add_string(slice_of(keys[i]), out);
        buf_add_char(out, ':');
        enum errc code = format_value(json_object_get(object, keys[i]), depth, out, why);
        if (code != ERRC_OK) {
            errc_prefix(why, "\"%.60s\"", keys[i]);
            return code;
        }
    }
    buf_add_char(out, '}');
    return ERRC_OK;
}

static enum errc format_array(const json_t *array, size_t depth, struct buf *out,
                              struct errc_why *why)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            buf_add_char(out, ',');
        enum errc code = format_value(json_array_get(array, i), depth, out, why);
        if (code != ERRC_OK) {
            errc_prefix(why, "[%zu]", i);
            return code;
        }
    }
    buf_add_char(out, ']');
    return ERRC_OK;
}

static enum errc format_value(const json_t *value, size_t depth, struct buf *out,
                              struct errc_why *why)
{
    if (depth == 0)
        return errc_fail(why, ERRC_SCHEMA, "nested deeper than %u", LIMIT_JSON_DEPTH);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return format_object(value, depth - 1, out, why);
    case JSON_ARRAY:
        return format_array(value, depth - 1, out, why);
    case JSON_STRING:
        add_string(slice_bytes(json_string_value(value), json_string_length(value)), out);
        return ERRC_OK;
    case JSON_INTEGER:
        buf_addf(out, "%lld", (long long)json_integer_value(value));
        return ERRC_OK;
    case JSON_REAL:
        return errc_fail(why, ERRC_SCHEMA,
                         "a number with a fraction or exponent cannot be signed: write it as a "
                         "string");
    case JSON_TRUE:
        buf_add_text(out, "true");
        return ERRC_OK;
    case JSON_FALSE:
        buf_add_text(out, "false");
        return ERRC_OK;
    case JSON_NULL:
        buf_add_text(out, "null");
        return ERRC_OK;
    }
    return errc_fail(why, ERRC_INTERNAL, "a value of no JSON type");
}

enum errc canonical_format(const json_t *value, struct buf *out, struct errc_why *why)
{
    TRY(format_value(value, LIMIT_JSON_DEPTH, out, why));
    return buf_status(out, why);
}
