#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/count.h"
#include "base/units.h"
#include "fakevault/core/metrics/meter.h"
#include "tests/fakevault/vault_world.h"

#define START_NS (1795535580 * NS_PER_S) /* the start of an interval */

static void expect_text(const struct meter *m, int64_t wall_ns, const char *part)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1 << 16);
    meter_write_text(m, wall_ns, &text);
    if (strstr(buf_text(&text), part) == NULL)
        fail_msg("no \"%s\" in:\n%s", part, buf_text(&text));
}

static void test_meter__numbers_are_written_as_go_does(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "vault_g 0\n"},           {1, "vault_g 1\n"},
                 {0.25, "vault_g 0.25\n"},     {600000, "vault_g 600000\n"},
                 {2.4e6, "vault_g 2.4e+06\n"}, {0.00001, "vault_g 1e-05\n"}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meter m = {0};
        meter_set(&m, METER_GAUGE, "g", NULL, cases[i].value, 0);
        expect_text(&m, START_NS, cases[i].text);
        meter_done(&m);
    }
}

static void test_meter__names_and_labels_are_prometheus(void **state)
{
    struct meter m = {0};
    (void)state;
    meter_add(&m, METER_COUNTER, "route.read.kv-team-", "a=x\nb=say \"hi\"\n", 1, START_NS);
    expect_text(&m, START_NS,
                "# HELP vault_route_read_kv_team_ vault_route_read_kv_team_\n"
                "# TYPE vault_route_read_kv_team_ counter\n"
                "vault_route_read_kv_team_{a=\"x\",b=\"say \\\"hi\\\"\"} 1\n");
    meter_done(&m);
}

static void test_meter__quantiles_forget_after_ten_seconds(void **state)
{
    struct meter m = {0};
    (void)state;
    for (int i = 1; i <= 10; i++)
        meter_add(&m, METER_SUMMARY, "s", NULL, i, START_NS);
    expect_text(&m, START_NS + NS_PER_S, "vault_s{quantile=\"0.5\"} 5\n");
    expect_text(&m, START_NS + NS_PER_S, "vault_s{quantile=\"0.99\"} 10\n");
    expect_text(&m, START_NS + 11 * NS_PER_S, "vault_s{quantile=\"0.5\"} NaN\n");
    expect_text(&m, START_NS + 11 * NS_PER_S, "vault_s_sum 55\nvault_s_count 10\n");
    meter_done(&m);
}

static json_t *vaults_view(const struct meter *m, int64_t wall_ns)
{
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&text, 1 << 16);
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    meter_write_json(m, wall_ns, &w);
    jsonwrite_end(&w);
    json_t *value = json_loads(buf_text(&text), 0, NULL);
    assert_non_null(value);
    return value;
}

static void test_meter__vaults_view_is_of_the_last_whole_interval(void **state)
{
    struct meter m = {0};
    (void)state;
    meter_add(&m, METER_SUMMARY, "s", NULL, 1, START_NS);
    meter_add(&m, METER_SUMMARY, "s", NULL, 3, START_NS + NS_PER_S);
    json_t *now = vaults_view(&m, START_NS + 2 * NS_PER_S);
    assert_int_equal(json_array_size(json_object_get(now, "Samples")), 0);
    json_decref(now);
    json_t *later = vaults_view(&m, START_NS + 12 * NS_PER_S);
    json_t *sample = json_array_get(json_object_get(later, "Samples"), 0);
    assert_string_equal(json_string_value(json_object_get(sample, "Name")), "vault.s");
    assert_int_equal(json_integer_value(json_object_get(sample, "Count")), 2);
    assert_true(json_number_value(json_object_get(sample, "Mean")) == 2.0);
    assert_true(json_number_value(json_object_get(sample, "Rate")) == 0.4);
    assert_string_equal(json_string_value(json_object_get(later, "Timestamp")),
                        "2026-11-24 15:53:00 +0000 UTC");
    json_decref(later);
    json_t *over = vaults_view(&m, START_NS + 22 * NS_PER_S);
    assert_int_equal(json_array_size(json_object_get(over, "Samples")), 0);
    json_decref(over);
    meter_done(&m);
}

static void test_meter__the_endpoint_asks_for_a_token_unless_told_otherwise(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_status(w, "GET sys/metrics", NULL, NULL), 403);
    assert_int_equal(world_status(w, "GET sys/metrics", NULL, w->root), 200);
    assert_int_equal(world_call(w, "GET sys/metrics?format=prometheus", NULL, w->root, &reply),
                     400);
    assert_string_equal(buf_text(&reply.body), "prometheus is not enabled");
    vault_seal(w->vault);
    assert_int_equal(world_status(w, "GET sys/metrics", NULL, w->root), 503);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meter__numbers_are_written_as_go_does),
        cmocka_unit_test(test_meter__names_and_labels_are_prometheus),
        cmocka_unit_test(test_meter__quantiles_forget_after_ten_seconds),
        cmocka_unit_test(test_meter__vaults_view_is_of_the_last_whole_interval),
        BOOTED(test_meter__the_endpoint_asks_for_a_token_unless_told_otherwise),
    };
    return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
