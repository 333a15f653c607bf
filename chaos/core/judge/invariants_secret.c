#include "chaos/core/judge/invariants_secret.h"

#include <string.h>

static size_t line_at(struct slice text, const char *at)
{
    size_t line = 1;
    for (const char *c = text.ptr; c < at; c++)
        line += *c == '\n';
    return line;
}

void invariants_secret_none(struct invariants_case *c)
{
    const struct evidence *e = c->evidence;
    for (size_t i = 0; i < e->text_count; i++)
        for (size_t k = 0; k < e->canary_count; k++) {
            const struct slice text = e->texts[i].text, secret = e->canaries[k].bytes;
            const char *at = secret.len < 4 || text.len == 0
                                 ? NULL
                                 : memmem(text.ptr, text.len, secret.ptr, secret.len);
            if (at != NULL)
                invariants_case_violated(c, 0, "expected no secret in %s, found the %s (%s:%zu)",
                                         e->texts[i].name, e->canaries[k].name, e->texts[i].name,
                                         line_at(text, at));
        }
}
