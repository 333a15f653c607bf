/*
 * cli_text: texts as the `vault` command lays them out.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/text/buf.h"
#include "base/text/slice.h"

/*
 * Rows of cells for tables; a cell is trimmed, an empty one prints as "n/a". All rows have the same
 * number of columns.
 */
struct cli_text_table {
    size_t columns;
    json_t *cells; /* array of strings, row after row; owned */
};

void cli_text_table_init(struct cli_text_table *table, size_t columns);
void cli_text_table_done(struct cli_text_table *table);
void cli_text_cell(struct cli_text_table *table, const char *text);
void cli_text_cellf(struct cli_text_table *table, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends the table, columns four blanks apart; with `heading`, the first row is underlined. */
void cli_text_table_format(const struct cli_text_table *table, bool heading, struct buf *out);

/* Appends text with lines broken at blanks so that none is longer than 78 columns. */
void cli_text_wrap(const char *text, size_t indent, struct buf *out);

/* Appends seconds as Vault shows them: 0s, 90s as 1m30s, 3600 as 1h. */
void cli_text_duration(int64_t seconds, struct buf *out);

/* The same as Go's Duration prints itself: 1h0m0s. */
void cli_text_go_duration(int64_t seconds, struct buf *out);

/* Appends value as Go's %v, or as a duration when the key's name looks like one. */
void cli_text_value(const char *key, const json_t *value, struct buf *out);

/* Appends a list of strings as Go's %q does: ["a" "b"]. */
void cli_text_quoted(const json_t *list, struct buf *out);

/* Appends "=== title ===", as wide as `width` or as the title needs. */
void cli_text_title(const char *title, size_t width, struct buf *out);

/* Appends compact JSON with Go's indentation of two blanks. */
void cli_text_indent(struct slice json, struct buf *out);

/* Appends a tree as compact JSON, keys in the order in which they were set, escaped as Go does. */
void cli_text_json(const json_t *value, struct buf *out);
