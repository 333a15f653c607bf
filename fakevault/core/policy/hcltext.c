#include "fakevault/core/policy/hcltext.h"

#include <string.h>

static void add_utf8(unsigned rune, struct buf *out)
{
    if (rune >= 0xd800 && rune < 0xe000)
        rune = 0xfffd;
    if (rune < 0x80) {
        buf_add_char(out, (char)rune);
        return;
    }
    int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
    buf_add_char(out, (char)(lead[more] | rune >> (6 * more)));
    while (more-- > 0)
        buf_add_char(out, (char)(0x80 | (rune >> (6 * more) & 0x3f)));
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
}

/* Takes `count` digits off the front of text. */
static bool take_digits(struct slice *text, size_t count, unsigned base, unsigned *value)
{
    *value = 0;
    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = digit_value(text->ptr[i]);
        if (digit >= base)
            return false;
        *value = *value * base + digit;
    }
    *text = slice_from(*text, count);
    return true;
}

/* Takes what stands behind a backslash off the front of text. */
static bool unescape(struct slice *text, struct buf *out)
{
    static const char from[] = "abfnrtv\\\"", to[] = "\a\b\f\n\r\t\v\\\"";
    if (text->len == 0)
        return false;
    char c = text->ptr[0];
    const char *found = c == '\0' ? NULL : strchr(from, c);
    unsigned value;
    if (found != NULL) {
        buf_add_char(out, to[found - from]);
        *text = slice_from(*text, 1);
        return true;
    }
    if (c >= '0' && c <= '7') {
        if (!take_digits(text, 3, 8, &value) || value > 255)
            return false;
        buf_add_char(out, (char)value);
        return true;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    *text = slice_from(*text, 1);
    if (digits == 0 || !take_digits(text, digits, 16, &value) || value > 0x10ffff)
        return false;
    if (c == 'x')
        buf_add_char(out, (char)value);
    else
        add_utf8(value, out);
    return true;
}

/* Returns the length of the "${ }" at the front of text, or all of it when it has no end. */
static size_t interpolation(struct slice text)
{
    unsigned braces = 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == '{')
            braces++;
        else if (text.ptr[i] == '}' && --braces == 0)
            return i + 1;
    }
    return text.len;
}

bool hcltext_unquote(struct slice quoted, bool json, struct buf *out)
{
    if (quoted.len < 2)
        return false;
    struct slice text = {quoted.ptr + 1, quoted.len - 2};
    while (text.len > 0) {
        if (!json && slice_starts_with(text, "${")) {
            size_t n = interpolation(text);
            buf_add(out, text.ptr, n);
            text = slice_from(text, n);
            continue;
        }
        char c = text.ptr[0];
        text = slice_from(text, 1);
        if (c != '\\')
            buf_add_char(out, c);
        else if (!unescape(&text, out))
            return false;
    }
    return true;
}

/* True when each line of text begins with prefix. */
static bool all_begin_with(struct slice rest, struct slice prefix)
{
    while (prefix.len > 0 && rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        if (line.len < prefix.len || memcmp(line.ptr, prefix.ptr, prefix.len) != 0)
            return false;
    }
    return true;
}

void hcltext_heredoc(struct slice written, struct buf *out)
{
    size_t first = slice_find(written, '\n');
    bool indented = written.len > 2 && written.ptr[2] == '-';
    size_t anchor = first - (indented ? 3 : 2);
    if (first >= written.len || written.len < first + 1 + anchor + 1)
        return;
    /* Up to the last line, whose blanks are kept: they are the indentation. */
    struct slice body = {written.ptr + first + 1, written.len - first - 1 - anchor - 1};
    size_t last = body.len;
    while (last > 0 && body.ptr[last - 1] != '\n')
        last--;
    struct slice prefix = slice_from(body, last), lines = {body.ptr, last};
    if (!indented) {
        buf_add_slice(out, body);
        return;
    }
    bool strip = all_begin_with(lines, prefix);
    while (lines.len > 0) {
        struct slice line = slice_cut(&lines, '\n');
        buf_add_slice(out, slice_from(line, strip ? prefix.len : 0));
        buf_add_char(out, '\n');
    }
}
