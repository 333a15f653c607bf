#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/flags.h"

struct options {
    const char *listen;
    bool dev;
    int64_t seed;
    int verbose;
    struct flags_texts files;
};

static const struct flags_spec specs[] = {
    {"listen", FLAGS_TEXT, offsetof(struct options, listen), "HOST:PORT", "where to serve"},
    {"dev", FLAGS_SWITCH, offsetof(struct options, dev), NULL, "start unsealed, in memory"},
    {"seed", FLAGS_INT, offsetof(struct options, seed), "N", "makes chance repeatable"},
    {"v", FLAGS_COUNT, offsetof(struct options, verbose), NULL, "says more"},
    {"file", FLAGS_TEXTS, offsetof(struct options, files), "FILE", "may be repeated"},
};
static const struct flags flags = {specs, COUNT(specs)};

#define WORDS_MAX 8

struct parsed {
    enum errc code;
    struct options options;
    const char *positionals[WORDS_MAX];
    size_t count;
    struct errc_why why;
};

/* Parses the words of `line`, which are parted by single blanks. */
static struct parsed parse(char *line)
{
    struct parsed p = {.why = {""}};
    char *words[WORDS_MAX];
    int count = 0;
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    p.code = flags_parse(&flags, count, words, &p.options, p.positionals, &p.count, &p.why);
    return p;
}

static struct parsed parse_text(const char *text)
{
    static char line[200];
    assert_true(strlen(text) < sizeof line);
    strncpy(line, text, sizeof line - 1);
    return parse(line);
}

static void test_flags__take_one_or_two_dashes_and_both_value_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"-listen=a:1 -seed=7", "--listen=a:1 --seed=7",
                                        "-listen a:1 -seed 7", "--listen a:1 --seed 7"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct parsed p = parse_text(forms[i]);
        assert_int_equal(p.code, ERRC_OK);
        assert_string_equal(p.options.listen, "a:1");
        assert_int_equal(p.options.seed, 7);
    }
}

static void test_flags__switches_go_on_and_off(void **state)
{
    (void)state;
    assert_true(parse_text("-dev").options.dev);
    assert_true(parse_text("-dev=true").options.dev);
    assert_false(parse_text("-dev=false").options.dev);
    struct parsed p = parse_text("-dev false");
    assert_true(p.options.dev);
    assert_string_equal(p.positionals[0], "false");
}

static void test_flags__counts_grow(void **state)
{
    (void)state;
    assert_int_equal(parse_text("-v -v --v").options.verbose, 3);
}

static void test_flags__texts_are_kept_in_their_order_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct parsed p = parse_text("-file=a -file b --file=c");
    assert_int_equal(p.code, ERRC_OK);
    assert_int_equal(p.options.files.count, 3);
    assert_string_equal(p.options.files.items[0], "a");
    assert_string_equal(p.options.files.items[2], "c");
    char *words[FLAGS_TEXTS_MAX + 1];
    char word[] = "-file=a";
    for (size_t i = 0; i <= FLAGS_TEXTS_MAX; i++)
        words[i] = word;
    struct options options = {0};
    const char *positionals[FLAGS_TEXTS_MAX + 1];
    size_t count = 0;
    assert_int_equal(
        flags_parse(&flags, FLAGS_TEXTS_MAX, words, &options, positionals, &count, NULL), ERRC_OK);
    options = (struct options){0};
    assert_int_equal(
        flags_parse(&flags, FLAGS_TEXTS_MAX + 1, words, &options, positionals, &count, NULL),
        ERRC_USAGE);
}

static void test_flags__positionals_stand_anywhere(void **state)
{
    (void)state;
    struct parsed p = parse_text("one -dev two - -- -three --");
    assert_int_equal(p.code, ERRC_OK);
    assert_int_equal(p.count, 5);
    static const char *const expected[] = {"one", "two", "-", "-three", "--"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(p.positionals[i], expected[i]);
}

static void test_flags__numbers_reach_both_ends(void **state)
{
    (void)state;
    assert_true(parse_text("-seed=9223372036854775807").options.seed == INT64_MAX);
    assert_true(parse_text("-seed=-9223372036854775808").options.seed == INT64_MIN);
}

static void test_flags__every_error_is_one_exact_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *line, *sentence;
    } cases[] = {
        {"-nonsense", "flag \"-nonsense\" is unknown, see -help"},
        {"-lisen=x", "flag \"-lisen\" is unknown, did you mean \"-listen\"?"},
        {"--sed 3", "flag \"-sed\" is unknown, did you mean \"-seed\"?"},
        {"-=3", "flag \"-\" is unknown, see -help"},
        {"-dev=yes", "flag \"-dev\" is a switch, want true or false, got \"yes\""},
        {"-dev=", "flag \"-dev\" is a switch, want true or false, got \"\""},
        {"-dev -dev", "flag \"-dev\" is given twice"},
        {"-seed=1 --seed=2", "flag \"-seed\" is given twice"},
        {"-listen", "flag \"-listen\" wants a value: -listen=HOST:PORT"},
        {"-seed=", "flag \"-seed\" wants a number, got \"\""},
        {"-seed=1x", "flag \"-seed\" wants a number, got \"1x\""},
        {"-seed=0x1", "flag \"-seed\" wants a number, got \"0x1\""},
        {"-seed=9223372036854775808", "flag \"-seed\" wants a number, got "
                                      "\"9223372036854775808\""},
        {"-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "flag \"-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\" is unknown, see -help"},
        {"-v=2", "flag \"-v\" takes no value, got \"2\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct parsed p = parse_text(cases[i].line);
        assert_int_equal(p.code, ERRC_USAGE);
        assert_string_equal(p.why.text, cases[i].sentence);
    }
}

static void test_flags_help__is_aligned(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1000);
    flags_help(&flags, &out);
    assert_string_equal(buf_text(&out), "  -listen=HOST:PORT  where to serve\n"
                                        "  -dev               start unsealed, in memory\n"
                                        "  -seed=N            makes chance repeatable\n"
                                        "  -v                 says more\n"
                                        "  -file=FILE         may be repeated\n");
}

static void test_flags_nearest__guesses_only_near_words(void **state)
{
    (void)state;
    static const char *const words[] = {"run", "lint", "list", "plan"};
    assert_string_equal(flags_nearest("rnu", words, 4), "run");
    assert_string_equal(flags_nearest("lst", words, 4), "list");
    assert_null(flags_nearest("zzzzzzz", words, 4));
    assert_null(flags_nearest("", words, 1));
    assert_null(flags_nearest("run", words, 0));
}

static void test_flags_is__takes_one_dash_or_two(void **state)
{
    (void)state;
    assert_true(flags_is("-version", "version"));
    assert_true(flags_is("--version", "version"));
    assert_false(flags_is("version", "version"));
    assert_false(flags_is("---version", "version"));
    assert_false(flags_is("--versions", "version"));
    assert_false(flags_is("", "version"));
}

static void test_flags__h_is_short_for_help_where_there_is_one(void **state)
{
    (void)state;
    static const struct flags_spec with_help[] = {
        {"help", FLAGS_SWITCH, offsetof(struct options, dev), NULL, "shows this"}};
    const struct flags helpful = {with_help, 1};
    struct options options = {0};
    const char *positionals[1];
    size_t count = 0;
    char *words[] = {"-h"};
    assert_int_equal(flags_parse(&helpful, 1, words, &options, positionals, &count, NULL), ERRC_OK);
    assert_true(options.dev);
    assert_int_equal(parse_text("-h").code, ERRC_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags__h_is_short_for_help_where_there_is_one),
        cmocka_unit_test(test_flags__take_one_or_two_dashes_and_both_value_forms),
        cmocka_unit_test(test_flags__switches_go_on_and_off),
        cmocka_unit_test(test_flags__counts_grow),
        cmocka_unit_test(test_flags__texts_are_kept_in_their_order_as_far_as_there_is_room),
        cmocka_unit_test(test_flags__positionals_stand_anywhere),
        cmocka_unit_test(test_flags__numbers_reach_both_ends),
        cmocka_unit_test(test_flags__every_error_is_one_exact_sentence),
        cmocka_unit_test(test_flags_help__is_aligned),
        cmocka_unit_test(test_flags_is__takes_one_dash_or_two),
        cmocka_unit_test(test_flags_nearest__guesses_only_near_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
