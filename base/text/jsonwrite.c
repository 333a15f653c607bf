#include "base/text/jsonwrite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

void jsonwrite_init(struct jsonwrite *w, struct buf *out, enum jsonwrite_style style)
{
    *w = (struct jsonwrite){.out = out, .style = style};
}

/* Returns how many bytes of s start a UTF-8 sequence that Go's style escapes
 * (U+2028, U+2029), or 0. */
static size_t line_separator(struct slice s)
{
    if (s.len < 3 || memcmp(s.ptr, "\xe2\x80", 2) != 0)
        return 0;
    unsigned char last = (unsigned char)s.ptr[2];
    return last == 0xa8 || last == 0xa9 ? 3 : 0;
}

static void add_escaped(struct jsonwrite *w, unsigned char c)
{
    static const char short_form[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    bool go = w->style == JSONWRITE_GO_HTML;
    if (c == '"' || c == '\\')
        buf_addf(w->out, "\\%c", c);
    else if (c < sizeof short_form && short_form[c] != 0 && !(go && (c == '\b' || c == '\f')))
        buf_addf(w->out, "\\%c", short_form[c]);
    else
        buf_addf(w->out, "\\u%04x", c);
}

/* Bytes that a style may have to escape: all styles, or Go's. */
enum { EVERY = 1, GO = 2 };
static const unsigned char suspects[256] = {
    [0 ... 0x1f] = EVERY, ['"'] = EVERY, ['\\'] = EVERY, ['<'] = GO,
    ['>'] = GO,           ['&'] = GO,    [0xe2] = GO, /* begins U+2028 and U+2029 */
};

/* Returns the offset of the next such byte from `i` on, or s.len. */
static size_t next_suspect(const struct jsonwrite *w, struct slice s, size_t i)
{
    unsigned char mask = w->style == JSONWRITE_GO_HTML ? EVERY | GO : EVERY;
    while (i < s.len && (suspects[(unsigned char)s.ptr[i]] & mask) == 0)
        i++;
    return i;
}

static void add_quoted(struct jsonwrite *w, struct slice s)
{
    size_t done = 0;
    buf_add_char(w->out, '"');
    for (size_t i = next_suspect(w, s, 0); i < s.len; i = next_suspect(w, s, i)) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t separator = line_separator(slice_from(s, i));
        if (c == 0xe2 && separator == 0) {
            i++;
            continue;
        }
        buf_add(w->out, s.ptr + done, i - done);
        if (separator > 0)
            buf_addf(w->out, "\\u202%c", (unsigned char)s.ptr[i + 2] == 0xa8 ? '8' : '9');
        else
            add_escaped(w, c);
        i += separator > 0 ? separator : 1;
        done = i;
    }
    buf_add(w->out, s.ptr == NULL ? "" : s.ptr + done, s.len - done);
    buf_add_char(w->out, '"');
}

/* Writes what stands before a value: the comma and the key. */
static void lead(struct jsonwrite *w, const char *key)
{
    bool in_object = w->depth > 0 && w->open[w->depth - 1] == '}';
    CHECK(in_object == (key != NULL));
    if (w->comma)
        buf_add_char(w->out, ',');
    w->comma = true;
    if (key != NULL) {
        add_quoted(w, slice_of(key));
        buf_add_char(w->out, ':');
    }
}

static void push(struct jsonwrite *w, const char *key, char opening, char closing)
{
    lead(w, key);
    CHECK(w->depth < JSONWRITE_DEPTH_MAX);
    w->open[w->depth++] = closing;
    w->comma = false;
    buf_add_char(w->out, opening);
}

void jsonwrite_object(struct jsonwrite *w, const char *key)
{
    push(w, key, '{', '}');
}

void jsonwrite_array(struct jsonwrite *w, const char *key)
{
    push(w, key, '[', ']');
}

void jsonwrite_end(struct jsonwrite *w)
{
    CHECK(w->depth > 0);
    buf_add_char(w->out, w->open[--w->depth]);
    w->comma = true;
}

void jsonwrite_slice(struct jsonwrite *w, const char *key, struct slice value)
{
    lead(w, key);
    add_quoted(w, value);
}

void jsonwrite_string(struct jsonwrite *w, const char *key, const char *value)
{
    if (value == NULL)
        jsonwrite_null(w, key);
    else
        jsonwrite_slice(w, key, slice_of(value));
}

void jsonwrite_int(struct jsonwrite *w, const char *key, int64_t value)
{
    lead(w, key);
    buf_add_int(w->out, value);
}

/* The fewest digits that are read as the same value: "d.ddde[+-]x". */
static void shortest(double value, char text[static 32])
{
    for (int digits = 0; digits <= 17; digits++) {
        (void)snprintf(text, 32, "%.*e", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

/* Digits without point at a decimal exponent: 12, 3 -> 1200; 12, -2 -> 0.012. */
static void add_positional(struct buf *out, const char *digits, int exponent)
{
    int count = (int)strlen(digits);
    if (exponent < 0) {
        buf_add_text(out, "0.");
        for (int i = -1; i > exponent; i--)
            buf_add_char(out, '0');
        buf_add_text(out, digits);
        return;
    }
    for (int i = 0; i <= exponent || i < count; i++) {
        if (i == exponent + 1)
            buf_add_char(out, '.');
        buf_add_char(out, i < count ? digits[i] : '0');
    }
}

void jsonwrite_real(struct jsonwrite *w, const char *key, double value)
{
    char text[32] = "", digits[32] = "";
    lead(w, key);
    if (signbit(value))
        buf_add_char(w->out, '-');
    shortest(fabs(value), text);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    size_t count = 0;
    for (const char *c = text; *c != 'e'; c++)
        if (*c != '.')
            digits[count++] = *c;
    digits[count] = '\0';
    if (exponent >= -6 && exponent < 21)
        add_positional(w->out, digits, exponent);
    else
        buf_addf(w->out, "%c%s%se%+d", digits[0], count > 1 ? "." : "", digits + 1, exponent);
}

void jsonwrite_bool(struct jsonwrite *w, const char *key, bool value)
{
    lead(w, key);
    buf_add_text(w->out, value ? "true" : "false");
}

void jsonwrite_null(struct jsonwrite *w, const char *key)
{
    lead(w, key);
    buf_add_text(w->out, "null");
}

void jsonwrite_raw(struct jsonwrite *w, const char *key, struct slice json)
{
    lead(w, key);
    buf_add_slice(w->out, json);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_object(struct jsonwrite *w, const json_t *object)
{
    size_t n = 0, count = json_object_size(object);
    const char **names = calloc(count + 1, sizeof *names);
    if (names == NULL) {
        w->out->failed = true;
        return;
    }
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, name, member) names[n++] = name;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++)
        jsonwrite_value(w, names[i], json_object_get(object, names[i]));
    free(names);
}

static void write_text(struct jsonwrite *w, const char *key, struct slice text)
{
    if (text.len > 0 && text.ptr[0] == JSONWRITE_NUMBER_MARK)
        jsonwrite_raw(w, key, slice_from(text, 1));
    else
        jsonwrite_slice(w, key, text);
}

void jsonwrite_value(struct jsonwrite *w, const char *key, const json_t *value)
{
    if (w->scalar != NULL && (json_is_string(value) || json_is_number(value))) {
        w->scalar(w, key, value);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        jsonwrite_object(w, key);
        write_object(w, value);
        jsonwrite_end(w);
        break;
    case JSON_ARRAY:
        jsonwrite_array(w, key);
        for (size_t i = 0; i < json_array_size(value); i++)
            jsonwrite_value(w, NULL, json_array_get(value, i));
        jsonwrite_end(w);
        break;
    case JSON_STRING:
        write_text(w, key, slice_bytes(json_string_value(value), json_string_length(value)));
        break;
    case JSON_INTEGER:
        jsonwrite_int(w, key, json_integer_value(value));
        break;
    case JSON_REAL:
        jsonwrite_real(w, key, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        jsonwrite_bool(w, key, json_is_true(value));
        break;
    case JSON_NULL:
        jsonwrite_null(w, key);
        break;
    }
}
