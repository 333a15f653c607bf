#include "base/text/stamp.h"

#include <string.h>

#include "base/bug.h"
#include "base/units.h"

/* Days since 1970-01-01 of a civil date, and back (H. Hinnant's algorithms,
 * proleptic Gregorian). */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_of(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
    days += 719468;
    int64_t era = days / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = yoe + era * 400 + (*m <= 2);
}

/* Writes `before` and `width` digits; returns what follows them. */
static char *put(char *out, char before, int64_t value, size_t width)
{
    *out++ = before;
    for (size_t i = width; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

void stamp_format(int64_t wall_ns, enum stamp_style style, char out[static STAMP_BYTES])
{
    CHECK(wall_ns >= 0);
    int64_t seconds = wall_ns / NS_PER_S, y = 0, m = 0, d = 0;
    civil_of(seconds / 86400, &y, &m, &d);
    int64_t day = seconds % 86400, fraction = wall_ns % NS_PER_S;
    char text[STAMP_BYTES + 1], *end = text;
    end = put(end, ' ', y, 4);
    end = put(end, '-', m, 2);
    end = put(end, '-', d, 2);
    end = put(end, 'T', day / 3600, 2);
    end = put(end, ':', day / 60 % 60, 2);
    end = put(end, ':', day % 60, 2);
    if (style == STAMP_MILLI)
        end = put(end, '.', fraction / NS_PER_MS, 3);
    else if (style == STAMP_NANO || fraction != 0)
        end = put(end, '.', fraction, 9);
    while (style == STAMP_GO_NANO && fraction != 0 && end[-1] == '0')
        end--;
    memcpy(end, "Z", 2);
    memcpy(out, text + 1, (size_t)(end - text) + 1);
}

/* Reads exactly n digits. */
static bool digits(struct slice *s, size_t n, int64_t *out)
{
    uint64_t v = 0;
    if (s->len < n || !slice_to_u64((struct slice){s->ptr, n}, &v))
        return false;
    *s = slice_from(*s, n);
    *out = (int64_t)v;
    return true;
}

static bool literal(struct slice *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

static bool read_fraction(struct slice *s, int64_t *ns)
{
    *ns = 0;
    if (!literal(s, '.'))
        return true;
    int64_t unit = NS_PER_S;
    while (s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9') {
        unit /= 10;
        *ns += (s->ptr[0] - '0') * unit;
        *s = slice_from(*s, 1);
    }
    return unit < NS_PER_S;
}

static bool read_zone(struct slice *s, int64_t *offset_s)
{
    *offset_s = 0;
    if (literal(s, 'Z'))
        return s->len == 0;
    bool minus = s->len > 0 && s->ptr[0] == '-';
    int64_t h = 0, m = 0;
    if (!literal(s, minus ? '-' : '+') || !digits(s, 2, &h) || !literal(s, ':') ||
        !digits(s, 2, &m))
        return false;
    *offset_s = (h * 3600 + m * 60) * (minus ? -1 : 1);
    return s->len == 0 && h < 24 && m < 60;
}

bool stamp_parse(struct slice s, int64_t *wall_ns)
{
    int64_t y, mo, d, h, mi, sec, ns, offset;
    if (!digits(&s, 4, &y) || !literal(&s, '-') || !digits(&s, 2, &mo) || !literal(&s, '-') ||
        !digits(&s, 2, &d))
        return false;
    if (!literal(&s, 'T') || !digits(&s, 2, &h) || !literal(&s, ':') || !digits(&s, 2, &mi) ||
        !literal(&s, ':') || !digits(&s, 2, &sec))
        return false;
    if (!read_fraction(&s, &ns) || !read_zone(&s, &offset))
        return false;
    if (y < 1970 || y > 2261 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 ||
        sec > 60)
        return false;
    *wall_ns = (days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec - offset) * NS_PER_S + ns;
    return true;
}
