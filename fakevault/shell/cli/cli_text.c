#include "fakevault/shell/cli/cli_text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/limits.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/shell/cli/cli_pool.h"

#define LINE_COLUMNS 78u
#define COLUMN_GAP 4u
#define COLUMNS_MAX 20u
#define WORDS_MAX 200u        /* of a paragraph; what is behind them stays on its last line */
#define TOO_LONG_COST 100000l /* of a line over the limit */
#define EMPTY_CELL "n/a"

/* ---- tables ---- */

void cli_text_table_init(struct cli_text_table *table, size_t columns)
{
    CHECK(columns <= COLUMNS_MAX);
    *table = (struct cli_text_table){.columns = columns, .cells = json_array()};
    CHECK(table->cells != NULL);
}

void cli_text_table_done(struct cli_text_table *table)
{
    json_decref(table->cells);
}

void cli_text_cell(struct cli_text_table *table, const char *text)
{
    const struct slice trimmed = slice_trim(slice_of(text));
    cli_pool_append(table->cells, trimmed.len == 0
                                      ? json_string(EMPTY_CELL)
                                      : json_stringn_nocheck(trimmed.ptr, trimmed.len));
}

void cli_text_cellf(struct cli_text_table *table, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    CHECK(len >= 0);
    cli_text_cell(table, text);
    free(text);
}

static const char *cell(const struct cli_text_table *table, size_t row, size_t column)
{
    return json_string_value(json_array_get(table->cells, row * table->columns + column));
}

static size_t rows_of(const struct cli_text_table *table)
{
    return json_array_size(table->cells) / table->columns;
}

static void pad(struct buf *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add_char(out, c);
}

static void add_row(const struct cli_text_table *table, size_t row, bool dashes,
                    const size_t widths[], struct buf *out)
{
    for (size_t c = 0; c < table->columns; c++) {
        const char *text = cell(table, row, c);
        if (dashes)
            pad(out, '-', strlen(text));
        else
            buf_add_text(out, text);
        if (c + 1 < table->columns)
            pad(out, ' ', widths[c] - strlen(text) + COLUMN_GAP);
    }
}

void cli_text_table_format(const struct cli_text_table *table, bool heading, struct buf *out)
{
    size_t widths[COLUMNS_MAX] = {0};
    size_t rows = rows_of(table);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < table->columns; c++) {
            size_t len = strlen(cell(table, r, c));
            widths[c] = len > widths[c] ? len : widths[c];
        }
    for (size_t r = 0; r < rows; r++) {
        if (r > 0)
            buf_add_char(out, '\n');
        add_row(table, r, false, widths, out);
        if (r == 0 && heading) {
            buf_add_char(out, '\n');
            add_row(table, r, true, widths, out);
        }
    }
}

/* ---- words and numbers ---- */

/* Columns of the words first..last on one line. */
static long line_columns(const struct slice words[], size_t first, size_t last)
{
    long columns = (long)(last - first);
    for (size_t i = first; i <= last; i++)
        columns += (long)words[i].len;
    return columns;
}

/*
 * Where each line that begins with a word best ends: the sum of the squares of what is left free
 * on all lines but the last is least, as Vault's texts are broken (not each line as full as it
 * can be). ends[i] is the first word behind a line that begins with word i.
 */
static void break_lines(const struct slice words[], size_t count, long limit, size_t ends[])
{
    long cost[WORDS_MAX];
    for (size_t i = count; i-- > 0;) {
        cost[i] = i + 1 == count || line_columns(words, i, count - 1) <= limit ? 0 : LONG_MAX;
        ends[i] = count;
        for (size_t j = i + 1; cost[i] != 0 && j < count; j++) {
            long columns = line_columns(words, i, j - 1), left = limit - columns;
            long c = left * left + cost[j] + (columns > limit ? TOO_LONG_COST : 0);
            if (c >= cost[i])
                continue;
            cost[i] = c;
            ends[i] = j;
        }
    }
}

static void wrap_paragraph(struct slice text, size_t indent, struct buf *out)
{
    struct slice words[WORDS_MAX];
    size_t ends[WORDS_MAX], count = 0, line = 0;
    while (text.len > 0 && count < WORDS_MAX)
        words[count++] = slice_cut(&text, ' ');
    break_lines(words, count, (long)(LINE_COLUMNS - indent), ends);
    for (size_t i = 0; i < count; i++) {
        bool breaks = i == line;
        if (i > 0)
            buf_add_char(out, breaks ? '\n' : ' ');
        if (breaks) {
            pad(out, ' ', indent);
            line = ends[i];
        }
        buf_add_slice(out, words[i]);
    }
    if (text.len > 0)
        buf_add_char(out, ' ');
    buf_add_slice(out, text);
}

void cli_text_wrap(const char *text, size_t indent, struct buf *out)
{
    struct slice rest = slice_of(text);
    for (;;) {
        size_t len = slice_find(rest, '\n');
        wrap_paragraph(slice_bytes(rest.ptr, len), indent, out);
        if (len == rest.len)
            return;
        buf_add_char(out, '\n');
        rest = slice_from(rest, len + 1);
    }
}

void cli_text_go_duration(int64_t seconds, struct buf *out)
{
    if (seconds < 0)
        buf_add_char(out, '-');
    uint64_t s = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    if (s >= 3600)
        buf_addf(out, "%" PRIu64 "h", s / 3600);
    if (s >= 60)
        buf_addf(out, "%" PRIu64 "m", s / 60 % 60);
    buf_addf(out, "%" PRIu64 "s", s % 60);
}

void cli_text_duration(int64_t seconds, struct buf *out)
{
    size_t start = out->len;
    cli_text_go_duration(seconds, out);
    struct slice text = slice_from(buf_slice(out), start);
    if (slice_ends_with(text, "m0s"))
        text.len -= 2;
    if (slice_ends_with(text, "h0m"))
        text.len -= 2;
    out->len = start + text.len;
    if (out->ptr != NULL)
        out->ptr[out->len] = '\0';
}

static bool looks_like_duration(const char *key)
{
    static const char *const names[] = {"period", "ttl", "duration"};
    if (strcmp(key, "lease_max") == 0 || strcmp(key, "ttl_max") == 0)
        return true;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t len = strlen(key), tail = strlen(names[i]);
        if (len < tail || strcmp(key + len - tail, names[i]) != 0)
            continue;
        if (len == tail || key[len - tail - 1] == '_')
            return true;
    }
    return false;
}

void cli_text_value(const char *key, const json_t *value, struct buf *out)
{
    if (key != NULL && json_is_integer(value) && looks_like_duration(key))
        cli_text_duration(json_integer_value(value), out);
    else
        gojson_print(value, out);
}

void cli_text_quoted(const json_t *list, struct buf *out)
{
    size_t i;
    const json_t *item;
    buf_add_char(out, '[');
    json_array_foreach(list, i, item)
        buf_addf(out, "%s\"%s\"", i > 0 ? " " : "", json_string_value(item));
    buf_add_char(out, ']');
}

void cli_text_title(const char *title, size_t width, struct buf *out)
{
    size_t len = strlen(title) + 2;
    size_t signs = width > len ? width - len : 4;
    signs = (signs + 1) / 2;
    pad(out, '=', signs);
    buf_addf(out, " %s ", title);
    pad(out, '=', signs);
}

/* ---- JSON ---- */

static void new_line(struct buf *out, size_t depth)
{
    buf_add_char(out, '\n');
    pad(out, ' ', depth * 2);
}

/* Copies the string that begins at `at` and returns where it ends. */
static size_t copy_string(struct slice json, size_t at, struct buf *out)
{
    size_t end = at + 1;
    while (json.ptr[end] != '"')
        end += json.ptr[end] == '\\' ? 2 : 1;
    buf_add(out, json.ptr + at, end + 1 - at);
    return end;
}

void cli_text_indent(struct slice json, struct buf *out)
{
    size_t depth = 0;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        bool open = c == '{' || c == '[', close = c == '}' || c == ']';
        bool empty = open && (json.ptr[i + 1] == '}' || json.ptr[i + 1] == ']');
        if (c == '"') {
            i = copy_string(json, i, out);
            continue;
        }
        if (close && json.ptr[i - 1] != '{' && json.ptr[i - 1] != '[')
            new_line(out, depth - 1);
        depth = open ? depth + 1 : close ? depth - 1 : depth;
        buf_add_char(out, c);
        if (c == ':')
            buf_add_char(out, ' ');
        else if (c == ',' || (open && !empty))
            new_line(out, depth);
    }
}

static void write_real(struct jsonwrite *w, const char *key, double real)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    jsonwrite_raw(w, key, slice_of(text));
}

static void write_value(struct jsonwrite *w, const char *key, const json_t *value)
{
    const char *name;
    json_t *item;
    size_t i;
    if (json_is_object(value)) {
        jsonwrite_object(w, key);
        json_object_foreach((json_t *)(uintptr_t)value, name, item) write_value(w, name, item);
        jsonwrite_end(w);
    } else if (json_is_array(value)) {
        jsonwrite_array(w, key);
        json_array_foreach(value, i, item) write_value(w, NULL, item);
        jsonwrite_end(w);
    } else if (json_is_real(value)) {
        write_real(w, key, json_real_value(value));
    } else {
        jsonwrite_value(w, key, value);
    }
}

void cli_text_json(const json_t *value, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_GO_HTML);
    write_value(&w, NULL, value);
}
