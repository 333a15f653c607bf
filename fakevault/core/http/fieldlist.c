#include "fakevault/core/http/fieldlist.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text/buf.h"
#include "fakevault/core/http/gojson.h"

enum errc fieldlist_scalar(const json_t *value, struct field_value *v)
{
    if (json_is_string(value)) {
        v->text = slice_bytes(json_string_value(value), json_string_length(value));
        return ERRC_OK;
    }
    char text[64];
    if (json_is_integer(value))
        (void)snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(value));
    else if (json_is_real(value))
        (void)snprintf(text, sizeof text, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        (void)snprintf(text, sizeof text, "%d", json_is_true(value) ? 1 : 0);
    else
        return ERRC_NOT_FOUND;
    v->owned = slice_dup(slice_of(text));
    v->text = slice_of(v->owned);
    return v->owned == NULL ? ERRC_NOMEM : ERRC_OK;
}

static enum errc add_text(json_t *list, struct slice text)
{
    json_t *item = json_stringn_nocheck(text.ptr == NULL ? "" : text.ptr, text.len);
    return item != NULL && json_array_append_new(list, item) == 0 ? ERRC_OK : ERRC_NOMEM;
}

/* What mapstructure says about an item of a list that is no scalar. */
static enum errc bad_item(const json_t *value, size_t at, char *reason)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * ERRC_WHY_MAX);
    gojson_print(value, &shown);
    (void)snprintf(
        reason, FIELDLIST_REASON_MAX,
        "1 error(s) decoding:\n\n* '[%zu]' expected type 'string', got unconvertible type "
        "'%s', value: '%.120s'",
        at, gojson_type_name(value), buf_text(&shown));
    return ERRC_SCHEMA;
}

static enum errc add_scalar(json_t *list, const json_t *value, char *reason)
{
    struct field_value item = {0};
    enum errc code = json_is_null(value) ? ERRC_OK : fieldlist_scalar(value, &item);
    if (code == ERRC_OK)
        code = add_text(list, item.text);
    free(item.owned);
    return code == ERRC_NOT_FOUND ? bad_item(value, json_array_size(list), reason) : code;
}

static enum errc make_list(const json_t *value, struct field_value *v, char *reason)
{
    v->tree = v->made = json_array();
    if (v->made == NULL)
        return ERRC_NOMEM;
    if (!json_is_array(value))
        return json_is_object(value) && json_object_size(value) == 0
                   ? ERRC_OK
                   : add_scalar(v->made, value, reason);
    for (size_t i = 0; i < json_array_size(value); i++)
        TRY(add_scalar(v->made, json_array_get(value, i), reason));
    return ERRC_OK;
}

enum errc fieldlist_read_slice(const json_t *value, struct field_value *v, char *reason)
{
    return make_list(value, v, reason);
}

/* Only a string is split; every item is trimmed. */
enum errc fieldlist_read_strings(const json_t *value, struct field_value *v, char *reason)
{
    json_t *whole CLEANUP(json_decrefp) = NULL;
    enum errc code = make_list(value, v, reason);
    whole = v->made;
    v->tree = v->made = code == ERRC_OK ? json_array() : NULL;
    if (code == ERRC_OK && v->made == NULL)
        code = ERRC_NOMEM;
    bool split = json_is_string(value);
    for (size_t i = 0; code == ERRC_OK && i < json_array_size(whole); i++) {
        const json_t *item = json_array_get(whole, i);
        struct slice rest = slice_bytes(json_string_value(item), json_string_length(item));
        bool more = !split || rest.len > 0;
        while (code == ERRC_OK && more) {
            more = split && slice_find(rest, ',') < rest.len;
            code = add_text(v->made, slice_trim(split ? slice_cut(&rest, ',') : rest));
        }
    }
    return code;
}

static enum errc add_pair(json_t *object, struct slice key, struct slice text)
{
    json_t *item = json_stringn_nocheck(text.ptr == NULL ? "" : text.ptr, text.len);
    return item != NULL && json_object_setn_new_nocheck(object, key.ptr, key.len, item) == 0
               ? ERRC_OK
               : ERRC_NOMEM;
}

static enum errc pairs_of_object(const json_t *value, json_t *made)
{
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        struct field_value text = {0};
        enum errc code = json_is_null(item) ? ERRC_OK : fieldlist_scalar(item, &text);
        if (code == ERRC_OK)
            code = add_pair(made, slice_of(key), text.text);
        free(text.owned);
        TRY(code);
    }
    return ERRC_OK;
}

static enum errc pairs_of_list(const json_t *list, json_t *made, char *reason)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct slice pair = slice_bytes(json_string_value(item), json_string_length(item));
        struct slice rest = pair, key = slice_cut(&rest, '=');
        if (key.len == 0 || key.len == pair.len) {
            (void)snprintf(reason, FIELDLIST_REASON_MAX, "invalid key pair \"%.*s\"",
                           SLICE_FMT(pair));
            return ERRC_SCHEMA;
        }
        TRY(add_pair(made, key, rest));
    }
    return ERRC_OK;
}

enum errc fieldlist_read_pairs(const json_t *value, struct field_value *v, char *reason)
{
    json_t *made = json_object();
    enum errc code = made == NULL ? ERRC_NOMEM : ERRC_NOT_FOUND;
    if (made != NULL && json_is_object(value))
        code = pairs_of_object(value, made);
    if (code == ERRC_NOT_FOUND)
        code = make_list(value, v, reason);
    if (code == ERRC_OK && v->made != NULL)
        code = pairs_of_list(v->made, made, reason);
    json_decref(v->made);
    v->tree = v->made = made;
    return code;
}
