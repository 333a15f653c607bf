#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/errc.h"

static void test_errc__every_code_has_text_and_class(void **state)
{
    (void)state;
    for (int code = 0; code < ERRC_COUNT; code++) {
        assert_non_null(errc_text((enum errc)code));
        assert_true(strlen(errc_text((enum errc)code)) > 0);
        bool is_ok = code == ERRC_OK;
        assert_int_equal(errc_class((enum errc)code) == ERRC_CLASS_NONE, is_ok);
    }
    assert_int_equal(errc_class(ERRC_NOMEM), ERRC_CLASS_FATAL);
    assert_int_equal(errc_class(ERRC_TIMEOUT), ERRC_CLASS_TRANSIENT);
    assert_int_equal(errc_class(ERRC_CRYPTO), ERRC_CLASS_DENIED);
    assert_string_equal(errc_text(ERRC_NOT_FOUND), "not found");
}

static void test_errc__fail_writes_the_sentence_and_returns_the_code(void **state)
{
    (void)state;
    struct errc_why why = {"old"};
    assert_int_equal(errc_fail(&why, ERRC_RANGE, "port \"%s\" is not in 1..65535", "0"),
                     ERRC_RANGE);
    assert_string_equal(why.text, "port \"0\" is not in 1..65535");
    assert_int_equal(errc_fail(NULL, ERRC_IO, "nobody listens"), ERRC_IO);
}

static void test_errc__a_long_sentence_is_cut(void **state)
{
    (void)state;
    char letters[2 * ERRC_WHY_MAX];
    memset(letters, 'x', sizeof letters - 1);
    letters[sizeof letters - 1] = '\0';
    struct errc_why why;
    (void)errc_fail(&why, ERRC_IO, "%s", letters);
    assert_int_equal(strlen(why.text), ERRC_WHY_MAX - 1);
}

static void test_errc__prefix_stands_before_the_sentence(void **state)
{
    (void)state;
    struct errc_why why;
    (void)errc_fail(&why, ERRC_SYNTAX, "line 3 column 7: '}' expected");
    errc_prefix(&why, "\"%s\"", "pin.json");
    assert_string_equal(why.text, "\"pin.json\": line 3 column 7: '}' expected");
    errc_prefix(NULL, "nobody listens");
}

static void test_errc__prefix_never_overflows(void **state)
{
    (void)state;
    char letters[2 * ERRC_WHY_MAX];
    memset(letters, 'x', sizeof letters - 1);
    for (size_t len = ERRC_WHY_MAX - 8; len < ERRC_WHY_MAX + 8; len++) {
        letters[len] = '\0';
        struct errc_why why;
        (void)errc_fail(&why, ERRC_IO, "tail");
        errc_prefix(&why, "%s", letters);
        assert_true(strlen(why.text) < ERRC_WHY_MAX);
        assert_int_equal(why.text[0], 'x');
        letters[len] = 'x';
    }
    struct errc_why why;
    letters[sizeof letters - 1] = '\0';
    (void)errc_fail(&why, ERRC_IO, "%s", letters);
    errc_prefix(&why, "file");
    assert_memory_equal(why.text, "file: xxx", 9);
    assert_int_equal(strlen(why.text), ERRC_WHY_MAX - 1);
}

static enum errc tried(enum errc inner)
{
    TRY(inner);
    return ERRC_EXISTS;
}

static void test_errc__try_returns_at_once(void **state)
{
    (void)state;
    assert_int_equal(tried(ERRC_DENIED), ERRC_DENIED);
    assert_int_equal(tried(ERRC_OK), ERRC_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errc__every_code_has_text_and_class),
        cmocka_unit_test(test_errc__fail_writes_the_sentence_and_returns_the_code),
        cmocka_unit_test(test_errc__a_long_sentence_is_cut),
        cmocka_unit_test(test_errc__prefix_stands_before_the_sentence),
        cmocka_unit_test(test_errc__prefix_never_overflows),
        cmocka_unit_test(test_errc__try_returns_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
