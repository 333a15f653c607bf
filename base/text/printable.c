#include "base/text/printable.h"

#include <string.h>

#include "base/count.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Code points that a terminal obeys instead of showing them, or that hide or turn text. */
static const struct {
    uint32_t from;
    uint32_t to;
} hidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
};

static bool is_hidden(uint32_t point)
{
    for (size_t i = 0; i < COUNT(hidden); i++)
        if (point >= hidden[i].from && point <= hidden[i].to)
            return true;
    return false;
}

/* Returns the length of the character at the start of s, and the code point; 0 when it is none. */
static size_t decode(struct slice s, uint32_t *point)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *bytes = (const unsigned char *)s.ptr;
    for (size_t form = 0; form < COUNT(forms); form++) {
        if ((bytes[0] & forms[form].mask) != forms[form].lead)
            continue;
        uint32_t value = bytes[0] & (unsigned char)~forms[form].mask;
        if (form + 1 > s.len)
            return 0;
        for (size_t i = 1; i <= form; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (bytes[i] & 0x3fu);
        }
        *point = value;
        bool good = value >= forms[form].least && value <= 0x10ffff &&
                    !(value >= 0xd800 && value <= 0xdfff);
        return good ? form + 1 : 0;
    }
    return 0;
}

static void add(struct slice text, bool one_line, struct buf *out)
{
    while (text.len > 0) {
        uint32_t point = 0;
        size_t len = decode(text, &point);
        if (len == 0)
            buf_add_text(out, REPLACEMENT);
        else if (!is_hidden(point) || (!one_line && (point == '\n' || point == '\t')))
            buf_add(out, text.ptr, len);
        else
            buf_addf(out, "\\u%04x", (unsigned)point);
        text = slice_from(text, len == 0 ? 1 : len);
    }
}

void printable_text(struct slice text, struct buf *out)
{
    add(text, false, out);
}

/* Without memory nothing is shown rather than something raw. */
struct printable printable_line(const char *text)
{
    static const char dots[] = "...";
    struct printable made = {""};
    struct buf out CLEANUP(buf_done);
    buf_init(&out, PRINTABLE_BYTES - sizeof dots);
    add(slice_of(text), true, &out);
    memcpy(made.text, buf_text(&out), out.len + 1 - (out.ptr == NULL));
    if (out.failed)
        strcpy(made.text + out.len, dots);
    return made;
}

bool printable_clean(const char *text)
{
    for (struct slice rest = slice_of(text); rest.len > 0;) {
        uint32_t point = 0;
        size_t len = decode(rest, &point);
        if (len == 0 || is_hidden(point))
            return false;
        rest = slice_from(rest, len);
    }
    return true;
}
