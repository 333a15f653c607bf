#include "fakevault/core/http/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/text/buf.h"
#include "fakevault/core/http/fieldlist.h"
#include "fakevault/core/http/gojson.h"

bool field_parse_bool(struct slice text, bool *out)
{
    static const char *const spellings[2][6] = {{"0", "f", "F", "FALSE", "false", "False"},
                                                {"1", "t", "T", "TRUE", "true", "True"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 6; i++)
            if (slice_equal_text(text, spellings[value][i])) {
                *out = value == 1;
                return true;
            }
    return false;
}

/* Go's strconv.ParseInt(text, 0, 64), of decimal, octal and hexadecimal numbers. */
static bool parse_int(struct slice text, int64_t *out)
{
    char copy[40];
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    char first = copy[copy[0] == '-' || copy[0] == '+'];
    if (first < '0' || first > '9')
        return false;
    char *end;
    errno = 0;
    *out = strtoll(copy, &end, 0);
    return errno == 0 && *end == '\0' && end == copy + text.len;
}

static bool unit_seconds(struct slice *rest, double *seconds)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!slice_starts_with(*rest, units[i].name))
            continue;
        *seconds = units[i].seconds;
        *rest = slice_from(*rest, strlen(units[i].name));
        return true;
    }
    return false;
}

/* Reads number and unit, number and unit, ... */
static bool parse_units(struct slice text, double *total)
{
    *total = 0;
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        double value = 0, scale = 1, unit;
        size_t digits = 0;
        bool point = false;
        for (; text.len > 0; text = slice_from(text, 1)) {
            char c = text.ptr[0];
            if (c == '.' && !point) {
                point = true;
            } else if (c >= '0' && c <= '9') {
                value = value * 10 + (c - '0');
                scale *= point ? 10 : 1;
                digits++;
            } else {
                break;
            }
        }
        if (digits == 0 || digits > 18 || !unit_seconds(&text, &unit))
            return false;
        *total += value / scale * unit;
    }
    return *total < 9.2e9;
}

enum errc field_parse_seconds(struct slice text, int64_t *out, struct errc_why *why)
{
    *out = 0;
    if (text.len == 0 || parse_int(text, out))
        return ERRC_OK;
    if (slice_ends_with(text, "d")) {
        int64_t days;
        struct slice number = {text.ptr, text.len - 1};
        if (parse_int(number, &days) && days < 100000 && days > -100000) {
            *out = days * 86400;
            return ERRC_OK;
        }
        return errc_fail(why, ERRC_SYNTAX, "strconv.ParseInt: parsing \"%.*s\": invalid syntax",
                         SLICE_FMT(number));
    }
    bool negative = slice_starts_with(text, "-");
    double total;
    if (!parse_units(slice_from(text, negative ? 1 : 0), &total))
        return errc_fail(why, ERRC_SYNTAX, "time: invalid duration \"%.*s\"", SLICE_FMT(text));
    *out = (int64_t)(negative ? -total : total);
    return ERRC_OK;
}

/* "'' expected type 'string', got unconvertible type 'map[string]interface {}', value: 'map[a:1]'"
 */
static enum errc unconvertible(const json_t *value, const char *wanted, char *reason)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * ERRC_WHY_MAX);
    gojson_print(value, &shown);
    (void)snprintf(reason, FIELDLIST_REASON_MAX,
                   "'' expected type '%s', got unconvertible type '%s', value: '%s'", wanted,
                   gojson_type_name(value), buf_text(&shown));
    return ERRC_SCHEMA;
}

static enum errc read_string(const json_t *value, struct field_value *v, char *reason)
{
    enum errc code = fieldlist_scalar(value, v);
    return code == ERRC_NOT_FOUND ? unconvertible(value, "string", reason) : code;
}

static enum errc read_int(const json_t *value, struct field_value *v, char *reason)
{
    if (json_is_boolean(value)) {
        v->number = json_is_true(value);
        return ERRC_OK;
    }
    enum errc code = fieldlist_scalar(value, v);
    if (code == ERRC_NOT_FOUND)
        return unconvertible(value, "int", reason);
    if (code != ERRC_OK || v->text.len == 0 || parse_int(v->text, &v->number))
        return code;
    if (json_is_string(value))
        (void)snprintf(reason, FIELDLIST_REASON_MAX,
                       "cannot parse '' as int: strconv.ParseInt: parsing \"%.*s\": invalid syntax",
                       SLICE_FMT(v->text));
    else
        (void)snprintf(reason, FIELDLIST_REASON_MAX,
                       "error decoding json.Number into : strconv.ParseInt: parsing \"%.*s\": "
                       "invalid syntax",
                       SLICE_FMT(v->text));
    return ERRC_SCHEMA;
}

static enum errc read_bool(const json_t *value, struct field_value *v, char *reason)
{
    if (json_is_boolean(value)) {
        v->number = json_is_true(value);
        return ERRC_OK;
    }
    enum errc code = fieldlist_scalar(value, v);
    if (code == ERRC_NOT_FOUND)
        return unconvertible(value, "bool", reason);
    bool flag = false;
    if (code != ERRC_OK || v->text.len == 0)
        return code;
    if (!field_parse_bool(v->text, &flag)) {
        (void)snprintf(
            reason, FIELDLIST_REASON_MAX,
            "cannot parse '' as bool: strconv.ParseBool: parsing \"%.*s\": invalid syntax",
            SLICE_FMT(v->text));
        return ERRC_SCHEMA;
    }
    v->number = flag;
    return ERRC_OK;
}

static enum errc read_seconds(const json_t *value, struct field_value *v, char *reason)
{
    struct errc_why why = {{0}};
    enum errc code = fieldlist_scalar(value, v);
    if (code == ERRC_NOT_FOUND)
        return unconvertible(value, "time.Duration", reason);
    if (code == ERRC_OK && field_parse_seconds(v->text, &v->number, &why) != ERRC_OK) {
        (void)snprintf(reason, FIELDLIST_REASON_MAX, "%.200s", why.text);
        return ERRC_SCHEMA;
    }
    if (code == ERRC_OK && v->number < 0) {
        (void)snprintf(reason, FIELDLIST_REASON_MAX, "cannot provide negative value '%" PRId64 "'",
                       v->number);
        return ERRC_SCHEMA;
    }
    return code;
}

static enum errc read_map(const json_t *value, struct field_value *v, char *reason)
{
    (void)v;
    if (json_is_object(value))
        return ERRC_OK;
    (void)snprintf(reason, FIELDLIST_REASON_MAX, "'' expected a map, got '%s'",
                   gojson_type_name(value));
    return ERRC_SCHEMA;
}

static enum errc add_number(struct field_value *v, int64_t number)
{
    int64_t *grown = realloc(v->list, (v->list_len + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    v->list = grown;
    v->list[v->list_len++] = number;
    return ERRC_OK;
}

static enum errc add_numbers(const json_t *value, struct field_value *v, char *reason)
{
    struct field_value item = {0};
    enum errc code = fieldlist_scalar(value, &item);
    struct slice rest = item.text;
    while (code == ERRC_OK && rest.len > 0) {
        int64_t number;
        struct slice word = slice_trim(slice_cut(&rest, ','));
        if (!parse_int(word, &number)) {
            (void)snprintf(
                reason, FIELDLIST_REASON_MAX,
                "cannot parse '[%zu]' as int: strconv.ParseInt: parsing \"%.*s\": invalid syntax",
                v->list_len, SLICE_FMT(word));
            code = ERRC_SCHEMA;
        } else {
            code = add_number(v, number);
        }
    }
    free(item.owned);
    return code == ERRC_NOT_FOUND ? unconvertible(value, "int", reason) : code;
}

static enum errc read_ints(const json_t *value, struct field_value *v, char *reason)
{
    if (!json_is_array(value))
        return add_numbers(value, v, reason);
    for (size_t i = 0; i < json_array_size(value); i++)
        TRY(add_numbers(json_array_get(value, i), v, reason));
    return ERRC_OK;
}

static enum errc read_any(const json_t *value, struct field_value *v, char *reason)
{
    (void)value;
    (void)v;
    (void)reason;
    return ERRC_OK;
}

static enum errc (*const readers[])(const json_t *value, struct field_value *v, char *reason) = {
    [FIELD_STRING] = read_string,
    [FIELD_INT] = read_int,
    [FIELD_BOOL] = read_bool,
    [FIELD_SECONDS] = read_seconds,
    [FIELD_MAP] = read_map,
    [FIELD_INTS] = read_ints,
    [FIELD_ANY] = read_any,
    [FIELD_STRINGS] = fieldlist_read_strings,
    [FIELD_SLICE] = fieldlist_read_slice,
    [FIELD_PAIRS] = fieldlist_read_pairs,
};

static enum errc read_one(const struct field_spec *spec, json_t *value, struct field_value *v,
                          struct errc_why *why)
{
    v->present = value != NULL;
    if (value == NULL) {
        v->text = slice_of(spec->text);
        v->number = spec->number;
        return ERRC_OK;
    }
    if (json_is_null(value))
        return ERRC_OK;
    v->tree = value;
    char reason[FIELDLIST_REASON_MAX];
    enum errc code = readers[spec->type](value, v, reason);
    if (code != ERRC_SCHEMA)
        return code == ERRC_OK ? ERRC_OK : errc_fail(why, code, "out of memory");
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * ERRC_WHY_MAX);
    gojson_print(value, &shown);
    return errc_fail(why, ERRC_SCHEMA, "error converting input %.200s for field \"%s\": %s",
                     buf_text(&shown), spec->name, reason);
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
        free(set->values[i].owned);
        free(set->values[i].list);
        json_decref(set->values[i].made);
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
