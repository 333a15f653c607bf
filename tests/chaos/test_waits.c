/* Whether waits by design are added up as time that passed, never more than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/text/buf.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "chaos/core/ledger/waits.h"
#include "chaos/core/scenario/read/scenario_parse.h"
#include "chaos/core/subject/subjects.h"

#define DAY (1764000000000 * NS_PER_MS) /* all times are milliseconds behind it */

static struct buf trail;

static int open_trail(void **state)
{
    (void)state;
    buf_init(&trail, 1u << 20);
    return 0;
}

static int close_trail(void **state)
{
    (void)state;
    buf_done(&trail);
    return 0;
}

static void add_stamp(const char *name, int64_t at_ms)
{
    char text[STAMP_BYTES];
    stamp_format(DAY + at_ms * NS_PER_MS, STAMP_MILLI, text);
    buf_addf(&trail, "\"%s\":\"%s\"", name, text);
}

struct attempt {
    int64_t at_ms, wait_ms;
    const char *class;
};

/* The other fields do not matter here, and their absence must not either. */
static void add_entry(const char *action, int64_t at_ms, const struct attempt *attempts,
                      size_t count)
{
    buf_addf(&trail, "{\"action\":\"%s\",\"actor\":{\"id\":\"api\",\"type\":\"automation\"},",
             action);
    buf_add_text(&trail, "\"bundleRunId\":\"b\",\"id\":\"i\",\"payload\":{\"attempts\":[");
    for (size_t i = 0; i < count; i++) {
        buf_addf(&trail,
                 "%s{\"class\":\"%s\",\"n\":%zu,\"status\":0,\"resends\":0,\"wait_ms\":%lld,",
                 i == 0 ? "" : ",", attempts[i].class, i + 1, (long long)attempts[i].wait_ms);
        add_stamp("started_at", attempts[i].at_ms);
        buf_add_char(&trail, '}');
    }
    buf_add_text(&trail, "],\"previous\":\"\"},");
    add_stamp("timestamp", at_ms);
    buf_add_text(&trail, "}\n");
}

static int64_t measure_with(const struct record_step *step, int64_t from_ms, int64_t to_ms)
{
    int64_t ms = -1;
    const struct scenario scenario = {.stack.subject = subjects_default()};
    struct record_step steps[1] = {{0}};
    struct record record = {.scenario = &scenario,
                            .started.wall_ns = DAY + from_ms * NS_PER_MS,
                            .ended.wall_ns = DAY + to_ms * NS_PER_MS,
                            .steps = steps,
                            .step_count = step != NULL};
    if (step != NULL)
        steps[0] = *step;
    assert_int_equal(waits_measure(buf_slice(&trail), &record, &ms, NULL), ERRC_OK);
    return ms;
}

static int64_t measure(int64_t from_ms, int64_t to_ms)
{
    return measure_with(NULL, from_ms, to_ms);
}

static void test_waits__one_calls_waits_are_added_up(void **state)
{
    (void)state;
    const struct attempt three[] = {{100, 0, "sealed"}, {350, 200, "sealed"}, {800, 400, "ok"}};
    assert_int_equal(measure(0, 1000), 0);
    add_entry("MANIFEST_SIGNED", 810, three, 3);
    assert_int_equal(measure(0, 1000), 600);
}

static void test_waits__calls_at_the_same_time_wait_once(void **state)
{
    (void)state;
    const struct attempt one[] = {{100, 0, "sealed"}, {400, 200, "ok"}};
    const struct attempt two[] = {{150, 0, "sealed"}, {500, 200, "ok"}};
    add_entry("MANIFEST_SIGNED", 410, one, 2);
    add_entry("MANIFEST_SIGNED", 510, two, 2);
    add_entry("MANIFEST_SIGNING_FAILED", 515, two, 2);
    assert_int_equal(measure(0, 1000), 300); /* 200..400 and 300..500 */
}

static void test_waits__an_attempt_that_timed_out_is_a_wait(void **state)
{
    (void)state;
    const struct attempt both[] = {{100, 0, "timeout"}, {500, 100, "timeout"}};
    add_entry("MANIFEST_SIGNING_FAILED", 900, both, 2);
    assert_int_equal(measure(0, 1000), 800); /* 100..400, the wait to 500, and 500..900 */
}

static void test_waits__never_exceed_the_run(void **state)
{
    (void)state;
    const struct attempt late[] = {{600, 5000, "timeout"}};
    add_entry("MANIFEST_SIGNED", 9000, late, 1);
    assert_int_equal(measure(400, 800), 400);
    assert_int_equal(measure(800, 400), 0);
}

static void test_waits__other_entries_have_none(void **state)
{
    (void)state;
    const struct attempt some[] = {{600, 500, "timeout"}};
    add_entry("MANIFEST_SIGNING_STARTED", 900, some, 1);
    buf_add_text(&trail, "a torn li");
    assert_int_equal(measure(0, 1000), 0);
}

static void test_waits__a_probe_that_may_wait_is_a_wait(void **state)
{
    (void)state;
    static const char text[] =
        "version: 1\npurpose: p\nsteady_state:\n  - status: {online: true}\nmethod:\n  - vault: "
        "seal\nrollback:\n  - vault: {unseal: 3}\n"
        "expect:\n  - log: {service: api, contains: x, within_ms: 900}\n"
        "  - audit: {fallback: 0}\n";
    struct lint lint CLEANUP(lint_done) = {0};
    struct scenario scenario CLEANUP(scenario_done) = {0};
    const struct attempt one[] = {{100, 0, "sealed"}, {400, 200, "ok"}};
    add_entry("MANIFEST_SIGNED", 410, one, 2);
    struct errc_why why = {{0}};
    assert_string_equal(
        scenario_parse(slice_of(text), "case.yaml", &scenario, &lint, &why) == ERRC_OK ? ""
                                                                                       : why.text,
        "");
    for (size_t i = 0; i < 2; i++) {
        const struct plan_step plan = {.step = &scenario.phases[VERB_PHASE_EXPECT].items[i]};
        const struct record_step step = {.plan = &plan,
                                         .started.wall_ns = DAY + 300 * NS_PER_MS,
                                         .ended.wall_ns = DAY + 700 * NS_PER_MS};
        assert_int_equal(measure_with(&step, 0, 1000), i == 0 ? 500 : 200);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_trail, close_trail)
    const struct CMUnitTest tests[] = {
        TEST(test_waits__one_calls_waits_are_added_up),
        TEST(test_waits__calls_at_the_same_time_wait_once),
        TEST(test_waits__an_attempt_that_timed_out_is_a_wait),
        TEST(test_waits__a_probe_that_may_wait_is_a_wait),
        TEST(test_waits__never_exceed_the_run),
        TEST(test_waits__other_entries_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
