#include "signer/core/attempt/retry.h"

#include <string.h>

#include "base/bug.h"
#include "base/units.h"

#define YEAR_MS (INT64_C(365) * 86400 * 1000)

int64_t retry_cap_ms(const struct config_retry *retry, int64_t n)
{
    CHECK(n >= 1);
    int64_t cap = retry->backoff_base_ms;
    for (int64_t i = 1; i < n && cap < retry->backoff_max_ms; i++)
        cap *= 2;
    return cap < retry->backoff_max_ms ? cap : retry->backoff_max_ms;
}

int64_t retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    int64_t cap = retry_cap_ms(retry, n);
    int64_t half = cap / 2;
    return cap - half + (int64_t)prng_below(prng, (uint64_t)half + 1);
}

/* Days from 1970-01-01 to the given civil date (proleptic Gregorian calendar). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool digits(struct slice s, size_t at, size_t len, int64_t *out)
{
    uint64_t n = 0;
    if (!slice_to_u64(slice_bytes(s.ptr + at, len), &n))
        return false;
    *out = (int64_t)n;
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110 5.6.7); the obsolete forms are not sent
 * by anything that answers for Vault. */
static bool http_date(struct slice s, int64_t *wall_ns)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t day = 0, year = 0, hour = 0, minute = 0, second = 0;
    if (s.len != 29 || memcmp(s.ptr + 3, ", ", 2) != 0 || memcmp(s.ptr + 25, " GMT", 4) != 0)
        return false;
    if (s.ptr[7] != ' ' || s.ptr[11] != ' ' || s.ptr[16] != ' ' || s.ptr[19] != ':' ||
        s.ptr[22] != ':')
        return false;
    int64_t month = 0;
    for (int64_t m = 0; m < 12; m++)
        if (memcmp(months + m * 3, s.ptr + 8, 3) == 0)
            month = m + 1;
    if (month == 0 || !digits(s, 5, 2, &day) || !digits(s, 12, 4, &year) ||
        !digits(s, 17, 2, &hour) || !digits(s, 20, 2, &minute) || !digits(s, 23, 2, &second))
        return false;
    if (day < 1 || day > 31 || year < 1970 || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    if (seconds > INT64_MAX / (1000 * NS_PER_MS))
        return false;
    *wall_ns = seconds * 1000 * NS_PER_MS;
    return true;
}

bool retry_after_ms(struct slice value, int64_t wall_ns, int64_t *out)
{
    uint64_t seconds = 0;
    int64_t date_ns = 0;
    struct slice text = slice_trim(value);
    if (slice_to_u64(text, &seconds)) {
        *out = seconds > (uint64_t)(YEAR_MS / 1000) ? YEAR_MS : (int64_t)seconds * 1000;
        return true;
    }
    if (!http_date(text, &date_ns))
        return false;
    int64_t ms = date_ns <= wall_ns ? 0 : (date_ns - wall_ns) / NS_PER_MS;
    *out = ms > YEAR_MS ? YEAR_MS : ms;
    return true;
}

int64_t retry_clamp_ms(const struct config_retry *retry, int64_t wait_ms, int64_t asked_ms)
{
    int64_t asked = asked_ms < retry->backoff_max_ms ? asked_ms : retry->backoff_max_ms;
    return asked > wait_ms ? asked : wait_ms;
}
