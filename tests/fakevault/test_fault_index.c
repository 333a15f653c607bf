/* The index of rules: it never changes what is decided, and ten thousand rules are no burden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/count.h"
#include "base/prng.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/outage/fault.h"
#include "fakevault/core/outage/fault_rule.h"

#define SEED 7
#define RULES 120
#define TURNS 4000

static const struct instant now;

static const char *const paths[] = {
    "transit/sign/a", "transit/sign/ab", "transit/verify/a", "other/sign/a", "sys/health", "a", "",
};
static const char *const globs[] = {
    "transit/sign/a",
    "transit/sign/*",
    "/v1/transit/*",
    "*/sign/*",
    "*/a",
    "*a",
    "*",
    "*sign*",
    "?",
    "t*a",
    "sys/?ealth",
    "/",
    "transit/sign/a?",
    "transit/sign/a-path-that-is-longer-than-a-stem/*",
};
static const char *const words[] = {"a", "ab", "b"};

static const char *pick(struct prng *p, const char *const *from, size_t count)
{
    return from[prng_below(p, count)];
}

static void maybe(struct prng *p, json_t *match, const char *field, const char *const *from,
                  size_t count)
{
    if (prng_below(p, 3) == 0)
        (void)json_object_set_new(match, field, json_string(pick(p, from, count)));
}

static json_t *random_rule(struct prng *p, unsigned id)
{
    char name[32];
    (void)snprintf(name, sizeof name, "n%u", id);
    json_t *match = json_object();
    maybe(p, match, "path", globs, COUNT(globs));
    maybe(p, match, "key", words, COUNT(words));
    maybe(p, match, "test", words, COUNT(words));
    maybe(p, match, "accessor", words, COUNT(words));
    return json_pack("{s:s, s:o, s:{s:i, s:i}, s:{s:b}}", "id", name, "match", match, "trigger",
                     "times", 1 + (int)prng_below(p, 3), "after", (int)prng_below(p, 4), "effect",
                     "hold", 1);
}

static struct fault_facts random_facts(struct prng *p)
{
    return (struct fault_facts){
        .method = slice_of("POST"),
        .path = slice_of(pick(p, paths, COUNT(paths))),
        .key = slice_of(prng_below(p, 2) == 0 ? pick(p, words, COUNT(words)) : ""),
        .accessor = slice_of(prng_below(p, 2) == 0 ? pick(p, words, COUNT(words)) : ""),
        .test = slice_of(prng_below(p, 2) == 0 ? pick(p, words, COUNT(words)) : ""),
    };
}

/* All rules, one after another: what an index must not change. */
struct plain {
    struct fault_rule rules[RULES];
    size_t count;
};

static const char *decide_plainly(struct plain *plain, const struct fault_facts *facts)
{
    for (size_t i = 0; i < plain->count; i++) {
        struct fault_rule *rule = &plain->rules[i];
        int64_t roll = -1;
        if (fault_rule_matches(rule, facts, &(struct fault_seen){0}) &&
            fault_rule_fires(rule, SEED, 0, &roll)) {
            rule->hits++;
            return rule->id;
        }
    }
    return "";
}

static void add_both(struct fault_set *set, struct plain *plain, struct prng *p, unsigned id)
{
    const char *given = NULL;
    json_t *rule CLEANUP(jsonread_done) = random_rule(p, id);
    assert_int_equal(fault_add(set, rule, now, &given, NULL), ERRC_OK);
    assert_int_equal(fault_rule_parse(rule, &plain->rules[plain->count++], NULL), ERRC_OK);
}

static void remove_both(struct fault_set *set, struct plain *plain, size_t at)
{
    assert_int_equal(fault_remove(set, plain->rules[at].id, NULL), ERRC_OK);
    fault_rule_done(&plain->rules[at]);
    plain->count--;
    memmove(&plain->rules[at], &plain->rules[at + 1],
            (plain->count - at) * sizeof plain->rules[at]);
}

static void patch_both(struct fault_set *set, struct plain *plain, struct prng *p, size_t at)
{
    struct fault_rule *rule = &plain->rules[at], changed;
    json_t *change CLEANUP(jsonread_done) = random_rule(p, 0);
    (void)json_object_del(change, "id");
    assert_int_equal(fault_patch(set, rule->id, change, now, NULL), ERRC_OK);
    assert_int_equal(fault_rule_merge(rule, change, &changed, NULL), ERRC_OK);
    changed.matched = rule->matched;
    changed.hits = rule->hits;
    fault_rule_done(rule);
    *rule = changed;
}

static void change_both(struct fault_set *set, struct plain *plain, struct prng *p, unsigned turn)
{
    uint64_t what = prng_below(p, 10);
    if (what < 3 && plain->count < RULES)
        add_both(set, plain, p, turn);
    else if (what == 3 && plain->count > 0)
        remove_both(set, plain, prng_below(p, plain->count));
    else if (what == 4 && plain->count > 0)
        patch_both(set, plain, p, prng_below(p, plain->count));
}

static void test_fault_index__decides_as_asking_all_rules_does(void **state)
{
    (void)state;
    struct prng p;
    struct fault_set *set = NULL;
    struct plain *plain = calloc(1, sizeof *plain);
    size_t taken = 0;
    prng_init(&p, SEED);
    assert_int_equal(fault_set_new(SEED, &set, NULL), ERRC_OK);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        change_both(set, plain, &p, turn);
        struct fault_facts facts = random_facts(&p);
        struct fault_decision got CLEANUP(fault_decision_done);
        const char *wanted = decide_plainly(plain, &facts);
        fault_decide(set, &facts, now, &got);
        if (strcmp(got.id, wanted) != 0)
            fail_msg("turn %u: \"%s\" took it, wanted \"%s\"", turn, got.id, wanted);
        taken += *wanted != '\0';
    }
    assert_true(taken > TURNS / 20 && taken < TURNS);
    while (plain->count > 0)
        remove_both(set, plain, 0);
    assert_int_equal(fault_count(set), 0);
    fault_set_free(set);
    free(plain);
}

static int64_t ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Processor time of one decision among the most rules there can be. */
static int64_t cost_ns(const char *field, const char *before, const char *behind)
{
    enum { ASKED = 50 };
    struct fault_set *set = NULL;
    const char *id = NULL;
    assert_int_equal(fault_set_new(SEED, &set, NULL), ERRC_OK);
    for (unsigned i = 0; i < FAULT_RULES_MAX; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s%u%s", before, i, behind);
        json_t *rule CLEANUP(jsonread_done) =
            json_pack("{s:{s:s}, s:{s:b}}", "match", field, text, "effect", "hold", 1);
        assert_int_equal(fault_add(set, rule, now, &id, NULL), ERRC_OK);
    }
    const struct fault_facts facts = {.method = slice_of("POST"),
                                      .path = slice_of("transit/sign/docugen-manifest"),
                                      .key = slice_of("docugen-manifest"),
                                      .test = slice_of("t")};
    int64_t begun = ns();
    for (unsigned i = 0; i < ASKED; i++) {
        struct fault_decision got CLEANUP(fault_decision_done);
        fault_decide(set, &facts, now, &got);
        assert_int_equal(got.effect, FAULT_NONE);
    }
    int64_t each = (ns() - begun) / ASKED;
    fault_set_free(set);
    return each;
}

static void test_fault_index__ten_thousand_rules_are_no_burden(void **state)
{
    (void)state;
    static const struct {
        const char *field, *before, *behind;
        int64_t ns_max; /* with sanitizers, on a busy machine */
    } rows[] = {
        {"key", "key-", "", NS_PER_MS / 20},
        {"test", "test-", "", NS_PER_MS / 20},
        {"path", "transit/sign/key-", "", NS_PER_MS / 20},
        {"path", "other-", "/sign/*", NS_PER_MS / 20},
        {"path", "*/key-", "", NS_PER_MS / 20},
        {"path", "*key-", "*", 5 * NS_PER_MS}, /* nothing to find them by: all are asked */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t each = cost_ns(rows[i].field, rows[i].before, rows[i].behind);
        print_message("%s %sN%s: %lld ns a request\n", rows[i].field, rows[i].before,
                      rows[i].behind, (long long)each);
        assert_true(each < rows[i].ns_max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_index__decides_as_asking_all_rules_does),
        cmocka_unit_test(test_fault_index__ten_thousand_rules_are_no_burden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
