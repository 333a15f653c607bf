#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "signer/core/attempt/classify.h"
#include "signer/core/service/metrics.h"

static void text_of(const struct metrics *m, int64_t now, struct buf *out)
{
    buf_reset(out);
    metrics_format(m, now, out);
    assert_false(out->failed);
}

static void assert_line(const struct buf *text, const char *line)
{
    char wanted[200];
    (void)snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strstr(buf_text(text), wanted) == NULL)
        fail_msg("no line \"%s\" in:\n%s", line, buf_text(text));
}

static void test_metrics__every_series_is_there_from_the_start(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct metrics m;
    buf_init(&out, 1u << 16);
    metrics_init(&m);
    text_of(&m, 0, &out);
    assert_line(&out, "vault_up 0");
    assert_line(&out, "signing_total{mode=\"vault\"} 0");
    assert_line(&out, "signing_total{mode=\"fallback\"} 0");
    assert_line(&out, "signing_fallback_active 0");
    assert_line(&out, "signer_build_info{version=\"" PROJECT_VERSION "\"} 1");
    assert_line(&out, "signing_backoff_seconds_bucket{le=\"+Inf\"} 0");
    for (int i = 0; i < CLASSIFY_COUNT; i++) {
        char line[100];
        (void)snprintf(line, sizeof line, "signing_attempts_total{class=\"%s\"} 0",
                       classify_text((enum classify_class)i));
        assert_line(&out, line);
    }
}

static void test_metrics__a_class_is_its_own_label(void **state)
{
    (void)state;
    for (int i = 0; i < CLASSIFY_COUNT; i++)
        assert_int_equal(
            metrics_label(METRICS_SIGNING_ATTEMPTS_TOTAL, classify_text((enum classify_class)i)),
            i);
    assert_int_equal(metrics_label(METRICS_SIGNING_ATTEMPTS_TOTAL, "odd"), METRICS_LABELS_MAX);
}

static void test_metrics__the_fallback_period_opens_and_closes(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct metrics m;
    buf_init(&out, 1u << 16);
    metrics_init(&m);
    metrics_signed(&m, true, NS_PER_S);
    metrics_signed(&m, true, INT64_C(2000000000));
    text_of(&m, INT64_C(3500000000), &out);
    assert_line(&out, "signing_fallback_active 1");
    assert_line(&out, "signing_fallback_active_seconds 2.5");
    assert_line(&out, "signing_total{mode=\"fallback\"} 2");
    metrics_signed(&m, false, INT64_C(4000000000));
    text_of(&m, INT64_C(9000000000), &out);
    assert_line(&out, "signing_fallback_active 0");
    assert_line(&out, "signing_fallback_active_seconds 0");
    assert_line(&out, "signing_total{mode=\"vault\"} 1");
}

static void test_metrics__buckets_are_cumulative_and_their_bounds_belong_to_them(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct metrics m;
    buf_init(&out, 1u << 16);
    metrics_init(&m);
    metrics_backoff(&m, 0.125);
    metrics_backoff(&m, 0.25);
    metrics_backoff(&m, 1000);
    text_of(&m, 0, &out);
    assert_line(&out, "signing_backoff_seconds_bucket{le=\"0.1\"} 0");
    assert_line(&out, "signing_backoff_seconds_bucket{le=\"0.125\"} 1");
    assert_line(&out, "signing_backoff_seconds_bucket{le=\"0.25\"} 2");
    assert_line(&out, "signing_backoff_seconds_bucket{le=\"60\"} 2");
    assert_line(&out, "signing_backoff_seconds_bucket{le=\"+Inf\"} 3");
    assert_line(&out, "signing_backoff_seconds_sum 1000.375");
    assert_line(&out, "signing_backoff_seconds_count 3");
}

static void test_metrics__each_family_is_described_once_before_its_series(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct metrics m;
    char family[100] = "";
    int families = 0;
    buf_init(&out, 1u << 16);
    metrics_init(&m);
    text_of(&m, 0, &out);
    struct slice rest = buf_slice(&out);
    while (rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        if (slice_starts_with(line, "# HELP ")) {
            struct slice words = slice_from(line, 7);
            struct slice name = slice_cut(&words, ' ');
            (void)snprintf(family, sizeof family, "%.*s", SLICE_FMT(name));
            families++;
        } else if (!slice_starts_with(line, "# TYPE ")) {
            assert_true(slice_starts_with(line, family));
        }
    }
    assert_int_equal(families, METRICS_FAMILY_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics__every_series_is_there_from_the_start),
        cmocka_unit_test(test_metrics__a_class_is_its_own_label),
        cmocka_unit_test(test_metrics__the_fallback_period_opens_and_closes),
        cmocka_unit_test(test_metrics__buckets_are_cumulative_and_their_bounds_belong_to_them),
        cmocka_unit_test(test_metrics__each_family_is_described_once_before_its_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
