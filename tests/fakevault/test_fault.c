/* Rules: what they match, when they fire, that they count exactly, and what they say about
 * mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/outage/fault.h"

#define SEED 42

static const struct fault_facts sign_facts = {
    .method = {"POST", 4},
    .path = {"transit/sign/k", 14},
    .key = {"k", 1},
    .accessor = {"acc", 3},
    .test = {"t1", 2},
};

static struct instant at_ms(int64_t ms)
{
    return (struct instant){.mono_ns = ms * NS_PER_MS, .wall_ns = 0};
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static json_t *parse(const char *text)
{
    json_t *value = NULL;
    assert_int_equal(jsonread_parse(slice_of(text), &value, NULL), ERRC_OK);
    return value;
}

static void free_set(struct fault_set **set)
{
    fault_set_free(*set);
}

static int set_up(void **state)
{
    struct fault_set *set = NULL;
    assert_int_equal(fault_set_new(SEED, &set, NULL), ERRC_OK);
    *state = set;
    return 0;
}

static int tear_down(void **state)
{
    fault_set_free(*state);
    return 0;
}

static void add(struct fault_set *set, const char *text)
{
    json_t *rule CLEANUP(jsonread_done) = parse(text);
    struct errc_why why = {""};
    const char *id = NULL;
    if (fault_add(set, rule, at_ms(0), &id, &why) != ERRC_OK)
        fail_msg("%s: %s", text, why.text);
}

static enum fault_effect decide_at(struct fault_set *set, const struct fault_facts *facts,
                                   int64_t ms, int64_t *roll)
{
    struct fault_decision decision CLEANUP(fault_decision_done);
    fault_decide(set, facts, at_ms(ms), &decision);
    if (roll != NULL)
        *roll = decision.roll;
    return decision.effect;
}

static bool fires(struct fault_set *set, const struct fault_facts *facts)
{
    return decide_at(set, facts, 0, NULL) != FAULT_NONE;
}

/* One letter for each of n equal requests: x taken, - let by. */
static void pattern(struct fault_set *set, size_t n, char out[static 64])
{
    assert_true(n < 64);
    for (size_t i = 0; i < n; i++)
        out[i] = fires(set, &sign_facts) ? 'x' : '-';
    out[n] = '\0';
}

static void test_fault__without_a_path_a_rule_is_about_signing(void **state)
{
    add(*state, "{\"effect\":{\"hold\":true}}");
    struct fault_facts health = {.method = slice_of("GET"), .path = slice_of("sys/health")};
    assert_false(fires(*state, &health));
    assert_true(fires(*state, &sign_facts));
}

static void test_fault__each_part_of_the_match_counts(void **state)
{
    static const struct {
        const char *match;
        bool fits;
    } rows[] = {
        {"{}", true},
        {"{\"method\":\"POST\"}", true},
        {"{\"method\":\"PUT\"}", false},
        {"{\"path\":\"transit/sign/k\"}", true},
        {"{\"path\":\"/v1/transit/sign/*\"}", true},
        {"{\"path\":\"/transit/sign/?\"}", true},
        {"{\"path\":\"sign/*\"}", false},
        {"{\"path\":\"*\"}", true},
        {"{\"key\":\"k\"}", true},
        {"{\"key\":\"K\"}", false},
        {"{\"accessor\":\"acc\"}", true},
        {"{\"accessor\":\"other\"}", false},
        {"{\"test\":\"t1\"}", true},
        {"{\"test\":\"t2\"}", false},
        {"{\"method\":\"POST\",\"key\":\"k\",\"test\":\"t2\"}", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char rule[256];
        (void)snprintf(rule, sizeof rule, "{\"match\":%s,\"effect\":{\"seal\":true}}",
                       rows[i].match);
        fault_clear(*state);
        add(*state, rule);
        if (fires(*state, &sign_facts) != rows[i].fits)
            fail_msg("match %s", rows[i].match);
    }
}

static void test_fault__the_trigger_counts_matched_requests(void **state)
{
    static const struct {
        const char *trigger;
        const char *pattern;
    } rows[] = {
        {"{}", "xxxxxxxx"},
        {"{\"times\":2}", "xx------"},
        {"{\"after\":3}", "---xxxxx"},
        {"{\"every\":3}", "x--x--x-"},
        {"{\"after\":1,\"every\":2,\"times\":2}", "-x-x----"},
        {"{\"ppm\":0}", "--------"},
        {"{\"ppm\":1000000}", "xxxxxxxx"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char rule[256], got[64];
        (void)snprintf(rule, sizeof rule, "{\"trigger\":%s,\"effect\":{\"refuse\":true}}",
                       rows[i].trigger);
        fault_clear(*state);
        add(*state, rule);
        pattern(*state, 8, got);
        assert_string_equal(got, rows[i].pattern);
    }
}

static void test_fault__other_requests_do_not_eat_the_count(void **state)
{
    struct fault_facts health = {.method = slice_of("GET"), .path = slice_of("sys/health")};
    add(*state, "{\"trigger\":{\"times\":1},\"effect\":{\"crash\":true}}");
    for (int i = 0; i < 5; i++)
        assert_false(fires(*state, &health));
    assert_true(fires(*state, &sign_facts));
    assert_false(fires(*state, &sign_facts));
}

static void test_fault__the_first_rule_wins_until_it_is_exhausted(void **state)
{
    static const char *const rules[] = {
        "{\"trigger\":{\"times\":2},\"effect\":{\"hold\":true}}",
        "{\"trigger\":{\"times\":1},\"effect\":{\"seal\":true}}",
        "{\"effect\":{\"refuse\":true}}",
    };
    static const enum fault_effect wanted[] = {FAULT_HOLD, FAULT_HOLD, FAULT_SEAL, FAULT_REFUSE,
                                               FAULT_REFUSE};
    for (size_t i = 0; i < 3; i++)
        add(*state, rules[i]);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(decide_at(*state, &sign_facts, 0, NULL), wanted[i]);
}

static void test_fault__a_window_opens_and_closes(void **state)
{
    add(*state, "{\"trigger\":{\"from_ms\":100,\"to_ms\":200},\"effect\":{\"hold\":true}}");
    assert_int_equal(decide_at(*state, &sign_facts, 99, NULL), FAULT_NONE);
    assert_int_equal(decide_at(*state, &sign_facts, 100, NULL), FAULT_HOLD);
    assert_int_equal(decide_at(*state, &sign_facts, 199, NULL), FAULT_HOLD);
    assert_int_equal(decide_at(*state, &sign_facts, 200, NULL), FAULT_NONE);
}

static void test_fault__a_lease_ends_by_itself(void **state)
{
    add(*state, "{\"id\":\"a\",\"lease_ms\":50,\"effect\":{\"hold\":true}}");
    add(*state, "{\"id\":\"b\",\"effect\":{\"seal\":true}}");
    assert_int_equal(fault_next_expiry(*state), 50 * NS_PER_MS);
    assert_int_equal(decide_at(*state, &sign_facts, 49, NULL), FAULT_HOLD);
    assert_int_equal(decide_at(*state, &sign_facts, 50, NULL), FAULT_SEAL);
    assert_int_equal(fault_expire(*state, at_ms(49)), 0);
    assert_int_equal(fault_expire(*state, at_ms(50)), 1);
    assert_int_equal(fault_count(*state), 1);
    assert_true(fault_next_expiry(*state) == INT64_MAX);
}

static enum errc replace_under(uint64_t seed, struct fault_set *set, const json_t *rules,
                               struct errc_why *why)
{
    struct fault_set *fresh CLEANUP(free_set) = NULL;
    enum errc code = fault_set_parse(seed, rules, &fresh, why);
    if (code == ERRC_OK)
        fault_swap(set, fresh, at_ms(0));
    return code;
}

static enum errc replace(struct fault_set *set, const json_t *rules, struct errc_why *why)
{
    return replace_under(SEED, set, rules, why);
}

static void rolls_of(struct fault_set *set, size_t n, int64_t *out)
{
    for (size_t i = 0; i < n; i++)
        (void)decide_at(set, &sign_facts, 0, &out[i]);
}

static void test_fault__the_same_seed_takes_the_same_decisions(void **state)
{
    enum { N = 200 };
    int64_t first[N], second[N], third[N];
    struct fault_set *set = *state;
    json_t *rules CLEANUP(jsonread_done) =
        parse("[{\"trigger\":{\"ppm\":500000},\"effect\":{\"hold\":true}}]");
    assert_int_equal(replace(set, rules, NULL), ERRC_OK);
    rolls_of(set, N, first);
    assert_int_equal(replace(set, rules, NULL), ERRC_OK);
    rolls_of(set, N, second);
    assert_memory_equal(first, second, sizeof first);
    struct fault_set *other CLEANUP(free_set) = NULL;
    assert_int_equal(fault_set_new(SEED + 1, &other, NULL), ERRC_OK);
    assert_int_equal(replace_under(SEED + 1, other, rules, NULL), ERRC_OK);
    rolls_of(other, N, third);
    assert_memory_not_equal(first, third, sizeof first);
}

static void test_fault__a_rule_behind_does_not_shift_the_rolls(void **state)
{
    enum { N = 50 };
    int64_t alone[N], in_company[N];
    const char *rule = "{\"trigger\":{\"ppm\":300000},\"effect\":{\"hold\":true}}";
    add(*state, rule);
    rolls_of(*state, N, alone);
    fault_clear(*state);
    add(*state, rule);
    add(*state, "{\"trigger\":{\"ppm\":0},\"match\":{\"path\":\"*\"},\"effect\":{\"seal\":true}}");
    for (size_t i = 0; i < N; i++) {
        int64_t roll = -1;
        bool taken = decide_at(*state, &sign_facts, 0, &roll) == FAULT_HOLD;
        in_company[i] = taken ? roll : -1;
        if (taken)
            assert_int_equal(in_company[i], alone[i]);
        else
            assert_true(alone[i] == -1 || alone[i] >= 300000);
    }
}

static void test_fault__a_probability_comes_true(void **state)
{
    enum { N = 20000 };
    int hits = 0;
    add(*state, "{\"trigger\":{\"ppm\":250000},\"effect\":{\"hold\":true}}");
    for (int i = 0; i < N; i++)
        hits += fires(*state, &sign_facts);
    assert_in_range(hits, N / 4 - 300, N / 4 + 300); /* five standard deviations */
}

static void test_fault__an_answer_is_copied_whole(void **state)
{
    add(*state, "{\"id\":\"x\",\"effect\":{\"respond\":{\"status\":503,\"errors\":[\"a<b\"],"
                "\"headers\":{\"Retry-After\":\"1\"}}}}");
    struct fault_decision decision CLEANUP(fault_decision_done);
    fault_decide(*state, &sign_facts, at_ms(0), &decision);
    fault_clear(*state);
    assert_string_equal(decision.id, "x");
    assert_int_equal(decision.reply->status, 503);
    assert_string_equal(decision.reply->body, "{\"errors\":[\"a\\u003cb\"]}\n");
    assert_int_equal(decision.reply->body_len, strlen(decision.reply->body));
    assert_int_equal(decision.reply->header_count, 1);
    assert_string_equal(decision.reply->headers[0].name, "Retry-After");
    assert_string_equal(decision.reply->headers[0].value, "1");
}

static void test_fault__a_body_is_sent_as_it_is(void **state)
{
    add(*state, "{\"effect\":{\"respond\":{\"status\":200,\"body\":\"<html>\"}}}");
    struct fault_decision decision CLEANUP(fault_decision_done);
    fault_decide(*state, &sign_facts, at_ms(0), &decision);
    assert_string_equal(decision.reply->body, "<html>");
}

static void test_fault__a_mistake_is_named(void **state)
{
    static const struct {
        const char *rule;
        const char *sentence;
    } rows[] = {
        {"[]", "got an array, want an object"},
        {"{}", "field \"effect\" is missing, want one of respond, hold, refuse, crash, seal"},
        {"{\"efect\":{}}", "field \"efect\" is unknown, want one of: id, match, trigger, effect, "
                           "lease_ms"},
        {"{\"effect\":{}}", "effect: 0 effects in one rule, want exactly one"},
        {"{\"effect\":{\"hold\":true,\"seal\":true}}",
         "effect: 2 effects in one rule, want exactly one"},
        {"{\"effect\":{\"hold\":false}}", "effect: field \"hold\" is false, want true"},
        {"{\"effect\":{\"hang\":true}}",
         "effect: field \"hang\" is unknown, want one of: respond, hold, refuse, crash, seal"},
        {"{\"effect\":{\"respond\":{}}}",
         "effect: respond: field \"status\" is missing, want an integer"},
        {"{\"effect\":{\"respond\":{\"status\":99}}}",
         "effect: respond: field \"status\" is 99, want 200..599"},
        {"{\"effect\":{\"respond\":{\"status\":204,\"body\":\"x\"}}}",
         "effect: respond: an answer with status 204 has no body, leave \"body\" and \"errors\" "
         "out"},
        {"{\"effect\":{\"respond\":{\"status\":500,\"errors\":[1]}}}",
         "effect: respond: errors[0] is not a string"},
        {"{\"effect\":{\"respond\":{\"status\":500,\"errors\":[],\"body\":\"x\"}}}",
         "effect: respond: give \"errors\" or \"body\", not both"},
        {"{\"effect\":{\"respond\":{\"status\":500,\"headers\":{\"A\":\"b\\r\\nC: d\"}}}}",
         "effect: respond: headers: \"A\" is not a header's name and value"},
        {"{\"effect\":{\"respond\":{\"status\":500,\"headers\":{\"content-length\":\"1\"}}}}",
         "effect: respond: headers: \"content-length\" is set by the server, leave it out"},
        {"{\"effect\":{\"hold\":true},\"trigger\":{\"ppm\":1000001}}",
         "trigger: field \"ppm\" is 1000001, want 0..1000000"},
        {"{\"effect\":{\"hold\":true},\"trigger\":{\"times\":0}}",
         "trigger: field \"times\" is 0, want 1..9223372036854775807"},
        {"{\"effect\":{\"hold\":true},\"trigger\":{\"from_ms\":5,\"to_ms\":5}}",
         "trigger: field \"to_ms\" is 5, want more than \"from_ms\", which is 5"},
        {"{\"effect\":{\"hold\":true},\"match\":{\"path\":\"\"}}",
         "match: field \"path\" is empty, leave it out to match all"},
        {"{\"effect\":{\"hold\":true},\"match\":{\"paths\":\"x\"}}",
         "match: field \"paths\" is unknown, want one of: method, path, key, accessor, test"},
        {"{\"effect\":{\"hold\":true},\"id\":\"a/b\"}",
         "field \"id\" is \"a/b\", want 1..63 visible ASCII characters without / ? # % \" \\"},
        {"{\"effect\":{\"hold\":true},\"lease_ms\":-1}",
         "field \"lease_ms\" is -1, want 0..9223372036854"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *rule CLEANUP(jsonread_done) = parse(rows[i].rule);
        struct errc_why why = {""};
        const char *id = NULL;
        assert_int_not_equal(fault_add(*state, rule, at_ms(0), &id, &why), ERRC_OK);
        assert_string_equal(why.text, rows[i].sentence);
        assert_int_equal(fault_count(*state), 0);
    }
}

static void test_fault__replace_is_all_or_nothing(void **state)
{
    struct errc_why why = {""};
    add(*state, "{\"id\":\"old\",\"effect\":{\"hold\":true}}");
    json_t *bad CLEANUP(jsonread_done) =
        parse("[{\"effect\":{\"seal\":true}},{\"effect\":{\"seal\":1}}]");
    assert_int_equal(replace(*state, bad, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "rules[1]: effect: field \"seal\" is an integer, want true or "
                                  "false");
    assert_int_equal(decide_at(*state, &sign_facts, 0, NULL), FAULT_HOLD);
    json_t *twice CLEANUP(jsonread_done) = parse("[{\"id\":\"a\",\"effect\":{\"seal\":true}},"
                                                 "{\"id\":\"a\",\"effect\":{\"seal\":true}}]");
    assert_int_equal(replace(*state, twice, &why), ERRC_EXISTS);
    assert_string_equal(why.text, "rules[1]: there is a rule \"a\" already");
    assert_int_equal(fault_count(*state), 1);
}

static void test_fault__a_made_up_id_steps_aside_for_a_given_one(void **state)
{
    const char *id = NULL;
    add(*state, "{\"id\":\"r1\",\"effect\":{\"hold\":true}}");
    json_t *rule CLEANUP(jsonread_done) = parse("{\"effect\":{\"hold\":true}}");
    assert_int_equal(fault_add(*state, rule, at_ms(0), &id, NULL), ERRC_OK);
    assert_string_equal(id, "r2");
}

static void test_fault__patch_keeps_the_counts(void **state)
{
    struct errc_why why = {""};
    add(*state, "{\"id\":\"a\",\"trigger\":{\"times\":1,\"after\":0},\"effect\":{\"hold\":true}}");
    assert_true(fires(*state, &sign_facts));
    assert_false(fires(*state, &sign_facts));
    json_t *change CLEANUP(jsonread_done) =
        parse("{\"trigger\":{\"times\":2,\"after\":null},\"effect\":{\"seal\":true}}");
    assert_int_equal(fault_patch(*state, "a", change, at_ms(0), &why), ERRC_OK);
    assert_int_equal(decide_at(*state, &sign_facts, 0, NULL), FAULT_SEAL);
    assert_false(fires(*state, &sign_facts));
    assert_int_equal(fault_patch(*state, "b", change, at_ms(0), &why), ERRC_NOT_FOUND);
    assert_string_equal(why.text, "there is no rule \"b\"");
}

static void test_fault__a_removed_rule_is_not_alive(void **state)
{
    struct fault_decision decision CLEANUP(fault_decision_done);
    add(*state, "{\"id\":\"a\",\"effect\":{\"hold\":true}}");
    fault_decide(*state, &sign_facts, at_ms(0), &decision);
    assert_true(fault_alive(*state, decision.identity));
    assert_int_equal(fault_remove(*state, "a", NULL), ERRC_OK);
    add(*state, "{\"id\":\"a\",\"effect\":{\"hold\":true}}");
    assert_false(fault_alive(*state, decision.identity)); /* the same name, another rule */
    assert_int_equal(fault_remove(*state, "b", NULL), ERRC_NOT_FOUND);
}

static void test_fault__there_is_a_limit(void **state)
{
    struct errc_why why = {""};
    const char *id = NULL;
    json_t *rule CLEANUP(jsonread_done) = parse("{\"effect\":{\"hold\":true}}");
    for (unsigned i = 0; i < FAULT_RULES_MAX; i++)
        assert_int_equal(fault_add(*state, rule, at_ms(0), &id, &why), ERRC_OK);
    assert_int_equal(fault_add(*state, rule, at_ms(0), &id, &why), ERRC_TOO_BIG);
    assert_string_equal(why.text, "there are 10000 rules already");
}

static void test_fault__a_rule_is_printed_with_its_counts(void **state)
{
    struct buf out CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&out, 4096);
    add(*state, "{\"id\":\"a\",\"trigger\":{\"times\":1},\"effect\":{\"hold\":true},"
                "\"lease_ms\":7}");
    (void)fires(*state, &sign_facts);
    (void)fires(*state, &sign_facts);
    jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
    fault_format(*state, &w, NULL);
    assert_string_equal(buf_text(&out),
                        "[{\"id\":\"a\",\"match\":{},\"trigger\":{\"times\":1},"
                        "\"effect\":{\"hold\":true},\"lease_ms\":7,\"matched\":2,\"hits\":1}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fault__without_a_path_a_rule_is_about_signing),
        TEST(test_fault__each_part_of_the_match_counts),
        TEST(test_fault__the_trigger_counts_matched_requests),
        TEST(test_fault__other_requests_do_not_eat_the_count),
        TEST(test_fault__the_first_rule_wins_until_it_is_exhausted),
        TEST(test_fault__a_window_opens_and_closes),
        TEST(test_fault__a_lease_ends_by_itself),
        TEST(test_fault__the_same_seed_takes_the_same_decisions),
        TEST(test_fault__a_rule_behind_does_not_shift_the_rolls),
        TEST(test_fault__a_probability_comes_true),
        TEST(test_fault__an_answer_is_copied_whole),
        TEST(test_fault__a_body_is_sent_as_it_is),
        TEST(test_fault__a_mistake_is_named),
        TEST(test_fault__replace_is_all_or_nothing),
        TEST(test_fault__a_made_up_id_steps_aside_for_a_given_one),
        TEST(test_fault__patch_keeps_the_counts),
        TEST(test_fault__a_removed_rule_is_not_alive),
        TEST(test_fault__there_is_a_limit),
        TEST(test_fault__a_rule_is_printed_with_its_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
