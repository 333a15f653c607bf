#include "fakevault/core/audit/audit_lines.h"

#include <stdlib.h>

#include "base/limits.h"

enum errc audit_lines_new(const struct audit_table *t, struct audit_lines *out)
{
    *out = (struct audit_lines){0};
    if (t->count == 0)
        return ERRC_OK;
    out->items = calloc(t->count, sizeof *out->items);
    if (out->items == NULL)
        return ERRC_NOMEM;
    for (; out->count < t->count; out->count++) {
        out->items[out->count].device = audit_device_keep(t->items[out->count]);
        buf_init(&out->items[out->count].text, LIMIT_REPLY_BODY_BYTES * 2);
    }
    return ERRC_OK;
}

bool audit_lines_write(const struct audit_lines *lines)
{
    bool taken = lines->count == 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct audit_line *line = &lines->items[i];
        struct audit_sink *sink = line->device->sink;
        taken = (!line->text.failed &&
                 (sink == NULL ||
                  line->device->port->write(sink, buf_slice(&line->text), NULL) == ERRC_OK)) ||
                taken;
    }
    return taken;
}

void audit_lines_done(struct audit_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        buf_done(&lines->items[i].text);
        audit_device_release(lines->items[i].device);
    }
    free(lines->items);
    *lines = (struct audit_lines){0};
}
