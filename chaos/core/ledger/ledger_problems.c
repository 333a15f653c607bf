#include "chaos/core/ledger/ledger_problems.h"

#include <stdarg.h>
#include <stdio.h>

void ledger_problems_add(struct ledger_problems *problems, struct pool *pool, const char *file,
                         size_t line, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *kept =
        problems->count < LEDGER_PROBLEMS_MAX ? pool_text(pool, slice_of(text)) : NULL;
    if (kept != NULL)
        problems->items[problems->count++] =
            (struct ledger_problem){.file = file, .line = line, .text = kept};
}
