/*
 * Which key may sign when: one that nobody pinned, one in whose place another one was pinned, a
 * fallback key whose file was not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "tests/chaos/fake/case.h"

#define BEGINNING 1763920000000000000 /* of the fake world's clock */
#define SECOND 1000000000

static const char signs[] = "version: 1\npurpose: p\n"
                            "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"
                            "steady_state:\n  - sign: {via: api}\n"
                            "method:\n  - vault: seal\n  - sign: {via: api, as: outage}\n"
                            "rollback:\n  - vault: {unseal: 3}\n";

/* Since and until when each key is lawful; 0: never, not yet. */
static const struct {
    const char *what;
    int64_t vault_since, vault_until, fallback_since, fallback_until; /* ns behind the beginning */
    const char *text;                                                 /* NULL: nothing is wrong */
} samples[] = {
    {"both are lawful", 1, 0, 1, 0, NULL},
    {"Vault's was never pinned", 0, 0, 1, 0,
     "expected the key of Vault's that was pinned then, sha256:"},
    {"Vault's was pinned later", 900 * (int64_t)SECOND, 0, 1, 0, "which nobody had pinned"},
    {"another one was pinned", 1, 2, 1, 0, "in whose place another one had been pinned before"},
    {"the fallback's was never there", 1, 0, 0, 0, "(audit.ndjson:4), which nobody had put there"},
    {"the fallback's came later", 1, 0, 900 * (int64_t)SECOND, 0, "which nobody had put there"},
    {"the fallback's was taken away", 1, 0, 1, 2,
     "whose file had been taken away, replaced or opened to others before"},
};

static int64_t wall(int64_t behind)
{
    return behind == 0 ? 0 : BEGINNING + behind;
}

static void test_keys__each_signs_while_it_is_lawful(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.keys[0].since_wall_ns = wall(samples[i].vault_since);
        f.keys[0].until_wall_ns = wall(samples[i].vault_until);
        f.keys[2].since_wall_ns = wall(samples[i].fallback_since);
        f.keys[2].until_wall_ns = wall(samples[i].fallback_until);
        case_run_scenario(&c, &f, signs);
        const char *text = case_finding(&c, "fingerprint");
        if ((text == NULL) != (samples[i].text == NULL) ||
            (text != NULL && strstr(text, samples[i].text) == NULL))
            fail_msg("%s: %s", samples[i].what, text == NULL ? "nothing was found" : text);
    }
}

/* A key that stands there twice is lawful in both times, and what was lawful once is told as that,
 * although it came back later. */
static void test_keys__one_that_was_put_back_was_gone_in_between(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.keys[1] = f.keys[2]; /* the second key of Vault's is not used here */
    f.keys[1].since_wall_ns = wall(1);
    f.keys[1].until_wall_ns = wall(2);
    f.keys[2].since_wall_ns = wall(900 * (int64_t)SECOND);
    case_run_scenario(&c, &f, signs);
    const char *text = case_finding(&c, "fingerprint");
    assert_non_null(text);
    assert_non_null(strstr(text, "whose file had been taken away"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys__each_signs_while_it_is_lawful),
        cmocka_unit_test(test_keys__one_that_was_put_back_was_gone_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
