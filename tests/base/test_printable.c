#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/count.h"
#include "base/text/printable.h"

static const struct {
    const char *text;
    const char *line;
} rows[] = {
    {"", ""},
    {"plain \\ \"text\"", "plain \\ \"text\""},
    {"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\x1b[2J\x1b]0;owned\x07", "\\u001b[2J\\u001b]0;owned\\u0007"},
    {"a\rb\nc\td\x7f", "a\\u000db\\u000ac\\u0009d\\u007f"},
    {"\xc2\x9b"
     "31m",
     "\\u009b31m"}, /* C1: CSI in one character */
    {"\x9b"
     "31m",
     "\xef\xbf\xbd"
     "31m"},
    {"\xe2\x80\xaetxt.exe", "\\u202etxt.exe"},
    {"a\xe2\x80\x8b"
     "b",
     "a\\u200bb"},
    {"\xc0\x9b", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* cut short */
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
};

static void test_printable__shows_what_a_terminal_would_obey(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(printable_line(rows[i].text).text, rows[i].line);
        assert_int_equal(printable_clean(rows[i].text), strcmp(rows[i].text, rows[i].line) == 0);
    }
    assert_string_equal(printable_line(NULL).text, "");
}

static void test_printable__a_text_keeps_its_lines(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 100);
    printable_text(SLICE_LITERAL("a\x1b[1mb\n\tc\r\n\0d"), &out);
    assert_string_equal(buf_text(&out), "a\\u001b[1mb\n\tc\\u000d\n\\u0000d");
}

static void test_printable__a_long_line_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3 * PRINTABLE_BYTES + 1];
    for (size_t i = 0; i < PRINTABLE_BYTES; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 4);
    const struct printable made = printable_line(text);
    size_t len = strlen(made.text);
    assert_true(len < PRINTABLE_BYTES && len > PRINTABLE_BYTES - 10);
    assert_string_equal(made.text + len - 6, "\xe2\x82\xac...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printable__shows_what_a_terminal_would_obey),
        cmocka_unit_test(test_printable__a_text_keeps_its_lines),
        cmocka_unit_test(test_printable__a_long_line_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
