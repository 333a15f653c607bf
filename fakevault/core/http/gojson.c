#include "fakevault/core/http/gojson.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/http/gotext.h"

struct reader {
    struct slice text;
    size_t at;
    unsigned depth;
    struct errc_why *why;
};

static enum errc read_value(struct reader *r, json_t **out);

static enum errc no_memory(struct reader *r)
{
    return errc_fail(r->why, ERRC_NOMEM, "out of memory");
}

static void skip_space(struct reader *r)
{
    while (r->at < r->text.len && memchr(" \t\r\n", r->text.ptr[r->at], 4) != NULL)
        r->at++;
}

static bool at_end(const struct reader *r)
{
    return r->at >= r->text.len;
}

static char peek(const struct reader *r)
{
    return r->text.ptr[r->at];
}

/* Go's quoteChar. */
static enum errc bad_character(struct reader *r, const char *context)
{
    if (at_end(r))
        return errc_fail(r->why, ERRC_SYNTAX, "unexpected EOF");
    unsigned char c = (unsigned char)peek(r);
    char shown[16] = {(char)c, '\0'};
    if (c == '\'' || c == '\\')
        (void)snprintf(shown, sizeof shown, "\\%c", c);
    else if (c == '\n' || c == '\t' || c == '\r')
        (void)snprintf(shown, sizeof shown, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    else if (c < 0x20 || c == 0x7f)
        (void)snprintf(shown, sizeof shown, "\\x%02x", c);
    else if (c >= 0x80)
        (void)snprintf(shown, sizeof shown, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
    return errc_fail(r->why, ERRC_SYNTAX, "invalid character '%s' %s", shown, context);
}

static enum errc read_word(struct reader *r, const char *word, json_t *value, json_t **out)
{
    for (size_t i = 0; word[i] != '\0'; i++, r->at++) {
        if (!at_end(r) && peek(r) == word[i])
            continue;
        char context[64];
        (void)snprintf(context, sizeof context, "in literal %s (expecting '%c')", word, word[i]);
        json_decref(value);
        return bad_character(r, context);
    }
    *out = value;
    return value == NULL ? no_memory(r) : ERRC_OK;
}

static void skip_digits(struct reader *r)
{
    while (!at_end(r) && peek(r) >= '0' && peek(r) <= '9')
        r->at++;
}

static bool at_digit(const struct reader *r)
{
    return !at_end(r) && peek(r) >= '0' && peek(r) <= '9';
}

static enum errc scan_number(struct reader *r, bool *integer)
{
    *integer = true;
    if (peek(r) == '-')
        r->at++;
    if (!at_digit(r))
        return bad_character(r, "in numeric literal");
    if (peek(r) == '0')
        r->at++;
    else
        skip_digits(r);
    if (!at_end(r) && peek(r) == '.') {
        r->at++;
        *integer = false;
        if (!at_digit(r))
            return bad_character(r, "after decimal point in numeric literal");
        skip_digits(r);
    }
    if (at_end(r) || (peek(r) != 'e' && peek(r) != 'E'))
        return ERRC_OK;
    r->at++;
    *integer = false;
    if (!at_end(r) && (peek(r) == '+' || peek(r) == '-'))
        r->at++;
    if (!at_digit(r))
        return bad_character(r, "in exponent of numeric literal");
    skip_digits(r);
    return ERRC_OK;
}

/* What a 64-bit integer cannot say (1.50, 1e3, -0, 2^64) is kept as it was written. */
static json_t *number_as_written(struct slice text)
{
    struct buf marked CLEANUP(buf_done);
    buf_init(&marked, text.len + 1);
    buf_add_char(&marked, JSONWRITE_NUMBER_MARK);
    buf_add_slice(&marked, text);
    return marked.failed ? NULL : json_stringn_nocheck(buf_text(&marked), marked.len);
}

static enum errc read_number(struct reader *r, json_t **out)
{
    size_t start = r->at;
    bool integer;
    int64_t number;
    TRY(scan_number(r, &integer));
    struct slice text = {r->text.ptr + start, r->at - start};
    if (integer && !slice_equal_text(text, "-0") && gotext_int(text, 10, &number, NULL) == ERRC_OK)
        *out = json_integer(number);
    else
        *out = number_as_written(text);
    return *out == NULL ? no_memory(r) : ERRC_OK;
}

bool gojson_number(const json_t *value, char room[static GOJSON_NUMBER_BYTES], struct slice *text)
{
    if (json_is_integer(value)) {
        (void)snprintf(room, GOJSON_NUMBER_BYTES, "%" PRId64, (int64_t)json_integer_value(value));
        *text = slice_of(room);
        return true;
    }
    *text = slice_bytes(json_string_value(value), json_string_length(value));
    if (text->len == 0 || text->ptr[0] != JSONWRITE_NUMBER_MARK)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

bool gojson_string(const json_t *value, struct slice *text)
{
    *text = slice_bytes(json_string_value(value), json_string_length(value));
    return json_is_string(value) && (text->len == 0 || text->ptr[0] != JSONWRITE_NUMBER_MARK);
}

static void add_utf8(struct buf *out, uint32_t rune)
{
    if (rune < 0x80) {
        buf_add_char(out, (char)rune);
    } else if (rune < 0x800) {
        buf_add_char(out, (char)(0xc0 | rune >> 6));
        buf_add_char(out, (char)(0x80 | (rune & 0x3f)));
    } else if (rune < 0x10000) {
        buf_add_char(out, (char)(0xe0 | rune >> 12));
        buf_add_char(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_add_char(out, (char)(0x80 | (rune & 0x3f)));
    } else {
        buf_add_char(out, (char)(0xf0 | rune >> 18));
        buf_add_char(out, (char)(0x80 | (rune >> 12 & 0x3f)));
        buf_add_char(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_add_char(out, (char)(0x80 | (rune & 0x3f)));
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the four digits behind "\u". */
static enum errc read_hex4(struct reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = at_end(r) ? -1 : hex_digit(peek(r));
        if (digit < 0)
            return bad_character(r, "in \\u hexadecimal character escape");
        *out = *out << 4 | (uint32_t)digit;
    }
    return ERRC_OK;
}

static enum errc read_unicode(struct reader *r, struct buf *out)
{
    uint32_t rune, low;
    TRY(read_hex4(r, &rune));
    if (rune >= 0xd800 && rune < 0xdc00 && r->text.len - r->at >= 6 && peek(r) == '\\' &&
        r->text.ptr[r->at + 1] == 'u') {
        size_t kept = r->at;
        r->at += 2;
        TRY(read_hex4(r, &low));
        if (low >= 0xdc00 && low < 0xe000) {
            add_utf8(out, 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00));
            return ERRC_OK;
        }
        r->at = kept;
    }
    add_utf8(out, rune >= 0xd800 && rune < 0xe000 ? 0xfffd : rune);
    return ERRC_OK;
}

static enum errc read_escape(struct reader *r, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    r->at++;
    if (at_end(r))
        return bad_character(r, "");
    if (peek(r) == 'u') {
        r->at++;
        return read_unicode(r, out);
    }
    const char *found = peek(r) == '\0' ? NULL : strchr(from, peek(r));
    if (found == NULL)
        return bad_character(r, "in string escape code");
    buf_add_char(out, to[found - from]);
    r->at++;
    return ERRC_OK;
}

/* Returns the length of the valid UTF-8 sequence at p, or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90);
    return overlong || beyond ? 0 : n;
}

/* Appends the first character of text, or U+FFFD for what is none; returns the bytes it took. */
static size_t add_valid(struct slice text, struct buf *out)
{
    size_t n = utf8_length((const unsigned char *)text.ptr, text.len);
    if (n == 0)
        add_utf8(out, 0xfffd);
    else
        buf_add(out, text.ptr, n);
    return n == 0 ? 1 : n;
}

void gojson_valid_utf8(struct slice text, struct buf *out)
{
    while (text.len > 0)
        text = slice_from(text, add_valid(text, out));
}

static enum errc read_text(struct reader *r, struct buf *out)
{
    for (r->at++; !at_end(r) && peek(r) != '"';) {
        if (peek(r) == '\\') {
            TRY(read_escape(r, out));
            continue;
        }
        if ((unsigned char)peek(r) < 0x20)
            return bad_character(r, "in string literal");
        r->at += add_valid(slice_from(r->text, r->at), out);
    }
    if (at_end(r))
        return bad_character(r, "");
    r->at++;
    return out->failed ? no_memory(r) : ERRC_OK;
}

static enum errc read_string(struct reader *r, json_t **out)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, r->text.len * 3 + 1);
    TRY(read_text(r, &text));
    *out = json_stringn_nocheck(buf_text(&text), text.len);
    return *out == NULL ? no_memory(r) : ERRC_OK;
}

static enum errc read_member(struct reader *r, json_t *object)
{
    struct buf key CLEANUP(buf_done);
    buf_init(&key, r->text.len * 3 + 1);
    if (at_end(r) || peek(r) != '"')
        return bad_character(r, "looking for beginning of object key string");
    TRY(read_text(r, &key));
    skip_space(r);
    if (at_end(r) || peek(r) != ':')
        return bad_character(r, "after object key");
    r->at++;
    json_t *value = NULL;
    TRY(read_value(r, &value));
    return json_object_setn_new_nocheck(object, buf_text(&key), key.len, value) == 0 ? ERRC_OK
                                                                                     : no_memory(r);
}

static enum errc read_members(struct reader *r, json_t *object)
{
    r->at++;
    skip_space(r);
    if (!at_end(r) && peek(r) == '}') {
        r->at++;
        return ERRC_OK;
    }
    for (;;) {
        skip_space(r);
        TRY(read_member(r, object));
        skip_space(r);
        if (at_end(r) || (peek(r) != ',' && peek(r) != '}'))
            return bad_character(r, "after object key:value pair");
        if (r->text.ptr[r->at++] == '}')
            return ERRC_OK;
    }
}

static enum errc read_elements(struct reader *r, json_t *array)
{
    r->at++;
    skip_space(r);
    if (!at_end(r) && peek(r) == ']') {
        r->at++;
        return ERRC_OK;
    }
    for (;;) {
        json_t *value = NULL;
        TRY(read_value(r, &value));
        if (json_array_append_new(array, value) != 0)
            return no_memory(r);
        skip_space(r);
        if (at_end(r) || (peek(r) != ',' && peek(r) != ']'))
            return bad_character(r, "after array element");
        if (r->text.ptr[r->at++] == ']')
            return ERRC_OK;
    }
}

static enum errc read_container(struct reader *r, bool object, json_t **out)
{
    if (++r->depth > LIMIT_JSON_DEPTH)
        return errc_fail(r->why, ERRC_TOO_BIG, "exceeded max depth");
    json_t *value CLEANUP(jsonread_done) = object ? json_object() : json_array();
    if (value == NULL)
        return no_memory(r);
    TRY(object ? read_members(r, value) : read_elements(r, value));
    r->depth--;
    *out = json_incref(value);
    return ERRC_OK;
}

static enum errc read_value(struct reader *r, json_t **out)
{
    skip_space(r);
    if (at_end(r))
        return bad_character(r, "");
    switch (peek(r)) {
    case '{':
        return read_container(r, true, out);
    case '[':
        return read_container(r, false, out);
    case '"':
        return read_string(r, out);
    case 't':
        return read_word(r, "true", json_true(), out);
    case 'f':
        return read_word(r, "false", json_false(), out);
    case 'n':
        return read_word(r, "null", json_null(), out);
    default:
        if (peek(r) == '-' || at_digit(r))
            return read_number(r, out);
        return bad_character(r, "looking for beginning of value");
    }
}

enum errc gojson_parse(struct slice text, json_t **out, struct errc_why *why)
{
    struct reader r = {.text = text, .why = why};
    skip_space(&r);
    if (at_end(&r))
        return errc_fail(why, ERRC_NOT_FOUND, "EOF");
    *out = NULL;
    return read_value(&r, out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As a Go map prints: keys in order. */
static void print_sorted(const json_t *object, struct buf *out)
{
    size_t n = 0;
    const char **names = calloc(json_object_size(object) + 1, sizeof *names);
    if (names == NULL) {
        out->failed = true;
        return;
    }
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)object, name, member) names[n++] = name;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n && !out->failed; i++) {
        buf_addf(out, "%s%s:", i == 0 ? "" : " ", names[i]);
        gojson_print(json_object_get(object, names[i]), out);
    }
    free(names);
}

static void print_list(const json_t *array, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(array) && !out->failed; i++) {
        if (i > 0)
            buf_add_char(out, ' ');
        gojson_print(json_array_get(array, i), out);
    }
}

void gojson_print(const json_t *value, struct buf *out)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    if (gojson_number(value, room, &text) || gojson_string(value, &text)) {
        buf_add_slice(out, text);
    } else if (json_is_object(value)) {
        buf_add_text(out, "map[");
        print_sorted(value, out);
        buf_add_char(out, ']');
    } else if (json_is_array(value)) {
        buf_add_char(out, '[');
        print_list(value, out);
        buf_add_char(out, ']');
    } else {
        buf_add_text(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "<nil>");
    }
}

const char *gojson_type_name(const json_t *value)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice text;
    return gojson_number(value, room, &text) ? "json.Number"
           : json_is_string(value)           ? "string"
           : json_is_object(value)           ? "map[string]interface {}"
           : json_is_array(value)            ? "[]interface {}"
           : json_is_boolean(value)          ? "bool"
                                             : "nil";
}

const char *gojson_kind_name(const json_t *value)
{
    return json_is_object(value)    ? "map"
           : json_is_array(value)   ? "slice"
           : json_is_boolean(value) ? "bool"
                                    : "string";
}
