#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "signer/core/service/run.h"

#define ID "0b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"

static struct run fresh(void)
{
    struct run run;
    assert_int_equal(run_init(&run, ID, "api", SLICE_LITERAL("{\"a\":1}"), 100, NULL), ERRC_OK);
    return run;
}

static enum errc pull(struct run *run, enum run_trigger trigger, struct errc_why *why)
{
    const struct run_signing signing = {.mode = "vault", .attempts = 1};
    switch (trigger) {
    case RUN_START:
        return run_start(run, 200, why);
    case RUN_COMPLETE:
        return run_complete(run, &signing, 200, why);
    case RUN_REFUSE:
        return run_refuse(run, "vault_refused", "permission denied", false, 200, why);
    case RUN_BLOCK:
        return run_block(run, "vault_unavailable", "sealed", 200, why);
    case RUN_RETRY:
        return run_retry(run, 200, why);
    case RUN_RESUME:
        return run_resume(run, 200, why);
    case RUN_TRIGGER_COUNT:
        break;
    }
    fail_msg("no such trigger");
    return ERRC_INTERNAL;
}

/* Row: from; column: trigger; -1: refused. Written out here once more, on purpose. */
static const int wanted[RUN_STATUS_COUNT][RUN_TRIGGER_COUNT] = {
    /*            START        COMPLETE       REFUSE      BLOCK        RETRY        RESUME */
    /* pending */ {RUN_RUNNING, -1, -1, -1, -1, RUN_PENDING},
    /* running */ {-1, RUN_COMPLETED, RUN_FAILED, RUN_BLOCKED, -1, RUN_PENDING},
    /* completed */ {-1, -1, -1, -1, -1, -1},
    /* failed */ {-1, -1, -1, -1, -1, -1},
    /* blocked */ {-1, -1, -1, -1, RUN_PENDING, RUN_PENDING},
};

static void test_run__every_state_takes_every_trigger_as_the_table_says(void **state)
{
    (void)state;
    for (int from = 0; from < RUN_STATUS_COUNT; from++) {
        for (int trigger = 0; trigger < RUN_TRIGGER_COUNT; trigger++) {
            struct run run = fresh();
            struct errc_why why = {0};
            run.status = (enum run_status)from;
            enum errc code = pull(&run, (enum run_trigger)trigger, &why);
            int want = wanted[from][trigger];
            assert_int_equal(code, want < 0 ? ERRC_STATE : ERRC_OK);
            assert_int_equal(run.status, want < 0 ? from : want);
            assert_int_equal(run.updated_ns, want < 0 ? 100 : 200);
            if (want < 0)
                assert_non_null(strstr(why.text, run_status_name((enum run_status)from)));
            run_done(&run);
        }
    }
}

static void test_run__a_refusal_names_the_run_and_its_state(void **state)
{
    (void)state;
    struct run run = fresh();
    struct errc_why why = {0};
    assert_int_equal(run_retry(&run, 200, &why), ERRC_STATE);
    assert_string_equal(why.text, "cannot retry run \"" ID "\": it is pending");
    run_done(&run);
}

static void test_run__its_life_leaves_the_events_of_docugen(void **state)
{
    (void)state;
    struct run run = fresh();
    const struct run_signing signing = {.mode = "fallback", .reason = "sealed", .attempts = 3};
    assert_int_equal(run_start(&run, 1, NULL), ERRC_OK);
    assert_int_equal(run_block(&run, "vault_unavailable", "sealed", 2, NULL), ERRC_OK);
    assert_string_equal(run.error.code, "vault_unavailable");
    assert_int_equal(run_retry(&run, 3, NULL), ERRC_OK);
    assert_string_equal(run.error.code, "");
    assert_int_equal(run_start(&run, 4, NULL), ERRC_OK);
    assert_int_equal(run_complete(&run, &signing, 5, NULL), ERRC_OK);
    static const struct run_event want[] = {
        {RUN_STARTED, 1}, {RUN_STARTED, 4}, {RUN_MANIFEST_SIGNED, 5}, {RUN_FINISHED, 5}};
    assert_int_equal(run.event_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(run.events[i].type, want[i].type);
        assert_int_equal(run.events[i].at_ns, want[i].at_ns);
    }
    assert_string_equal(run_event_name(RUN_FINISHED), "RUN_COMPLETED");
    assert_string_equal(run.signing.reason, "sealed");
    run_done(&run);
}

static void test_run__only_bad_input_is_a_failed_validation(void **state)
{
    (void)state;
    for (int invalid = 0; invalid < 2; invalid++) {
        struct run run = fresh();
        assert_int_equal(run_start(&run, 1, NULL), ERRC_OK);
        assert_int_equal(run_refuse(&run, "x", "y", invalid == 1, 2, NULL), ERRC_OK);
        assert_int_equal(run.event_count, 1 + invalid);
        if (invalid == 1)
            assert_int_equal(run.events[1].type, RUN_VALIDATION_FAILED);
        run_done(&run);
    }
}

static void test_run__keeps_the_first_and_the_newest_events(void **state)
{
    (void)state;
    struct run run = fresh();
    int64_t now = 0;
    for (unsigned i = 0; i < RUN_EVENTS_MAX * 2; i++) {
        assert_int_equal(run_start(&run, ++now, NULL), ERRC_OK);
        assert_int_equal(run_resume(&run, now, NULL), ERRC_OK);
    }
    assert_int_equal(run.event_count, RUN_EVENTS_MAX);
    assert_int_equal(run.events[0].at_ns, 1);
    assert_int_equal(run.events[1].at_ns, RUN_EVENTS_MAX + 2);
    assert_int_equal(run.events[RUN_EVENTS_MAX - 1].at_ns, now);
    run_done(&run);
}

static void test_run__cuts_a_long_message_between_characters(void **state)
{
    (void)state;
    struct run run = fresh();
    char message[2 * ERRC_WHY_MAX];
    memset(message, 'a', sizeof message);
    memcpy(message + ERRC_WHY_MAX - 2, "\xe2\x82\xac", 3); /* a euro sign across the limit */
    message[sizeof message - 1] = '\0';
    assert_int_equal(run_start(&run, 1, NULL), ERRC_OK);
    assert_int_equal(run_block(&run, "c", message, 2, NULL), ERRC_OK);
    assert_int_equal(strlen(run.error.message), ERRC_WHY_MAX - 2);
    run_done(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run__every_state_takes_every_trigger_as_the_table_says),
        cmocka_unit_test(test_run__a_refusal_names_the_run_and_its_state),
        cmocka_unit_test(test_run__its_life_leaves_the_events_of_docugen),
        cmocka_unit_test(test_run__only_bad_input_is_a_failed_validation),
        cmocka_unit_test(test_run__keeps_the_first_and_the_newest_events),
        cmocka_unit_test(test_run__cuts_a_long_message_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
