#include "fakevault/core/http/weak.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"

#define NAME_BYTES 300u /* of a place like "[12]" or "[key]"; a longer one is cut */
#define SHOWN_MAX (4 * ERRC_WHY_MAX)

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

static enum errc given(json_t *made, json_t **out, struct errc_why *why)
{
    *out = made;
    return made == NULL ? no_memory(why) : ERRC_OK;
}

static bool is_nothing(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

static struct slice text_of(const json_t *string)
{
    return slice_bytes(json_string_value(string), json_string_length(string));
}

/* The text of a string or number, which Go's decoder does not tell apart. */
static bool kind_is_string(const json_t *value, char room[static GOJSON_NUMBER_BYTES],
                           struct slice *text)
{
    return gojson_number(value, room, text) || gojson_string(value, text);
}

static enum errc unconvertible(const char *name, const char *wanted, const json_t *value,
                               struct errc_why *why)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, SHOWN_MAX);
    gojson_print(value, &shown);
    return errc_fail(why, ERRC_SCHEMA,
                     "'%s' expected type '%s', got unconvertible type '%s', value: '%s'", name,
                     wanted, gojson_type_name(value), buf_text(&shown));
}

/* --- scalars ---------------------------------------------------------------------------------- */

enum errc weak_string(const char *name, json_t *value, json_t **out, struct errc_why *why)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    if (gojson_string(value, &text))
        return given(json_incref(value), out, why);
    if (gojson_number(value, room, &text))
        return given(json_stringn_nocheck(text.ptr, text.len), out, why);
    if (json_is_boolean(value))
        return given(json_string(json_is_true(value) ? "1" : "0"), out, why);
    if (is_nothing(value))
        return given(json_string(""), out, why);
    return unconvertible(name, "string", value, why);
}

enum errc weak_int(const char *name, json_t *value, int64_t *out, struct errc_why *why)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    *out = json_is_true(value);
    if (is_nothing(value) || json_is_boolean(value))
        return ERRC_OK;
    if (!kind_is_string(value, room, &text))
        return unconvertible(name, "int", value, why);
    if (text.len == 0 || gotext_int(text, 0, out, why) == ERRC_OK)
        return ERRC_OK;
    errc_prefix(why, "cannot parse '%s' as int", name);
    return ERRC_SCHEMA;
}

enum errc weak_bool(const char *name, json_t *value, bool *out, struct errc_why *why)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    *out = json_is_true(value);
    if (is_nothing(value) || json_is_boolean(value))
        return ERRC_OK;
    if (!kind_is_string(value, room, &text))
        return unconvertible(name, "bool", value, why);
    if (text.len == 0 || gotext_bool(text, out))
        return ERRC_OK;
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, SHOWN_MAX);
    gotext_quote(text, &shown);
    return errc_fail(why, ERRC_SCHEMA,
                     "cannot parse '%s' as bool: strconv.ParseBool: parsing %s: invalid syntax",
                     name, buf_text(&shown));
}

enum errc weak_duration(json_t *value, int64_t *out_ns, struct errc_why *why)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    *out_ns = 0;
    if (is_nothing(value))
        return ERRC_OK;
    if (!kind_is_string(value, room, &text))
        return errc_fail(why, ERRC_SCHEMA, "could not parse duration from input");
    return gotext_duration(text, out_ns, why) == ERRC_OK ? ERRC_OK : ERRC_SCHEMA;
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Errors of the items of a list: counted, and told in order. */
struct complaints {
    json_t *lines;
    struct errc_why *why;
};

static enum errc note(struct complaints *c, enum errc code, const struct errc_why *line)
{
    if (code != ERRC_SCHEMA)
        return code;
    json_t *text = json_stringn_nocheck(line->text, strlen(line->text));
    return json_array_append_new(c->lines, text) == 0 ? ERRC_OK : no_memory(c->why);
}

static size_t first_line(const json_t *lines)
{
    size_t first = 0;
    for (size_t i = 1; i < json_array_size(lines); i++)
        if (strcmp(json_string_value(json_array_get(lines, i)),
                   json_string_value(json_array_get(lines, first))) < 0)
            first = i;
    return first;
}

/* ERRC_OK when nothing was noted. */
static enum errc conclude(struct complaints *c)
{
    size_t count = json_array_size(c->lines);
    if (count == 0)
        return ERRC_OK;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, SHOWN_MAX);
    buf_addf(&text, "%zu error(s) decoding:\n\n", count);
    for (size_t i = 0; i < count && !text.failed; i++) {
        size_t first = first_line(c->lines);
        buf_addf(&text, "%s* %s", i == 0 ? "" : "\n",
                 json_string_value(json_array_get(c->lines, first)));
        (void)json_array_remove(c->lines, first);
    }
    return errc_fail(c->why, ERRC_SCHEMA, "%s", buf_text(&text));
}

/* "a,b" as a list of texts. */
static enum errc cut_at_commas(struct slice rest, json_t **out, struct errc_why *why)
{
    json_t *list CLEANUP(jsonread_done) = json_array();
    for (bool more = rest.len > 0; more;) {
        more = slice_find(rest, ',') < rest.len;
        struct slice part = slice_cut(&rest, ',');
        if (json_array_append_new(
                list, json_stringn_nocheck(part.len == 0 ? "" : part.ptr, part.len)) != 0)
            return no_memory(why);
    }
    return given(json_incref(list), out, why);
}

enum errc weak_list(json_t *value, json_t **out, struct errc_why *why)
{
    if (json_is_array(value))
        return given(json_incref(value), out, why);
    json_t *list = json_array();
    bool empty = is_nothing(value) || (json_is_object(value) && json_object_size(value) == 0);
    if (!empty && json_array_append(list, value) != 0) {
        json_decref(list);
        list = NULL;
    }
    return given(list, out, why);
}

/* The items that a value stands for, before they are converted. */
static enum errc items_of(json_t *value, bool commas, json_t **out, struct errc_why *why)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    if (commas && kind_is_string(value, room, &text))
        return cut_at_commas(text, out, why);
    return weak_list(value, out, why);
}

static json_t *trimmed(json_t *string)
{
    struct slice text = slice_trim(text_of(string));
    json_t *made = text.len == json_string_length(string)
                       ? json_incref(string)
                       : json_stringn_nocheck(text.ptr, text.len);
    json_decref(string);
    return made;
}

static enum errc convert_string(const char *name, json_t *item, json_t **out, struct errc_why *why)
{
    return weak_string(name, item, out, why);
}

static enum errc convert_trimmed(const char *name, json_t *item, json_t **out, struct errc_why *why)
{
    json_t *string;
    TRY(weak_string(name, item, &string, why));
    return given(trimmed(string), out, why);
}

static enum errc convert_int(const char *name, json_t *item, json_t **out, struct errc_why *why)
{
    int64_t number;
    TRY(weak_int(name, item, &number, why));
    return given(json_integer(number), out, why);
}

static enum errc convert_items(const json_t *items,
                               enum errc (*convert)(const char *name, json_t *item, json_t **out,
                                                    struct errc_why *why),
                               json_t **out, struct errc_why *why)
{
    json_t *list CLEANUP(jsonread_done) = json_array();
    json_t *lines CLEANUP(jsonread_done) = json_array();
    struct complaints c = {lines, why};
    if (list == NULL || lines == NULL)
        return no_memory(why);
    for (size_t i = 0; i < json_array_size(items); i++) {
        char name[NAME_BYTES];
        struct errc_why line = {{0}};
        json_t *item = NULL;
        (void)snprintf(name, sizeof name, "[%zu]", i);
        enum errc code = convert(name, json_array_get(items, i), &item, &line);
        if (code == ERRC_OK && json_array_append_new(list, item) != 0)
            code = ERRC_NOMEM;
        if (code != ERRC_OK)
            TRY(note(&c, code, &line));
    }
    TRY(conclude(&c));
    return given(json_incref(list), out, why);
}

enum errc weak_strings(json_t *value, bool commas, json_t **out, struct errc_why *why)
{
    struct slice text;
    json_t *items CLEANUP(jsonread_done) = NULL;
    if (gojson_string(value, &text) && text.len == 0)
        return given(json_array(), out, why);
    TRY(items_of(value, commas, &items, why));
    return convert_items(items, convert_trimmed, out, why);
}

enum errc weak_ints(json_t *value, json_t **out, struct errc_why *why)
{
    json_t *items CLEANUP(jsonread_done) = NULL;
    TRY(items_of(value, true, &items, why));
    return convert_items(items, convert_int, out, why);
}

/* --- maps ------------------------------------------------------------------------------------- */

static enum errc not_a_map(const char *name, const json_t *value, struct errc_why *why)
{
    return errc_fail(why, ERRC_SCHEMA, "'%s' expected a map, got '%s'", name,
                     gojson_kind_name(value));
}

/* Merges what the items of a list say; the first that is no object ends it. */
static enum errc merge_items(const char *name, const json_t *list, json_t *into,
                             struct errc_why *why)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char inner[NAME_BYTES];
        const json_t *item = json_array_get(list, i);
        (void)snprintf(inner, sizeof inner, "%.200s[%zu]", name, i);
        if (json_is_array(item))
            TRY(merge_items(inner, item, into, why));
        else if (json_is_object(item) && json_object_update(into, (json_t *)(uintptr_t)item) != 0)
            return no_memory(why);
        else if (!json_is_object(item) && !is_nothing(item))
            return not_a_map(inner, item, why);
    }
    return ERRC_OK;
}

enum errc weak_map(json_t *value, json_t **out, struct errc_why *why)
{
    if (json_is_object(value))
        return given(json_incref(value), out, why);
    if (!is_nothing(value) && !json_is_array(value))
        return not_a_map("", value, why);
    json_t *map CLEANUP(jsonread_done) = json_object();
    if (map == NULL)
        return no_memory(why);
    TRY(merge_items("", value, map, why));
    return given(json_incref(map), out, why);
}

/* A map of texts; ERRC_SCHEMA when a value cannot be one. */
static enum errc strings_of_map(json_t *map, json_t **out, struct errc_why *why)
{
    const char *key;
    json_t *value;
    json_t *pairs CLEANUP(jsonread_done) = json_object();
    if (pairs == NULL)
        return no_memory(why);
    json_object_foreach(map, key, value)
    {
        json_t *text;
        TRY(weak_string("", value, &text, why));
        if (json_object_set_new_nocheck(pairs, key, text) != 0)
            return no_memory(why);
    }
    return given(json_incref(pairs), out, why);
}

static enum errc add_pair(json_t *pairs, struct slice whole, struct errc_why *why)
{
    struct slice value = whole, key = slice_cut(&value, '=');
    if (key.len == whole.len || key.len == 0) {
        struct buf shown CLEANUP(buf_done);
        buf_init(&shown, SHOWN_MAX);
        gotext_quote(whole, &shown);
        return errc_fail(why, ERRC_SCHEMA, "invalid key pair %s", buf_text(&shown));
    }
    json_t *text = json_stringn_nocheck(value.len == 0 ? "" : value.ptr, value.len);
    return json_object_setn_new_nocheck(pairs, key.ptr, key.len, text) == 0 ? ERRC_OK
                                                                            : no_memory(why);
}

static enum errc pairs_of_list(json_t *value, json_t **out, struct errc_why *why)
{
    json_t *items CLEANUP(jsonread_done) = NULL, *texts CLEANUP(jsonread_done) = NULL;
    json_t *pairs CLEANUP(jsonread_done) = json_object();
    TRY(weak_list(value, &items, why));
    TRY(convert_items(items, convert_string, &texts, why));
    if (pairs == NULL)
        return no_memory(why);
    for (size_t i = 0; i < json_array_size(texts); i++)
        TRY(add_pair(pairs, text_of(json_array_get(texts, i)), why));
    return given(json_incref(pairs), out, why);
}

enum errc weak_pairs(json_t *value, json_t **out, struct errc_why *why)
{
    json_t *map CLEANUP(jsonread_done) = NULL;
    enum errc code = weak_map(value, &map, why);
    if (code == ERRC_OK)
        code = strings_of_map(map, out, why);
    return code == ERRC_SCHEMA ? pairs_of_list(value, out, why) : code;
}
