#include "fakevault/core/http/field.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/text/buf.h"
#include "base/units.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/weak.h"

bool field_parse_bool(struct slice text, bool *out)
{
    return gotext_bool(text, out);
}

enum errc field_parse_seconds(struct slice text, int64_t *out, struct errc_why *why)
{
    int64_t ns;
    enum errc code = gotext_duration(text, &ns, why);
    *out = ns / NS_PER_S;
    return code;
}

static struct slice text_of(const json_t *string)
{
    return slice_bytes(json_string_value(string), json_string_length(string));
}

static enum errc read_string(json_t *value, struct field_value *v, struct errc_why *why)
{
    TRY(weak_string("", value, &v->made, why));
    v->text = text_of(v->made);
    return ERRC_OK;
}

static enum errc read_lower(json_t *value, struct field_value *v, struct errc_why *why)
{
    TRY(read_string(value, v, why));
    struct buf lower CLEANUP(buf_done);
    buf_init(&lower, v->text.len);
    for (size_t i = 0; i < v->text.len; i++)
        buf_add_char(&lower, (char)tolower((unsigned char)v->text.ptr[i]));
    json_decref(v->made);
    v->made = json_stringn_nocheck(buf_text(&lower), lower.len);
    v->text = text_of(v->made);
    return lower.failed || v->made == NULL ? errc_fail(why, ERRC_NOMEM, "out of memory") : ERRC_OK;
}

static enum errc read_int(json_t *value, struct field_value *v, struct errc_why *why)
{
    return weak_int("", value, &v->number, why);
}

static enum errc read_bool(json_t *value, struct field_value *v, struct errc_why *why)
{
    bool flag = false;
    enum errc code = weak_bool("", value, &flag, why);
    v->number = flag;
    return code;
}

static enum errc read_signed_seconds(json_t *value, struct field_value *v, struct errc_why *why)
{
    int64_t ns = 0;
    enum errc code = weak_duration(value, &ns, why);
    v->number = ns / NS_PER_S;
    return code;
}

static enum errc read_seconds(json_t *value, struct field_value *v, struct errc_why *why)
{
    TRY(read_signed_seconds(value, v, why));
    return v->number >= 0 ? ERRC_OK
                          : errc_fail(why, ERRC_SCHEMA,
                                      "cannot provide negative value '%" PRId64 "'", v->number);
}

static enum errc read_map(json_t *value, struct field_value *v, struct errc_why *why)
{
    return weak_map(value, &v->made, why);
}

static enum errc read_pairs(json_t *value, struct field_value *v, struct errc_why *why)
{
    return weak_pairs(value, &v->made, why);
}

static enum errc read_list(json_t *value, struct field_value *v, struct errc_why *why)
{
    return weak_list(value, &v->made, why);
}

static enum errc read_slice(json_t *value, struct field_value *v, struct errc_why *why)
{
    return weak_strings(value, false, &v->made, why);
}

static enum errc read_strings(json_t *value, struct field_value *v, struct errc_why *why)
{
    return weak_strings(value, true, &v->made, why);
}

static enum errc read_ints(json_t *value, struct field_value *v, struct errc_why *why)
{
    TRY(weak_ints(value, &v->made, why));
    size_t count = json_array_size(v->made);
    v->list = calloc(count + 1, sizeof *v->list);
    if (v->list == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (; v->list_len < count; v->list_len++)
        v->list[v->list_len] = json_integer_value(json_array_get(v->made, v->list_len));
    return ERRC_OK;
}

static enum errc read_any(json_t *value, struct field_value *v, struct errc_why *why)
{
    (void)value;
    (void)v;
    (void)why;
    return ERRC_OK;
}

static enum errc (*const readers[])(json_t *value, struct field_value *v, struct errc_why *why) = {
    [FIELD_STRING] = read_string,   [FIELD_LOWER] = read_lower,
    [FIELD_INT] = read_int,         [FIELD_BOOL] = read_bool,
    [FIELD_SECONDS] = read_seconds, [FIELD_SIGNED_SECONDS] = read_signed_seconds,
    [FIELD_MAP] = read_map,         [FIELD_PAIRS] = read_pairs,
    [FIELD_LIST] = read_list,       [FIELD_SLICE] = read_slice,
    [FIELD_STRINGS] = read_strings, [FIELD_INTS] = read_ints,
    [FIELD_ANY] = read_any,
};

static bool is_period(enum field_type type)
{
    return type == FIELD_SECONDS || type == FIELD_SIGNED_SECONDS;
}

static enum errc read_one(const struct field_spec *spec, json_t *value, struct field_value *v,
                          struct errc_why *why)
{
    bool null = json_is_null(value);
    v->present = value != NULL && !(null && is_period(spec->type));
    if (!v->present) {
        v->text = slice_of(spec->text);
        v->number = spec->number;
        return ERRC_OK;
    }
    enum errc code = readers[spec->type](value, v, why);
    v->tree = null ? NULL : v->made != NULL ? v->made : value;
    if (code != ERRC_SCHEMA)
        return code;
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * ERRC_WHY_MAX);
    gojson_print(value, &shown);
    errc_prefix(why, "error converting input %.200s for field \"%s\"", buf_text(&shown),
                spec->name);
    return code;
}

enum errc field_read(struct field_set *set, const struct field_spec *specs, json_t *data,
                     struct errc_why *why)
{
    *set = (struct field_set){.specs = specs};
    for (const struct field_spec *s = specs; s != NULL && s->name != NULL; s++) {
        CHECK(set->count < FIELD_MAX);
        TRY(read_one(s, json_object_get(data, s->name), &set->values[set->count++], why));
    }
    return ERRC_OK;
}

void field_done(struct field_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        json_decref(set->values[i].made);
        free(set->values[i].list);
    }
    *set = (struct field_set){0};
}

const struct field_value *field_get(const struct field_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->specs[i].name, name) == 0)
            return &set->values[i];
    bool in_table = false;
    CHECK(in_table); /* a name that the endpoint's table does not have */
    return NULL;
}

const json_t *field_tree(const struct field_set *set, const char *name)
{
    return field_get(set, name)->tree;
}

struct slice field_text(const struct field_set *set, const char *name)
{
    return field_get(set, name)->text;
}

int64_t field_number(const struct field_set *set, const char *name)
{
    return field_get(set, name)->number;
}

bool field_flag(const struct field_set *set, const char *name)
{
    return field_get(set, name)->number != 0;
}

bool field_known(const struct field_spec *specs, const char *name)
{
    for (const struct field_spec *s = specs; s != NULL && s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return true;
    return false;
}
