#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/read/scenario_parse.h"

#define HEAD "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: api}\n"

struct parsed {
    struct scenario scenario;
    struct lint lint;
    struct errc_why why;
    enum errc code;
};

static void parsed_done(struct parsed *p)
{
    scenario_done(&p->scenario);
    lint_done(&p->lint);
}

static void parse(struct parsed *p, const char *text)
{
    *p = (struct parsed){0};
    p->code =
        scenario_parse(slice_of(text), "folder/my-case.yaml", &p->scenario, &p->lint, &p->why);
}

static const struct scenario_step *step(const struct parsed *p, enum verb_phase phase, size_t i)
{
    assert_true(i < p->scenario.phases[phase].count);
    return &p->scenario.phases[phase].items[i];
}

/* --- good files --- */

static void test_scenario__reads_the_grammar_of_the_design(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    parse(
        &p,
        "version: 1\npurpose: a sealed Vault\ntags: [sealed, fallback]\nstack:\n"
        "  vault: {storage: file, shares: 5, threshold: 3}\n  services: [api, worker]\n"
        "  environment: {ALLOW_FALLBACK_SIGNING: \"true\"}\nsteady_state:\n"
        "  - sign: {via: api, expect: {mode: vault, attempts: 1}}\nmethod:\n  - vault: seal\n"
        "  - sign: {via: api, as: outage, expect: {mode: fallback, attempts: 3, reason: sealed}}\n"
        "  - sign: {via: cli, environment: {ALLOW_FALLBACK_SIGNING: \"false\"}, expect: {exit: 1, "
        "signed: false}}\nrollback:\n  - vault: {unseal: 3}\n"
        "  - service: {restart: [api, worker], environment: {ALLOW_FALLBACK_SIGNING: "
        "\"false\"}}\nexpect:\n  - audit: {fallback: 2, failed: 1}\n"
        "  - backoff: {of: outage, waits: 2}\n");
    assert_int_equal(p.code, ERRC_OK);
    assert_string_equal(p.scenario.name, "my-case");
    assert_string_equal(p.scenario.purpose, "a sealed Vault");
    assert_true(scenario_tagged(&p.scenario, "fallback"));
    assert_false(scenario_tagged(&p.scenario, "refused"));
    assert_true(p.scenario.stack.durable && p.scenario.stack.services[0] &&
                p.scenario.stack.services[1]);
    assert_int_equal(p.scenario.stack.shares, 5);
    assert_int_equal(p.scenario.stack.threshold, 3);
    assert_string_equal(p.scenario.stack.environment[0].value, "true");
    assert_ptr_equal(step(&p, VERB_PHASE_METHOD, 0)->actor, &actor_vault);
    assert_string_equal(step(&p, VERB_PHASE_METHOD, 0)->verb->name, "seal");
    assert_int_equal(step(&p, VERB_PHASE_METHOD, 0)->line, 11);
    assert_int_equal(step(&p, VERB_PHASE_ROLLBACK, 0)->main.number, 3);
    assert_string_equal(step(&p, VERB_PHASE_ROLLBACK, 1)->main.texts[1], "worker");
    const struct scenario_value *expect = scenario_field(step(&p, VERB_PHASE_METHOD, 2), "expect");
    assert_int_equal(scenario_member(expect, "exit")->number, 1);
    assert_true(scenario_member(expect, "signed")->given);
    assert_false(scenario_member(expect, "signed")->flag);
    assert_false(scenario_member(expect, "mode")->given);
}

static void test_scenario__json_is_read_as_well(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    parse(&p, "{\n\t\"version\": 1,\n\t\"purpose\": \"in JSON, caf\\u00e9\",\n\t\"steady_state\": "
              "[{\"sign\": {\"via\": \"cli\"}}],\n\t\"method\": [{\"vault\": {\"respond\": 503, "
              "\"times\": 2, \"headers\": {\"Retry-After\": \"1\"}}}]\n}\n");
    assert_string_equal(p.why.text, "");
    assert_int_equal(p.code, ERRC_OK);
    assert_string_equal(p.scenario.purpose, "in JSON, caf\xc3\xa9");
    const struct scenario_step *respond = step(&p, VERB_PHASE_METHOD, 0);
    assert_int_equal(respond->main.number, 503);
    assert_int_equal(scenario_int(respond, "times"), 2);
    assert_string_equal(scenario_field(respond, "headers")->pairs[0].name, "Retry-After");
    assert_int_equal(scenario_effect(respond, &p.scenario.stack).sets, CONDITION_RULED);
}

static void test_scenario__what_is_left_out_has_its_standard(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    parse(&p, HEAD "method:\n  - vault: seal\n  - vault: {seal: at_request, after: 1}\n"
                   "  - log: {service: api, contains: x}\n");
    assert_int_equal(p.code, ERRC_OK);
    assert_true(p.scenario.stack.durable && p.scenario.stack.services[0] &&
                p.scenario.stack.services[1]);
    const struct scenario_step *now = step(&p, VERB_PHASE_METHOD, 0);
    assert_string_equal(now->main.text, "now");
    assert_string_equal(scenario_text(now, "path"), "*/sign/*");
    assert_false(scenario_given(now, "path"));
    assert_false(scenario_at_request(now));
    assert_true(scenario_at_request(step(&p, VERB_PHASE_METHOD, 1)));
    assert_int_equal(scenario_int(step(&p, VERB_PHASE_METHOD, 2), "within_ms"), 0);
    assert_null(scenario_field(now, "nothing_of_the_kind"));
}

static void test_scenario__dev_has_one_share_and_no_storage(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    parse(&p, HEAD "stack:\n  vault: {dev: true}\n  services: worker\nmethod:\n  - vault: crash\n"
                   "  - sign: {via: cli}\n");
    /* the steady state of HEAD signs via api, which this stack does not have */
    assert_int_equal(p.code, ERRC_SCHEMA);
    assert_string_equal(p.why.text,
                        "folder/my-case.yaml:4:17: steady_state[0].sign.via: \"api\" is "
                        "not among stack.services");
    assert_true(p.scenario.stack.dev);
    assert_false(p.scenario.stack.durable || p.scenario.stack.services[0]);
    assert_int_equal(p.scenario.stack.shares, 1);
}

static void test_scenario__every_shipped_scenario_is_good(void **state)
{
    (void)state;
    size_t count = 0;
    DIR *folder = opendir(FIXTURES "/scenarios");
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (strstr(entry->d_name, ".yaml") == NULL)
            continue;
        char path[LIMIT_PATH_BYTES];
        struct buf text CLEANUP(buf_done);
        struct parsed p CLEANUP(parsed_done) = {0};
        struct plan plan;
        buf_init(&text, SCENARIO_BYTES_MAX);
        (void)snprintf(path, sizeof path, FIXTURES "/scenarios/%s", entry->d_name);
        assert_int_equal(file_read(path, &text, NULL), ERRC_OK);
        p.code = scenario_parse(buf_slice(&text), path, &p.scenario, &p.lint, &p.why);
        assert_string_equal(p.why.text, "");
        assert_int_equal(plan_make(&p.scenario, &plan, NULL), ERRC_OK);
        assert_true(plan.count >= 3);
        count++;
    }
    closedir(folder);
    assert_true(count >= 14);
}

/* --- broken files: each has its exact message --- */

static bool lint_file(const char *name, struct buf *out)
{
    char path[LIMIT_PATH_BYTES];
    struct buf text CLEANUP(buf_done);
    struct parsed p CLEANUP(parsed_done) = {0};
    buf_init(&text, SCENARIO_BYTES_MAX);
    (void)snprintf(path, sizeof path, FIXTURES "/broken/%s", name);
    assert_int_equal(file_read(path, &text, NULL), ERRC_OK);
    p.code = scenario_parse(buf_slice(&text), name, &p.scenario, &p.lint, &p.why);
    lint_format(&p.lint, name, out);
    return p.code == ERRC_SCHEMA;
}

static void expected_of(const char *name, struct buf *out)
{
    char path[LIMIT_PATH_BYTES];
    (void)snprintf(path, sizeof path, FIXTURES "/broken/%.*s.expected", (int)strcspn(name, "."),
                   name);
    if (file_read(path, out, NULL) != ERRC_OK)
        fail_msg("%s has no .expected file", name);
}

static void test_scenario__each_broken_file_gets_its_exact_message(void **state)
{
    (void)state;
    size_t count = 0;
    DIR *folder = opendir(FIXTURES "/broken");
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *name = entry->d_name;
        if (strstr(name, ".yaml") == NULL && strstr(name, ".json") == NULL)
            continue;
        struct buf found CLEANUP(buf_done), expected CLEANUP(buf_done);
        buf_init(&found, 64u << 10);
        buf_init(&expected, 64u << 10);
        if (!lint_file(name, &found))
            fail_msg("%s was accepted", name);
        expected_of(name, &expected);
        assert_string_equal(buf_text(&found), buf_text(&expected));
        count++;
    }
    closedir(folder);
    assert_true(count >= 60);
}

static void test_scenario__all_mistakes_are_told_up_to_the_limit(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done), out CLEANUP(buf_done);
    struct parsed p CLEANUP(parsed_done);
    buf_init(&text, SCENARIO_BYTES_MAX);
    buf_init(&out, 64u << 10);
    buf_add_text(&text, HEAD "method:\n");
    for (unsigned i = 0; i < LINT_MAX + 7; i++)
        buf_add_text(&text, "  - vault: sael\n");
    parse(&p, buf_text(&text));
    assert_int_equal(p.code, ERRC_SCHEMA);
    assert_int_equal(p.lint.count, LINT_MAX);
    assert_int_equal(p.lint.dropped, 7);
    lint_format(&p.lint, "f", &out);
    assert_non_null(strstr(buf_text(&out), "f:6:12: method[0].vault: \"sael\" is unknown, did you "
                                           "mean \"seal\"?\n"));
    assert_non_null(strstr(buf_text(&out), "\nf: 7 more\n"));
}

static void test_scenario__too_large_a_file_is_refused_unread(void **state)
{
    (void)state;
    struct parsed p = {0};
    char *text = calloc(1, SCENARIO_BYTES_MAX + 2);
    assert_non_null(text);
    memset(text, '#', SCENARIO_BYTES_MAX + 1);
    p.code = scenario_parse(slice_bytes(text, SCENARIO_BYTES_MAX + 1), "f.yaml", &p.scenario,
                            &p.lint, &p.why);
    assert_int_equal(p.code, ERRC_SCHEMA);
    assert_string_equal(p.why.text,
                        "f.yaml:1:1: the file has 262145 bytes, at most 262144 are allowed");
    parsed_done(&p);
    free(text);
}

static void test_scenario__too_many_values_are_refused(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done);
    struct parsed p CLEANUP(parsed_done);
    buf_init(&text, SCENARIO_BYTES_MAX);
    buf_add_text(&text, HEAD "tags: [");
    for (unsigned i = 0; i < 30000; i++)
        buf_add_text(&text, "a,");
    buf_add_text(&text, "a]\nmethod: []\n");
    parse(&p, buf_text(&text));
    assert_int_equal(p.code, ERRC_SCHEMA);
    assert_non_null(strstr(p.why.text, "too many values"));
}

/* --- plan --- */

static void test_plan__numbers_the_steps_and_names_the_faults(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    struct plan plan;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 64u << 10);
    parse(&p, HEAD "stack: {environment: {SIGNER_ATTEMPTS: \"2\"}}\nmethod:\n"
                   "  - vault: {respond: 503, times: 2}\n  - vault: {crash: at_request}\n"
                   "rollback:\n  - vault: start\n");
    assert_int_equal(p.code, ERRC_OK);
    assert_int_equal(plan_make(&p.scenario, &plan, NULL), ERRC_OK);
    plan_format(&plan, &p.scenario, &out);
    assert_string_equal(
        buf_text(&out),
        "my-case: p\nstack: vault (storage file, 3 of 5 shares), api, worker\n"
        "environment: SIGNER_ATTEMPTS=2\n\n"
        "steady state (checked again behind the rollback)\n    1  line 4    sign via api\n\n"
        "method\n    2  line 7    vault respond 503, times 2   [fault: rule]\n"
        "    3  line 8    vault crash at_request   [fault: rule]\n\n"
        "rollback (always runs)\n    4  line 10   vault start\n");
}

static void test_plan__a_text_with_newlines_stays_in_its_line(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    struct plan plan;
    parse(&p, HEAD "method:\n  - vault: {respond: 500, body: \"a\\nb\"}\n");
    assert_int_equal(plan_make(&p.scenario, &plan, NULL), ERRC_OK);
    assert_string_equal(plan.steps[1].text, "vault respond 500, body \"a b\"");
}

static void test_plan__finds_sign_steps_by_name(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    struct plan plan;
    parse(&p, HEAD "method:\n  - sign: {via: api, as: outage}\n");
    assert_int_equal(plan_make(&p.scenario, &plan, NULL), ERRC_OK);
    assert_int_equal(plan_find_sign(&plan, "outage"), 1);
    assert_int_equal(plan_find_sign(&plan, "other"), plan.count);
}

static void test_plan__shows_a_long_step_cut_between_characters(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    struct buf text CLEANUP(buf_done);
    struct plan plan;
    buf_init(&text, 1u << 20);
    buf_add_text(&text, HEAD "method:\n  - vault: {respond: 503, body: \"");
    for (unsigned i = 0; i < 20000; i++)
        buf_add_text(&text, "ä");
    buf_add_text(&text, "\"}\n");
    parse(&p, buf_text(&text));
    assert_int_equal(plan_make(&p.scenario, &plan, NULL), ERRC_OK);
    size_t len = strlen(plan.steps[1].text);
    assert_true(len > 990 && len <= 1003);
    assert_string_equal(plan.steps[1].text + len - strlen("ä…"), "ä…");
}

/* --- what makes no sense where it stands --- */

/* The only finding of a method, or NULL. */
static const char *finding(struct parsed *p, const char *method)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1u << 20);
    buf_addf(&text, HEAD "method:\n%s", method);
    parse(p, buf_text(&text));
    assert_true(p->lint.count <= 1);
    return p->lint.count == 0 ? NULL : p->lint.items[0].reason.text;
}

static void test_scenario_walk__holds_only_against_a_step_what_is_certain(void **state)
{
    (void)state;
    static const struct {
        const char *method, *finding;
    } rows[] = {
        {"  - vault: {crash: at_request}\n  - vault: start\n", NULL},
        {"  - vault: {crash: at_request}\n  - vault: seal\n", NULL},
        {"  - vault: {hang: at_request}\n  - vault: rotate_key\n", NULL},
        {"  - vault: hang\n  - vault: rotate_key\n",
         "vault holds requests here (since line 6): resume it first"},
        {"  - vault: hang\n  - vault: {crash: at_request}\n  - vault: rotate_key\n", NULL},
        {"  - vault: hang\n  - vault: resume\n  - vault: rotate_key\n", NULL},
        {"  - vault: pause\n  - vault: stop\n  - vault: start\n  - vault: pause\n", NULL},
        {"  - vault: pause\n  - vault: restart\n  - vault: unpause\n",
         "vault is not paused here: pause it first"},
        {"  - vault: seal\n  - vault: {unseal: 1}\n  - vault: {unseal: 2}\n  - trust: accept\n",
         NULL},
        {"  - vault: accept\n  - vault: resume\n  - vault: reset\n", NULL},
        {"  - service: {kill: api}\n  - service: {restart: api}\n  - sign: {via: api}\n", NULL},
        {"  - service: {kill: api}\n  - sign: {via: cli}\n", NULL},
        {"  - service: {pause: api}\n  - service: {stop: api}\n  - service: {start: api}\n", NULL},
        {"  - fallback_key: remove\n  - vault: bootstrap\n  - fallback_key: remove\n", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct parsed p CLEANUP(parsed_done);
        const char *found = finding(&p, rows[i].method);
        if (found == NULL ? rows[i].finding != NULL
                          : rows[i].finding == NULL || strcmp(found, rows[i].finding) != 0)
            fail_msg("%sfound: %s", rows[i].method, found != NULL ? found : "nothing");
    }
}

/* fakevault takes 256 rules at a time. */
static void test_scenario_walk__counts_the_rules(void **state)
{
    (void)state;
    for (unsigned rules = 256; rules <= 257; rules++) {
        struct parsed p CLEANUP(parsed_done);
        struct buf method CLEANUP(buf_done);
        buf_init(&method, 1u << 20);
        for (unsigned i = 0; i < rules; i++)
            buf_add_text(&method, "  - vault: {respond: 503, times: 1}\n");
        const char *found = finding(&p, buf_text(&method));
        assert_int_equal(found != NULL, rules > 256);
    }
}

static void test_scenario__may_begin_with_a_byte_order_mark(void **state)
{
    (void)state;
    struct parsed p CLEANUP(parsed_done);
    parse(&p, "\xef\xbb\xbf" HEAD "method:\n  - vault: seal\n");
    assert_int_equal(p.code, ERRC_OK);
    parsed_done(&p);
    parse(
        &p,
        "\xef\xbb\xbf{\"version\": 1, \"purpose\": \"p\", \"steady_state\": [{\"sign\": {\"via\": "
        "\"api\"}}], \"method\": [{\"vault\": \"seal\"}]}");
    assert_int_equal(p.code, ERRC_OK);
    parsed_done(&p);
    parse(&p, "\xef\xbb\xbfversin: 1\n");
    assert_int_equal(p.code, ERRC_SCHEMA);
    assert_int_equal(p.lint.items[0].column, 1);
}

/* --- the actors and their verbs --- */

/* What a row must have for its role. */
static void check_row(const struct actor *actor, const struct verb *verb)
{
    assert_non_null(verb->doc);
    assert_ptr_equal(actors_verb(actor, verb->name), verb);
    assert_true(verb->main.type == VERB_NOTHING || verb->main.required ||
                verb->main.standard != NULL);
    for (const struct verb_field *f = verb->fields; f != NULL && f->name != NULL; f++)
        assert_non_null(f->doc);
    for (size_t i = 0; verb->compares != NULL && verb->compares[i] != NULL; i++)
        assert_non_null(verb_field_find(verb->fields, verb->compares[i]));
    assert_int_equal(verb->probe != NULL, verb->role == VERB_OBSERVES);
    assert_true(!verb->asks || verb->role == VERB_OBSERVES);
}

static void test_actors__have_verbs_that_are_whole_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ACTORS_COUNT; i++) {
        const struct actor *actor = actors_at(i);
        assert_ptr_equal(actors_find(actor->name), actor);
        assert_true(actor->verb_count > 0);
        for (size_t k = 0; k < actor->verb_count; k++)
            check_row(actor, &actor->verbs[k]);
    }
    assert_null(actors_verb(&actor_vault, "explode"));
    assert_null(actors_find("volt"));
}

static void test_actors__have_verbs_or_do_one_thing(void **state)
{
    (void)state;
    assert_true(ACTORS_COUNT >= 10);
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        for (size_t k = 0; k < actors_at(i)->verb_count; k++)
            if (actors_at(i)->verbs[k].name == NULL)
                assert_int_equal(actors_at(i)->verb_count, 1);
}

static void test_verb__formats_match_what_they_say(void **state)
{
    (void)state;
    static const struct {
        enum verb_format format;
        const char *text;
        bool matches;
    } rows[] = {
        {VERB_FORMAT_NAME, "a-b_1", true},
        {VERB_FORMAT_NAME, "1a", false},
        {VERB_FORMAT_NAME, "", false},
        {VERB_FORMAT_NAME, "a b", false},
        {VERB_FORMAT_VARIABLE, "A_1", true},
        {VERB_FORMAT_VARIABLE, "a", false},
        {VERB_FORMAT_HEADER, "Retry-After", true},
        {VERB_FORMAT_HEADER, "X:Y", false},
        {VERB_FORMAT_MODE, "0644", true},
        {VERB_FORMAT_MODE, "0648", false},
        {VERB_FORMAT_MODE, "00644", false},
        {VERB_FORMAT_MODE, "644", false},
        {VERB_FORMAT_METRIC, "vault_up", true},
        {VERB_FORMAT_METRIC, "vault-up", false},
        {VERB_FORMAT_ANY, "", true},
        {VERB_FORMAT_ANY, "anything", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(verb_format_matches(rows[i].format, rows[i].text), rows[i].matches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario__reads_the_grammar_of_the_design),
        cmocka_unit_test(test_scenario__json_is_read_as_well),
        cmocka_unit_test(test_scenario__what_is_left_out_has_its_standard),
        cmocka_unit_test(test_scenario__dev_has_one_share_and_no_storage),
        cmocka_unit_test(test_scenario__every_shipped_scenario_is_good),
        cmocka_unit_test(test_scenario__each_broken_file_gets_its_exact_message),
        cmocka_unit_test(test_scenario__all_mistakes_are_told_up_to_the_limit),
        cmocka_unit_test(test_scenario__too_large_a_file_is_refused_unread),
        cmocka_unit_test(test_scenario__too_many_values_are_refused),
        cmocka_unit_test(test_plan__numbers_the_steps_and_names_the_faults),
        cmocka_unit_test(test_plan__a_text_with_newlines_stays_in_its_line),
        cmocka_unit_test(test_plan__finds_sign_steps_by_name),
        cmocka_unit_test(test_plan__shows_a_long_step_cut_between_characters),
        cmocka_unit_test(test_scenario_walk__holds_only_against_a_step_what_is_certain),
        cmocka_unit_test(test_scenario_walk__counts_the_rules),
        cmocka_unit_test(test_scenario__may_begin_with_a_byte_order_mark),
        cmocka_unit_test(test_actors__have_verbs_that_are_whole_and_found),
        cmocka_unit_test(test_actors__have_verbs_or_do_one_thing),
        cmocka_unit_test(test_verb__formats_match_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
