/* The journal's order: numbers, lines and their places, without a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/limits.h"
#include "fakevault/core/outage/numbering.h"

#define BEGIN 500u
#define RECORDS (5 * NUMBERING_STEP)

static const struct journal_record record = {
    .kind = JOURNAL_CONTROL,
    .control = {.verb = "seal", .generation = 4},
};

static void test_numbering__the_same_records_are_the_same_bytes(void **state)
{
    (void)state;
    struct numbering n CLEANUP(numbering_done);
    struct buf lines CLEANUP(buf_done);
    uint64_t seq = 0;
    numbering_init(&n, 0);
    buf_init(&lines, LIMIT_LINE_BYTES);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            numbering_add(&n, &record, (struct instant){.mono_ns = 7}, &lines, &seq, NULL),
            ERRC_OK);
    assert_string_equal(buf_text(&lines),
                        "{\"seq\":1,\"kind\":\"control\",\"mono_ns\":7,"
                        "\"wall\":\"1970-01-01T00:00:00.000000000Z\",\"verb\":\"seal\","
                        "\"generation\":4}\n"
                        "{\"seq\":2,\"kind\":\"control\",\"mono_ns\":7,"
                        "\"wall\":\"1970-01-01T00:00:00.000000000Z\",\"verb\":\"seal\","
                        "\"generation\":4}\n");
    assert_int_equal(n.end, lines.len);
}

static void test_numbering__a_place_is_where_its_line_begins(void **state)
{
    (void)state;
    struct numbering n CLEANUP(numbering_done);
    struct buf lines CLEANUP(buf_done);
    uint64_t begins[RECORDS + 1] = {0}, seq = 0;
    numbering_init(&n, BEGIN);
    buf_init(&lines, LIMIT_LINE_BYTES);
    for (uint64_t i = 1; i <= RECORDS; i++) {
        begins[i] = BEGIN + lines.len;
        assert_int_equal(numbering_add(&n, &record, (struct instant){0}, &lines, &seq, NULL),
                         ERRC_OK);
        assert_int_equal(seq, i);
    }
    for (uint64_t since = 0; since < RECORDS; since++) {
        struct numbering_place place = numbering_place(&n, since);
        assert_true(place.seq <= since + 1 && place.seq + NUMBERING_STEP > since + 1);
        assert_int_equal(place.at, begins[place.seq]);
    }
}

static void test_numbering__a_line_that_does_not_fit_takes_no_number(void **state)
{
    (void)state;
    struct numbering n CLEANUP(numbering_done);
    struct buf small CLEANUP(buf_done);
    uint64_t seq = 0;
    numbering_init(&n, BEGIN);
    buf_init(&small, 10);
    assert_int_equal(numbering_add(&n, &record, (struct instant){0}, &small, &seq, NULL),
                     ERRC_TOO_BIG);
    assert_int_equal(n.newest, 0);
    assert_int_equal(n.end, BEGIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbering__the_same_records_are_the_same_bytes),
        cmocka_unit_test(test_numbering__a_place_is_where_its_line_begins),
        cmocka_unit_test(test_numbering__a_line_that_does_not_fit_takes_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
