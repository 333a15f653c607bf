#include "fakevault/core/seal/shamir.h"

#include "base/bug.h"
#include "base/secret.h"

uint8_t shamir_multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (int i = 7; i >= 0; i--) {
        uint8_t carry = (uint8_t)(-(product >> 7) & 0x1b);
        product = (uint8_t)((uint8_t)(product << 1) ^ carry ^ (-((b >> i) & 1) & a));
    }
    return product;
}

/* a^254: the group has 255 elements. */
uint8_t shamir_invert(uint8_t a)
{
    uint8_t power = 1;
    for (int bit = 7; bit >= 0; bit--) {
        power = shamir_multiply(power, power);
        if ((254 >> bit) & 1)
            power = shamir_multiply(power, a);
    }
    return power;
}

static uint8_t evaluate(const uint8_t *coefficients, unsigned count, uint8_t x)
{
    uint8_t value = 0;
    for (unsigned i = count; i > 0; i--)
        value = shamir_multiply(value, x) ^ coefficients[i - 1];
    return value;
}

/* Bytes of chance, drawn many at a time: each draw is a system call. */
struct rolls {
    const struct entropy *entropy;
    uint8_t bytes[SHAMIR_SHARES_MAX];
    size_t left;
};

static uint8_t roll_next(struct rolls *rolls)
{
    if (rolls->left == 0) {
        rolls->entropy->fill(rolls->entropy->context, rolls->bytes, sizeof rolls->bytes);
        rolls->left = sizeof rolls->bytes;
    }
    return rolls->bytes[--rolls->left];
}

/* Fisher and Yates over 1..255; a byte too large for an even draw is drawn again. */
static void shuffle_points(uint8_t points[static SHAMIR_SHARES_MAX], const struct entropy *entropy)
{
    struct rolls rolls = {.entropy = entropy};
    for (unsigned i = 0; i < SHAMIR_SHARES_MAX; i++)
        points[i] = (uint8_t)(i + 1);
    for (unsigned i = SHAMIR_SHARES_MAX - 1; i > 0; i--) {
        uint8_t roll;
        do {
            roll = roll_next(&rolls);
        } while (roll >= 256 / (i + 1) * (i + 1));
        uint8_t j = (uint8_t)(roll % (i + 1)), kept = points[i];
        points[i] = points[j];
        points[j] = kept;
    }
}

void shamir_split(struct slice secret, unsigned shares, unsigned threshold,
                  const struct entropy *entropy, uint8_t *out)
{
    CHECK(secret.len >= 1 && secret.len <= SHAMIR_SECRET_MAX);
    CHECK(threshold >= 2 && threshold <= shares && shares <= SHAMIR_SHARES_MAX);
    uint8_t points[SHAMIR_SHARES_MAX];
    shuffle_points(points, entropy);
    size_t stride = secret.len + 1;
    for (unsigned s = 0; s < shares; s++)
        out[s * stride + secret.len] = points[s];
    uint8_t coefficients[SHAMIR_SHARES_MAX];
    for (size_t i = 0; i < secret.len; i++) {
        coefficients[0] = (uint8_t)secret.ptr[i];
        entropy->fill(entropy->context, coefficients + 1, threshold - 1);
        for (unsigned s = 0; s < shares; s++)
            out[s * stride + i] = evaluate(coefficients, threshold, points[s]);
    }
    secret_wipe(coefficients, sizeof coefficients);
}

static uint8_t point_of(struct slice share)
{
    return (uint8_t)share.ptr[share.len - 1];
}

static enum errc check_shares(const struct slice *shares, size_t count, struct errc_why *why)
{
    if (count < 2)
        return errc_fail(why, ERRC_SCHEMA,
                         "less than two parts cannot be used to reconstruct the secret");
    CHECK(count <= SHAMIR_SHARES_MAX);
    if (shares[0].len < 2)
        return errc_fail(why, ERRC_SCHEMA, "parts must be at least two bytes");
    for (size_t i = 1; i < count; i++)
        if (shares[i].len != shares[0].len)
            return errc_fail(why, ERRC_SCHEMA, "all parts must be the same length");
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (point_of(shares[i]) == point_of(shares[j]))
                return errc_fail(why, ERRC_SCHEMA, "duplicate part detected");
    return ERRC_OK;
}

/* Lagrange's weight of share i at x = 0: the product over all j of x_j / (x_j - x_i). */
static uint8_t weight_of(const struct slice *shares, size_t count, size_t i)
{
    uint8_t weight = 1;
    for (size_t j = 0; j < count; j++) {
        if (j == i)
            continue;
        uint8_t difference = point_of(shares[j]) ^ point_of(shares[i]);
        weight = shamir_multiply(weight,
                                 shamir_multiply(point_of(shares[j]), shamir_invert(difference)));
    }
    return weight;
}

enum errc shamir_combine(const struct slice *shares, size_t count, uint8_t *out,
                         struct errc_why *why)
{
    TRY(check_shares(shares, count, why));
    size_t len = shares[0].len - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = 0;
    for (size_t s = 0; s < count; s++) {
        uint8_t weight = weight_of(shares, count, s);
        for (size_t i = 0; i < len; i++)
            out[i] ^= shamir_multiply(weight, (uint8_t)shares[s].ptr[i]);
    }
    return ERRC_OK;
}
