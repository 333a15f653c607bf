#include "tests/fakevault/cmocka_first.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/text/hex.h"
#include "fakevault/core/seal/shamir.h"

static struct prng dice;

static void fill(void *context, void *out, size_t len)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)prng_next(context);
}

static const struct entropy source = {fill, &dice};

/* Schoolbook: multiply the polynomials, then divide by the field's. */
static uint8_t multiply_slowly(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (int i = 0; i < 8; i++)
        product ^= (b >> i & 1) ? a << i : 0;
    for (int i = 14; i >= 8; i--)
        product ^= (product >> i & 1) ? 0x11bu << (i - 8) : 0;
    return (uint8_t)product;
}

static void test_shamir__multiplies_as_on_paper(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            assert_int_equal(shamir_multiply((uint8_t)a, (uint8_t)b), multiply_slowly(a, b));
}

static void test_shamir__an_inverse_undoes(void **state)
{
    (void)state;
    assert_int_equal(shamir_invert(0), 0);
    for (unsigned a = 1; a < 256; a++)
        assert_int_equal(shamir_multiply((uint8_t)a, shamir_invert((uint8_t)a)), 1);
}

/* Joins the shares that the bits of `mask` choose. */
static bool joins_to(const struct slice *shares, unsigned count, unsigned mask, struct slice secret)
{
    struct slice chosen[SHAMIR_SHARES_MAX];
    uint8_t joined[SHAMIR_SECRET_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < count; i++)
        if (mask >> i & 1)
            chosen[n++] = shares[i];
    assert_int_equal(shamir_combine(chosen, n, joined, NULL), ERRC_OK);
    return slice_equal(slice_bytes(joined, secret.len), secret);
}

static void test_shamir__every_three_of_five_join_and_no_two_do(void **state)
{
    (void)state;
    uint8_t secret[32], bytes[5 * 33];
    struct slice shares[5];
    fill(&dice, secret, sizeof secret);
    shamir_split(slice_bytes(secret, sizeof secret), 5, 3, &source, bytes);
    for (size_t i = 0; i < 5; i++)
        shares[i] = slice_bytes(bytes + 33 * i, 33);
    for (unsigned mask = 1; mask < 32; mask++) {
        int chosen = __builtin_popcount(mask);
        if (chosen >= 2)
            assert_int_equal(joins_to(shares, 5, mask, slice_bytes(secret, 32)), chosen >= 3);
    }
}

static void test_shamir__every_share_has_its_own_point(void **state)
{
    (void)state;
    uint8_t secret[1] = {7}, bytes[255 * 2];
    bool seen[256] = {false};
    shamir_split(slice_bytes(secret, 1), 255, 255, &source, bytes);
    for (size_t i = 0; i < 255; i++) {
        assert_false(seen[bytes[2 * i + 1]]);
        seen[bytes[2 * i + 1]] = true;
    }
    assert_false(seen[0]);
}

static struct buf from_hex(const json_t *text)
{
    struct buf bytes;
    buf_init(&bytes, 1000);
    assert_int_equal(hex_parse(slice_of(json_string_value(text)), &bytes), ERRC_OK);
    return bytes;
}

static void join_vector(const json_t *vector)
{
    const json_t *list = json_object_get(vector, "shares");
    unsigned count = (unsigned)json_array_size(list);
    int threshold = (int)json_integer_value(json_object_get(vector, "threshold"));
    struct buf secret CLEANUP(buf_done) = from_hex(json_object_get(vector, "secret"));
    struct buf bytes[8];
    struct slice shares[8];
    for (unsigned i = 0; i < count; i++) {
        bytes[i] = from_hex(json_array_get(list, i));
        shares[i] = buf_slice(&bytes[i]);
    }
    for (unsigned mask = 0; mask < 1u << count; mask++)
        if (__builtin_popcount(mask) >= threshold)
            assert_true(joins_to(shares, count, mask, buf_slice(&secret)));
    for (unsigned i = 0; i < count; i++)
        buf_done(&bytes[i]);
}

static void test_shamir__joins_what_another_program_split(void **state)
{
    (void)state;
    json_t *vectors = json_load_file(FIXTURES "/vectors/shamir.json", 0, NULL);
    assert_true(json_array_size(vectors) >= 3);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        join_vector(json_array_get(vectors, i));
    json_decref(vectors);
}

static void expect_refusal(const char *a, size_t a_len, const char *b, size_t b_len,
                           const char *text)
{
    struct slice shares[2] = {{a, a_len}, {b, b_len}};
    uint8_t out[64];
    struct errc_why why = {{0}};
    assert_int_equal(shamir_combine(shares, 2, out, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, text);
}

static void test_shamir__refuses_shares_that_cannot_belong_together(void **state)
{
    (void)state;
    struct errc_why why = {{0}};
    struct slice one = SLICE_LITERAL("ab");
    uint8_t out[64];
    expect_refusal("abc\1", 4, "ab\2", 3, "all parts must be the same length");
    expect_refusal("ab\1", 3, "cd\1", 3, "duplicate part detected");
    expect_refusal("a", 1, "b", 1, "parts must be at least two bytes");
    assert_int_equal(shamir_combine(&one, 1, out, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "less than two parts cannot be used to reconstruct the secret");
}

int main(void)
{
    prng_init(&dice, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shamir__multiplies_as_on_paper),
        cmocka_unit_test(test_shamir__an_inverse_undoes),
        cmocka_unit_test(test_shamir__every_three_of_five_join_and_no_two_do),
        cmocka_unit_test(test_shamir__every_share_has_its_own_point),
        cmocka_unit_test(test_shamir__joins_what_another_program_split),
        cmocka_unit_test(test_shamir__refuses_shares_that_cannot_belong_together),
    };
    return cmocka_run_group_tests_name("shamir", tests, NULL, NULL);
}
