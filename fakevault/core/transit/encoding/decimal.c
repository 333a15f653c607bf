#include "fakevault/core/transit/encoding/decimal.h"

#include <string.h>

#include "base/bug.h"
#include "base/secret.h"

#define GROUP 1000000000u /* nine digits are taken at a time */
#define GROUP_DIGITS 9u
#define GROUPS_MAX (DECIMAL_BYTES_MAX * 10u / 4u / GROUP_DIGITS + 2u)

/* Divides the number by GROUP in place and returns what remains. */
static uint32_t divide(uint8_t *number, size_t len)
{
    uint64_t remainder = 0;
    for (size_t i = 0; i < len; i++) {
        uint64_t value = remainder << 8 | number[i];
        number[i] = (uint8_t)(value / GROUP);
        remainder = value % GROUP;
    }
    return (uint32_t)remainder;
}

static bool is_zero(const uint8_t *number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (number[i] != 0)
            return false;
    return true;
}

void decimal_format(struct slice big_endian, struct buf *out)
{
    uint8_t number[DECIMAL_BYTES_MAX];
    uint32_t groups[GROUPS_MAX];
    size_t count = 0;
    CHECK(big_endian.len <= sizeof number);
    if (big_endian.len > 0)
        memcpy(number, big_endian.ptr, big_endian.len);
    do
        groups[count++] = divide(number, big_endian.len);
    while (!is_zero(number, big_endian.len));
    buf_addf(out, "%u", groups[--count]);
    while (count > 0)
        buf_addf(out, "%09u", groups[--count]);
    secret_wipe(groups, sizeof groups);
}

/* number = number * 10 + digit; false when it grows over its size. */
static bool append(uint8_t *number, size_t size, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = size; i > 0; i--) {
        carry += number[i - 1] * 10u;
        number[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry == 0;
}

enum errc decimal_parse(struct slice text, uint8_t *out, size_t size)
{
    memset(out, 0, size);
    if (text.len == 0)
        return ERRC_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return ERRC_SYNTAX;
        if (!append(out, size, (unsigned)(text.ptr[i] - '0')))
            return ERRC_TOO_BIG;
    }
    return ERRC_OK;
}
