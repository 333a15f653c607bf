/*
 * chaos_pages: prints a page of docs/ that is made from a table:
 *     chaos_pages scenarios > docs/scenarios.md
 *     chaos_pages exit-codes > docs/exit-codes.md
 */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/core/report/schema_page.h"

static const struct {
    const char *name;
    void (*format)(struct buf *out);
} pages[] = {
    {"scenarios", schema_page_format},
    {"exit-codes", verdict_format_exit_codes},
};

int main(int argc, char *argv[])
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, (size_t)1 << 22);
    for (size_t i = 0; argc == 2 && i < COUNT(pages); i++)
        if (strcmp(argv[1], pages[i].name) == 0)
            pages[i].format(&out);
    if (out.len == 0 || out.failed) {
        (void)fputs("usage: chaos_pages scenarios|exit-codes\n", stderr);
        return 64;
    }
    (void)fputs(buf_text(&out), stdout);
    return 0;
}
