#include "fakevault/core/http/gotext.h"

#include <string.h>

#include "base/count.h"
#include "base/units.h"

#define NS_LIMIT ((uint64_t)1 << 63) /* beyond this a duration does not fit */
#define DAY_S 86400

bool gotext_bool(struct slice text, bool *out)
{
    static const char *const spellings[2][6] = {{"0", "f", "F", "FALSE", "false", "False"},
                                                {"1", "t", "T", "TRUE", "true", "True"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 6; i++)
            if (slice_equal_text(text, spellings[value][i])) {
                *out = value == 1;
                return true;
            }
    return false;
}

void gotext_quote(struct slice text, struct buf *out)
{
    static const char from[] = "\a\b\f\n\r\t\v\"\\", to[] = "abfnrtv\"\\";
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char *named = c == '\0' ? NULL : strchr(from, c);
        if (named != NULL)
            buf_addf(out, "\\%c", to[named - from]);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\x%02x", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

/* --- numbers ---------------------------------------------------------------------------------- */

static enum errc bad_int(struct slice text, enum errc code, struct errc_why *why)
{
    if (why == NULL)
        return code;
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * ERRC_WHY_MAX);
    gotext_quote((struct slice){text.ptr, text.len < ERRC_WHY_MAX ? text.len : ERRC_WHY_MAX},
                 &shown);
    return errc_fail(why, code, "strconv.ParseInt: parsing %s: %s", buf_text(&shown),
                     code == ERRC_RANGE ? "value out of range" : "invalid syntax");
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Takes the prefix of a base off the digits. */
static int read_base(struct slice *digits)
{
    static const struct {
        char letter;
        int base;
    } bases[] = {{'x', 16}, {'b', 2}, {'o', 8}};
    if (digits->len < 2 || digits->ptr[0] != '0')
        return 10;
    for (size_t i = 0; i < COUNT(bases); i++)
        if ((digits->ptr[1] | 0x20) == bases[i].letter && digits->len >= 3) {
            *digits = slice_from(*digits, 2);
            return bases[i].base;
        }
    *digits = slice_from(*digits, 1);
    return 8;
}

/* Underscores stand between digits, or behind the prefix. */
static bool underscores_fit(struct slice digits, bool prefixed)
{
    char last = prefixed ? '0' : '_';
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        if (c == '_' && last == '_')
            return false;
        last = c;
    }
    return last != '_';
}

enum errc gotext_int(struct slice text, int base, int64_t *out, struct errc_why *why)
{
    bool negative = slice_starts_with(text, "-");
    bool sign = negative || slice_starts_with(text, "+");
    bool any_base = base == 0;
    struct slice digits = slice_from(text, sign ? 1 : 0);
    size_t whole = digits.len;
    if (any_base)
        base = read_base(&digits);
    if (digits.len == 0 || (any_base && !underscores_fit(digits, digits.len < whole)))
        return bad_int(text, ERRC_SYNTAX, why);
    uint64_t value = 0, limit = negative ? NS_LIMIT : NS_LIMIT - 1;
    bool over = false;
    for (size_t i = 0; i < digits.len; i++) {
        if (any_base && digits.ptr[i] == '_')
            continue;
        int digit = digit_of(digits.ptr[i]);
        if (digit >= base)
            return bad_int(text, ERRC_SYNTAX, why);
        over = over || value > (limit - (uint64_t)digit) / (uint64_t)base;
        value = value * (uint64_t)base + (uint64_t)digit;
    }
    if (over)
        return bad_int(text, ERRC_RANGE, why);
    *out = (int64_t)(negative ? 0 - value : value);
    return ERRC_OK;
}

/* --- durations -------------------------------------------------------------------------------- */

/* The quotes of package time: every byte that is not plain ASCII is escaped. */
static void add_time_quote(struct slice text, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x80 || c < 0x20)
            buf_addf(out, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

static enum errc bad_duration(struct slice unit, const char *what, struct slice whole,
                              struct errc_why *why)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 16 * ERRC_WHY_MAX);
    buf_addf(&shown, "time: %s ", what);
    if (unit.len > 0) {
        add_time_quote(unit, &shown);
        buf_add_text(&shown, " in duration ");
    }
    add_time_quote(whole, &shown);
    return errc_fail(why, ERRC_SYNTAX, "%s", buf_text(&shown));
}

static bool unit_ns(struct slice name, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1},
                 {"us", 1000},
                 {"\xc2\xb5s", 1000},
                 {"\xce\xbcs", 1000},
                 {"ms", 1000000},
                 {"s", NS_PER_S},
                 {"m", (uint64_t)60 * NS_PER_S},
                 {"h", (uint64_t)3600 * NS_PER_S}};
    for (size_t i = 0; i < COUNT(units); i++)
        if (slice_equal_text(name, units[i].name)) {
            *out = units[i].ns;
            return true;
        }
    return false;
}

static bool at_digit(struct slice s)
{
    return s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9';
}

/* Takes the digits off the front; false when they do not fit. */
static bool take_whole(struct slice *rest, uint64_t *value)
{
    for (*value = 0; at_digit(*rest); *rest = slice_from(*rest, 1)) {
        if (*value > NS_LIMIT / 10)
            return false;
        *value = *value * 10 + (uint64_t)(rest->ptr[0] - '0');
        if (*value > NS_LIMIT)
            return false;
    }
    return true;
}

/* Takes the digits behind a point; those too small to count are dropped. */
static void take_fraction(struct slice *rest, uint64_t *value, double *scale)
{
    *value = 0;
    *scale = 1;
    for (; at_digit(*rest); *rest = slice_from(*rest, 1)) {
        if (*value > (NS_LIMIT - 1) / 10)
            continue;
        *value = *value * 10 + (uint64_t)(rest->ptr[0] - '0');
        *scale *= 10;
    }
}

static size_t unit_length(struct slice rest)
{
    size_t n = 0;
    while (n < rest.len && rest.ptr[n] != '.' && !at_digit(slice_from(rest, n)))
        n++;
    return n;
}

/* Takes one "1.5h" off the front and adds it. */
static enum errc take_part(struct slice *rest, struct slice whole, uint64_t *total,
                           struct errc_why *why)
{
    uint64_t value, fraction = 0, unit;
    double scale = 1;
    size_t before = rest->len;
    bool fits = take_whole(rest, &value);
    bool digits = rest->len < before;
    if (fits && rest->len > 0 && rest->ptr[0] == '.') {
        *rest = slice_from(*rest, 1);
        before = rest->len;
        take_fraction(rest, &fraction, &scale);
        digits = digits || rest->len < before;
    }
    if (!fits || !digits)
        return bad_duration((struct slice){0}, "invalid duration", whole, why);
    struct slice name = {rest->ptr, unit_length(*rest)};
    if (name.len == 0)
        return bad_duration((struct slice){0}, "missing unit in duration", whole, why);
    if (!unit_ns(name, &unit))
        return bad_duration(name, "unknown unit", whole, why);
    *rest = slice_from(*rest, name.len);
    if (value > NS_LIMIT / unit)
        return bad_duration((struct slice){0}, "invalid duration", whole, why);
    value = value * unit + (uint64_t)((double)fraction * ((double)unit / scale));
    *total += value;
    if (value > NS_LIMIT || *total > NS_LIMIT)
        return bad_duration((struct slice){0}, "invalid duration", whole, why);
    return ERRC_OK;
}

/* time.ParseDuration */
static enum errc parse_units(struct slice whole, int64_t *out_ns, struct errc_why *why)
{
    bool negative = slice_starts_with(whole, "-");
    struct slice rest = slice_from(whole, negative || slice_starts_with(whole, "+") ? 1 : 0);
    uint64_t total = 0;
    *out_ns = 0;
    if (slice_equal_text(rest, "0"))
        return ERRC_OK;
    if (rest.len == 0)
        return bad_duration((struct slice){0}, "invalid duration", whole, why);
    while (rest.len > 0)
        TRY(take_part(&rest, whole, &total, why));
    if (!negative && total == NS_LIMIT)
        return bad_duration((struct slice){0}, "invalid duration", whole, why);
    *out_ns = (int64_t)(negative ? 0 - total : total);
    return ERRC_OK;
}

/* As Go multiplies: what does not fit wraps around. */
static int64_t times(int64_t count, uint64_t unit)
{
    return (int64_t)((uint64_t)count * unit);
}

enum errc gotext_duration(struct slice text, int64_t *out_ns, struct errc_why *why)
{
    int64_t count;
    *out_ns = 0;
    if (text.len == 0)
        return ERRC_OK;
    if (gotext_int(text, 10, &count, NULL) == ERRC_OK) {
        *out_ns = times(count, NS_PER_S);
        return ERRC_OK;
    }
    if (!slice_ends_with(text, "d"))
        return parse_units(text, out_ns, why);
    TRY(gotext_int((struct slice){text.ptr, text.len - 1}, 10, &count, why));
    *out_ns = times(count, (uint64_t)DAY_S * NS_PER_S);
    return ERRC_OK;
}
