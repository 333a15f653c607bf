#include "chaos/core/scenario/check/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void lint_done(struct lint *lint)
{
    if (lint == NULL)
        return;
    free(lint->items);
    *lint = (struct lint){0};
}

void lint_add(struct lint *lint, size_t line, size_t column, const char *field, const char *format,
              ...)
{
    if (lint->count == LINT_MAX) {
        lint->dropped++;
        return;
    }
    if (lint->items == NULL)
        lint->items = calloc(LINT_MAX, sizeof *lint->items);
    if (lint->items == NULL) {
        lint->failed = true;
        return;
    }
    struct lint_finding *finding = &lint->items[lint->count++];
    finding->line = line;
    finding->column = column;
    (void)snprintf(finding->field, sizeof finding->field, "%s", field);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(finding->reason.text, sizeof finding->reason.text, format, args);
    va_end(args);
}

static int by_place(const void *left, const void *right)
{
    const struct lint_finding *a = left, *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return 0;
}

void lint_sort(struct lint *lint)
{
    if (lint->count > 1)
        qsort(lint->items, lint->count, sizeof *lint->items, by_place);
}

void lint_format(const struct lint *lint, const char *file, struct buf *out)
{
    for (size_t i = 0; i < lint->count; i++) {
        const struct lint_finding *f = &lint->items[i];
        buf_addf(out, "%s:%zu:%zu: %s%s%s\n", file, f->line, f->column, f->field,
                 f->field[0] == '\0' ? "" : ": ", f->reason.text);
    }
    if (lint->dropped > 0)
        buf_addf(out, "%s: %zu more\n", file, lint->dropped);
}
