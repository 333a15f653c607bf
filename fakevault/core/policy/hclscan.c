#include "fakevault/core/policy/hclscan.h"

#include <string.h>

#define END 0 /* what is read at the end of the source */
#define BAD_RUNE 0xfffd

static const char *const names[] = {
    [HCLSCAN_ILLEGAL] = "ILLEGAL", [HCLSCAN_EOF] = "EOF",       [HCLSCAN_COMMENT] = "COMMENT",
    [HCLSCAN_IDENT] = "IDENT",     [HCLSCAN_NUMBER] = "NUMBER", [HCLSCAN_FLOAT] = "FLOAT",
    [HCLSCAN_BOOL] = "BOOL",       [HCLSCAN_STRING] = "STRING", [HCLSCAN_HEREDOC] = "HEREDOC",
    [HCLSCAN_NULL] = "NULL",       [HCLSCAN_LBRACK] = "LBRACK", [HCLSCAN_RBRACK] = "RBRACK",
    [HCLSCAN_LBRACE] = "LBRACE",   [HCLSCAN_RBRACE] = "RBRACE", [HCLSCAN_COMMA] = "COMMA",
    [HCLSCAN_PERIOD] = "PERIOD",   [HCLSCAN_ASSIGN] = "ASSIGN", [HCLSCAN_ADD] = "ADD",
    [HCLSCAN_SUB] = "SUB",         [HCLSCAN_COLON] = "COLON",
};

const char *hclscan_type_name(enum hclscan_type type)
{
    return names[type];
}

void hclscan_init(struct hclscan *s, struct slice source, bool json)
{
    if (source.ptr == NULL)
        source.ptr = ""; /* to be pointed into */
    *s = (struct hclscan){.source = source, .json = json, .here = {.line = 1}};
}

/* --- characters ------------------------------------------------------------------------------- */

/* Where the character read last stands. */
static struct hclscan_place last_place(const struct hclscan *s)
{
    if (s->here.column > 0)
        return s->here;
    return (struct hclscan_place){s->here.line - 1, s->line_length};
}

static void complain(struct hclscan *s, const char *what)
{
    s->complaint = what;
    s->complaint_about[0] = '\0';
    s->complaint_place = last_place(s);
}

/* Decodes the character at p; *width is 1 and the result BAD_RUNE when it is none. */
static unsigned decode(struct slice p, size_t *width)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)p.ptr;
    unsigned first = bytes[0];
    size_t n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *width = 1;
    if (n == 1)
        return first;
    if (n == 0 || n > p.len || first > 0xf4)
        return BAD_RUNE;
    unsigned rune = first & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return BAD_RUNE;
        rune = rune << 6 | (bytes[i] & 0x3f);
    }
    if (rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return BAD_RUNE;
    *width = n;
    return rune;
}

static unsigned next(struct hclscan *s)
{
    s->width = 0;
    s->here.column++;
    if (s->at >= s->source.len)
        return END;
    s->before = (struct hclscan_place){s->here.line, s->here.column - 1};
    s->at_before = s->at;
    unsigned rune = decode(slice_from(s->source, s->at), &s->width);
    s->at += s->width;
    if (rune == BAD_RUNE && s->width == 1) {
        complain(s, "illegal UTF-8 encoding");
    } else if (rune == '\n') {
        s->line_length = s->here.column;
        s->here = (struct hclscan_place){s->here.line + 1, 0};
    } else if (rune == END && !s->json) {
        complain(s, "unexpected null character (0x00)");
    }
    return rune;
}

/* Takes the last character back; not at the end. */
static void back(struct hclscan *s)
{
    s->at = s->at_before;
    s->here = s->before;
}

static unsigned peek(const struct hclscan *s)
{
    size_t width;
    return s->at >= s->source.len ? END : decode(slice_from(s->source, s->at), &width);
}

static bool is_blank(unsigned c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(unsigned c)
{
    return c >= '0' && c <= '9';
}

/* Beyond ASCII: about what Unicode calls a letter. */
static bool is_wide_letter(unsigned c)
{
    if (c < 0xc0)
        return c == 0xaa || c == 0xb5 || c == 0xba;
    bool sign = c == 0xd7 || c == 0xf7 || (c >= 0x2000 && c < 0x2070);
    return !sign && c != BAD_RUNE && c < 0x1f000;
}

static bool is_letter(unsigned c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= 0x80 && is_wide_letter(c));
}

static unsigned digit_value(unsigned c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void scan_identifier(struct hclscan *s)
{
    unsigned c = next(s);
    while (is_letter(c) || is_digit(c) || c == '-' || (c == '.' && !s->json))
        c = next(s);
    if (c != END)
        back(s);
}

static enum hclscan_type scan_word(struct hclscan *s, size_t start)
{
    scan_identifier(s);
    struct slice word = {s->source.ptr + start, s->at - start};
    if (slice_equal_text(word, "true") || slice_equal_text(word, "false"))
        return HCLSCAN_BOOL;
    if (!s->json)
        return HCLSCAN_IDENT;
    if (slice_equal_text(word, "null"))
        return HCLSCAN_NULL;
    complain(s, "illegal char");
    return HCLSCAN_ILLEGAL;
}

static void skip_digits(struct hclscan *s, unsigned c)
{
    bool any = false;
    for (; is_digit(c); any = true)
        c = next(s);
    if (any && c != END)
        back(s);
}

static void scan_exponent(struct hclscan *s)
{
    unsigned c = next(s);
    if (c == '-' || c == '+')
        c = next(s);
    skip_digits(s, c);
}

static enum hclscan_type scan_fraction(struct hclscan *s)
{
    skip_digits(s, peek(s));
    unsigned c = peek(s);
    if (c == 'e' || c == 'E') {
        (void)next(s);
        scan_exponent(s);
    }
    return HCLSCAN_FLOAT;
}

static enum hclscan_type scan_hexadecimal(struct hclscan *s)
{
    unsigned c = next(s);
    if (digit_value(c) > 15)
        complain(s, "illegal hexadecimal number");
    while (digit_value(c) <= 15)
        c = next(s);
    if (c != END)
        back(s);
    return HCLSCAN_NUMBER;
}

/* What stands behind the digits of a number begins with c. */
static enum hclscan_type scan_number_end(struct hclscan *s, unsigned c, const char *fault)
{
    if (c == 'e' || c == 'E') {
        scan_exponent(s);
        return HCLSCAN_FLOAT;
    }
    if (c == '.')
        return scan_fraction(s);
    if (fault != NULL)
        complain(s, fault);
    if (c != END)
        back(s);
    return HCLSCAN_NUMBER;
}

/* Behind a '0' of HCL. The library overlooks a bad digit that comes first. */
static enum hclscan_type scan_octal(struct hclscan *s)
{
    const char *fault = NULL;
    unsigned c = next(s);
    if (c == 'x' || c == 'X')
        return scan_hexadecimal(s);
    while (is_digit(c)) {
        c = next(s);
        if (c == '8' || c == '9')
            fault = "illegal octal number";
    }
    return scan_number_end(s, c, fault);
}

static enum hclscan_type scan_number(struct hclscan *s, unsigned first)
{
    if (first == '0' && !s->json)
        return scan_octal(s);
    bool more = is_digit(peek(s));
    skip_digits(s, first);
    return scan_number_end(s, next(s), first == '0' && more ? "numbers cannot start with 0" : NULL);
}

static void scan_digits(struct hclscan *s, unsigned c, unsigned base, int count)
{
    int left = count;
    while (left > 0 && digit_value(c) < base) {
        c = next(s);
        if (c == END)
            break;
        left--;
    }
    if (left > 0)
        complain(s, "illegal char escape");
    if (left != count && c != END)
        back(s);
}

static void scan_escape(struct hclscan *s)
{
    unsigned c = next(s);
    if (c != END && c < 0x80 && strchr("abfnrtv\\\"", (int)c) != NULL)
        return;
    if (c >= '0' && c <= '7')
        scan_digits(s, c, 8, 3);
    else if (c == 'x' || c == 'u' || c == 'U')
        scan_digits(s, next(s), 16, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    else
        complain(s, "illegal char escape");
}

/* Inside "${ }" HCL takes quotes and line ends as they come. */
static void scan_string(struct hclscan *s)
{
    unsigned braces = 0;
    for (;;) {
        unsigned c = next(s);
        bool free = braces > 0 && !s->json;
        if (c == END || (c == '\n' && !free)) {
            complain(s, "literal not terminated");
            return;
        }
        if (c == '"' && !free)
            return;
        if (braces == 0 && c == '$' && peek(s) == '{') {
            braces++;
            (void)next(s);
        } else if (braces > 0 && c == '{') {
            braces++;
        }
        if (braces > 0 && c == '}')
            braces--;
        if (c == '\\')
            scan_escape(s);
    }
}

static void scan_line_comment(struct hclscan *s)
{
    unsigned c;
    do {
        c = next(s);
    } while (c != '\n' && c != END);
    if (c != END)
        back(s);
}

static void scan_comment(struct hclscan *s, unsigned first)
{
    if (first == '/' && peek(s) != '*' && peek(s) != '/') {
        complain(s, "expected '/' for comment");
        return;
    }
    if (first == '#' || peek(s) == '/') {
        scan_line_comment(s);
        return;
    }
    (void)next(s);
    unsigned c = next(s), previous;
    do {
        if (c == END) {
            complain(s, "comment not terminated");
            return;
        }
        previous = c;
        c = next(s);
    } while (previous != '*' || c != '/');
}

/* Blanks, the anchor, carriage returns. */
static bool is_anchor_line(struct slice line, struct slice anchor)
{
    while (line.len > 0 && strchr(" \t\n\v\f\r", line.ptr[0]) != NULL && line.ptr[0] != '\0')
        line = slice_from(line, 1);
    if (line.len < anchor.len || memcmp(line.ptr, anchor.ptr, anchor.len) != 0)
        return false;
    for (size_t i = anchor.len; i < line.len; i++)
        if (line.ptr[i] != '\r')
            return false;
    return true;
}

static void scan_heredoc_lines(struct hclscan *s, struct slice anchor, size_t least)
{
    size_t start = s->at;
    for (;;) {
        unsigned c = next(s);
        if (c == END) {
            complain(s, "heredoc not terminated");
            return;
        }
        if (c != '\n')
            continue;
        struct slice line = {s->source.ptr + start, s->at - 1 - start};
        if (line.len >= least && is_anchor_line(line, anchor))
            return;
        start = s->at;
    }
}

static void scan_heredoc(struct hclscan *s)
{
    if (next(s) != '<') {
        complain(s, "heredoc expected second '<', didn't see it");
        return;
    }
    size_t start = s->at;
    unsigned c = next(s);
    bool indented = c == '-';
    if (indented)
        c = next(s);
    while (is_letter(c) || is_digit(c))
        c = next(s);
    if (c == '\r' && peek(s) == '\n')
        c = next(s);
    struct slice whole = {s->source.ptr + start, s->at - s->width - start};
    struct slice anchor = slice_from(whole, indented ? 1 : 0);
    if (c == END)
        complain(s, "heredoc not terminated");
    else if (c != '\n')
        complain(s, "invalid characters in heredoc anchor");
    else if (anchor.len == 0)
        complain(s, "zero-length heredoc anchor");
    else
        scan_heredoc_lines(s, anchor, whole.len);
}

static enum hclscan_type scan_illegal(struct hclscan *s, unsigned c)
{
    complain(s, s->json && c != '-' ? "illegal char: " : "illegal char");
    if (s->json && c != '-' && s->width < sizeof s->complaint_about) {
        memcpy(s->complaint_about, s->source.ptr + s->at - s->width, s->width);
        s->complaint_about[s->width] = '\0';
    }
    return HCLSCAN_ILLEGAL;
}

static enum hclscan_type scan_sign(struct hclscan *s, unsigned c)
{
    if (is_digit(peek(s)))
        return scan_number(s, next(s));
    return s->json ? scan_illegal(s, c) : HCLSCAN_SUB;
}

static enum hclscan_type scan_point(struct hclscan *s)
{
    if (!is_digit(peek(s)))
        return HCLSCAN_PERIOD;
    return scan_fraction(s);
}

static enum hclscan_type scan_mark(unsigned c)
{
    static const char marks[] = "[]{},";
    static const enum hclscan_type types[] = {HCLSCAN_LBRACK, HCLSCAN_RBRACK, HCLSCAN_LBRACE,
                                              HCLSCAN_RBRACE, HCLSCAN_COMMA};
    const char *found = c < 0x80 ? strchr(marks, (int)c) : NULL;
    return found == NULL ? HCLSCAN_ILLEGAL : types[found - marks];
}

/* What only HCL, or only JSON has. */
static enum hclscan_type scan_own(struct hclscan *s, unsigned c)
{
    if (s->json)
        return c == ':' ? HCLSCAN_COLON : scan_illegal(s, c);
    switch (c) {
    case '#':
    case '/':
        scan_comment(s, c);
        return HCLSCAN_COMMENT;
    case '<':
        scan_heredoc(s);
        return HCLSCAN_HEREDOC;
    case '=':
        return HCLSCAN_ASSIGN;
    case '+':
        return HCLSCAN_ADD;
    default:
        return scan_illegal(s, c);
    }
}

static enum hclscan_type scan_token(struct hclscan *s, unsigned c, size_t start)
{
    if (c == END)
        return HCLSCAN_EOF;
    if (is_letter(c))
        return scan_word(s, start);
    if (is_digit(c))
        return scan_number(s, c);
    if (scan_mark(c) != HCLSCAN_ILLEGAL)
        return scan_mark(c);
    if (c == '.')
        return scan_point(s);
    if (c == '-')
        return scan_sign(s, c);
    if (c != '"')
        return scan_own(s, c);
    scan_string(s);
    return HCLSCAN_STRING;
}

struct hclscan_token hclscan_next(struct hclscan *s)
{
    unsigned c = next(s);
    while (is_blank(c))
        c = next(s);
    size_t start = s->at - s->width;
    struct hclscan_token token = {.place = last_place(s)};
    token.type = scan_token(s, c, start);
    token.text = (struct slice){s->source.ptr + start, s->at - start};
    return token;
}
