#include "base/text/logline.h"

#include <inttypes.h>

#include "base/text/jsonwrite.h"
#include "base/text/printable.h"
#include "base/text/stamp.h"

void logline_begin(struct logline *l, struct buf *out, int64_t wall_ns, const char *level,
                   const char *actor, const char *event)
{
    char stamp[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_MILLI, stamp);
    l->out = out;
    buf_addf(out, "ts=%s level=%s actor=%s event=%s", stamp, level, actor, event);
}

static bool plain(const char *value)
{
    if (value[0] == '\0')
        return false;
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c == 0x7f)
            return false;
    return printable_clean(value);
}

void logline_add(struct logline *l, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_addf(l->out, " %s=", key);
    if (plain(value)) {
        buf_add_text(l->out, value);
        return;
    }
    struct jsonwrite w;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, l->out->max);
    jsonwrite_init(&w, &text, JSONWRITE_PLAIN);
    jsonwrite_string(&w, NULL, value);
    printable_text(buf_slice(&text), l->out);
    l->out->failed = l->out->failed || text.failed;
}

void logline_add_int(struct logline *l, const char *key, int64_t value)
{
    buf_addf(l->out, " %s=%" PRId64, key, value);
}

void logline_end(struct logline *l)
{
    buf_add_char(l->out, '\n');
}
