/* Whether our signer, described as a subject, is asked and understood as it documents itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/scenario.h"
#include "chaos/core/subject/subject_answer.h"
#include "chaos/core/subject/subject_bundle.h"
#include "chaos/core/subject/subject_contract.h"
#include "chaos/core/subject/subject_template.h"
#include "chaos/core/subject/subjects.h"

#define US subjects_default()

/* --- words --- */

static void test_subject__a_class_says_outage_refusal_or_neither(void **state)
{
    (void)state;
    static const struct {
        const char *class;
        enum subject_says says;
    } rows[] = {
        {"refused", SUBJECT_SAYS_OUTAGE},
        {"timeout", SUBJECT_SAYS_OUTAGE},
        {"malformed", SUBJECT_SAYS_OUTAGE},
        {"denied", SUBJECT_SAYS_REFUSAL},
        {"key_mismatch", SUBJECT_SAYS_REFUSAL},
        {"internal", SUBJECT_SAYS_REFUSAL},
        {"ok", SUBJECT_SAYS_NEITHER},
        {"rate_limited", SUBJECT_SAYS_NEITHER},
        {"stale", SUBJECT_SAYS_NEITHER},
        {"interrupted", SUBJECT_SAYS_NEITHER},
        {"of our own making", SUBJECT_SAYS_NEITHER},
        {NULL, SUBJECT_SAYS_NEITHER},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(subject_says(US, rows[i].class), rows[i].says);
}

static void test_subject__a_class_has_its_statuses_and_no_others(void **state)
{
    (void)state;
    assert_true(subject_may_have(US, "ok", 200));
    assert_false(subject_may_have(US, "ok", 204));
    assert_true(subject_may_have(US, "refused", 0));
    assert_false(subject_may_have(US, "refused", 403));
    assert_true(subject_may_have(US, "malformed", 999));
    assert_false(subject_may_have(US, "malformed", 501));
    assert_false(subject_may_have(US, "unavailable", 403));
    assert_false(subject_may_have(US, "unheard_of", 0));
    assert_false(subject_may_have(US, NULL, 0));
}

static bool lists(enum subject_list list, const char *word)
{
    const char *const *words = subject_words(US, list);
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void test_subject__each_class_can_be_named_in_a_scenario(void **state)
{
    (void)state;
    for (size_t i = 0; i < US->class_count; i++) {
        const struct subject_class *c = &US->classes[i];
        assert_true(lists(SUBJECT_CLASSES, c->name));
        assert_int_equal(lists(SUBJECT_REASONS, c->name), strcmp(c->name, "ok") != 0);
    }
    assert_false(lists(SUBJECT_CLASSES, "fallback_off"));
    assert_true(lists(SUBJECT_REASONS, "fallback_off"));
}

static void expect_words(const char *const words[], enum subject_list list)
{
    const char *const *ours = subject_words(US, list);
    size_t i = 0;
    for (; words[i] != NULL && ours[i] != NULL; i++)
        assert_string_equal(words[i], ours[i]);
    assert_null(words[i]);
    assert_null(ours[i]);
}

static void test_subject__the_language_has_the_words_of_the_subject(void **state)
{
    (void)state;
    expect_words(fields_services, SUBJECT_SERVICES);
    expect_words(fields_modes, SUBJECT_MODES);
    expect_words(fields_classes, SUBJECT_CLASSES);
    expect_words(fields_reasons, SUBJECT_REASONS);
}

static void test_subject__statuses_actions_and_modes_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(subject_status(US, "pending"), SUBJECT_STATUS_UNDER_WAY);
    assert_int_equal(subject_status(US, "completed"), SUBJECT_STATUS_SIGNED);
    assert_int_equal(subject_status(US, "failed"), SUBJECT_STATUS_NOT_SIGNED);
    assert_int_equal(subject_status(US, "blocked"), SUBJECT_STATUS_NOT_SIGNED);
    assert_int_equal(subject_status(US, ""), SUBJECT_STATUS_UNDER_WAY);
    assert_int_equal(subject_action(US, "MANIFEST_SIGNED"), SUBJECT_ACTION_SIGNED);
    assert_int_equal(subject_action(US, "AUDIT_TAIL_REPAIRED"), SUBJECT_ACTION_REPAIRED);
    assert_int_equal(subject_action(US, "MANIFEST_SIGNED_TWICE"), SUBJECT_ACTION_OTHER);
    assert_int_equal(subject_action(US, NULL), SUBJECT_ACTION_OTHER);
    assert_int_equal(subject_mode(US, "vault"), SUBJECT_MODE_VAULT);
    assert_int_equal(subject_mode(US, "fallback"), SUBJECT_MODE_FALLBACK);
    assert_int_equal(subject_mode(US, "Vault"), SUBJECT_MODE_OTHER);
    assert_true(subject_waited(US, "timeout"));
    assert_false(subject_waited(US, "sealed"));
}

static void test_subject__the_lists_name_every_door_and_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < US->door_count; i++) {
        const struct subject_door *d = &US->doors[i];
        assert_true(lists(SUBJECT_DOORS, d->name));
        assert_true(lists(SUBJECT_LOGS, d->name));
        assert_int_equal(lists(SUBJECT_SERVICES, d->name), d->kind == SUBJECT_SERVICE);
    }
    for (size_t i = 0; i < US->status_count; i++)
        assert_true(lists(SUBJECT_STATUSES, US->statuses[i].name));
    assert_true(US->door_count <= SUBJECT_DOORS_MAX);
}

/* --- doors --- */

static const struct subject_template_values some = {{
    [SUBJECT_TEMPLATE_RUN] = "/r",
    [SUBJECT_TEMPLATE_NAME] = "api",
    [SUBJECT_TEMPLATE_DIR] = "/r/api",
    [SUBJECT_TEMPLATE_PORT] = "8080",
    [SUBJECT_TEMPLATE_CALL] = "ID",
    [SUBJECT_TEMPLATE_SECONDS] = "9",
}};

static void expect_text(const char *text, const char *want)
{
    struct buf out CLEANUP(buf_done);
    struct errc_why why = {{0}};
    buf_init(&out, 4096);
    if (subject_template_expand(text, &some, &out, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    assert_string_equal(buf_text(&out), want);
}

static void expect_arguments(const char *const *arguments, const char *want)
{
    struct buf line CLEANUP(buf_done);
    struct pool pool CLEANUP(pool_done);
    const char *const *argv = NULL;
    buf_init(&line, 4096);
    pool_init(&pool, 1u << 16);
    assert_int_equal(subject_template_argv("signer", arguments, &some, &pool, &argv, NULL),
                     ERRC_OK);
    for (; *argv != NULL; argv++)
        buf_addf(&line, "%s ", *argv);
    assert_string_equal(buf_text(&line), want);
}

static void test_subject__a_service_is_started_and_the_command_is_run(void **state)
{
    (void)state;
    expect_arguments(subject_door(US, "api")->start, "signer serve --name api --listen "
                                                     "127.0.0.1:8080 --data /r/api --ready-fd 3 ");
    expect_arguments(subject_door(US, "cli")->sign,
                     "signer sign /r/api/ID --actor cli-user:chaos ");
    expect_arguments(US->accept, "signer trust accept ");
    expect_arguments(US->status, "signer status ");
    assert_true(subject_is_command(US, "cli"));
    assert_false(subject_is_command(US, "api"));
    assert_false(subject_is_command(US, "clippy"));
    assert_null(subject_door(US, NULL));
}

static void test_subject__a_service_is_asked(void **state)
{
    (void)state;
    const struct subject_door *api = subject_door(US, "api");
    assert_string_equal(api->submit.method, "POST");
    expect_text(api->submit.path, "/api/v1/bundles");
    assert_string_equal(api->await.method, "GET");
    expect_text(api->await.path, "/api/v1/bundles/ID");
    expect_text(api->await.header, "Prefer: wait=9");
    assert_string_equal(api->retry.method, "POST");
    expect_text(api->retry.path, "/api/v1/bundles/ID/retry");
    expect_text(api->manifest, "/r/api/manifests/ID.json");
    expect_text(US->audit, "/r/ledgers/audit.ndjson");
}

/* Expands a bundle's text with one kind of artefact. */
static json_t *bundle_of(const struct subject_door *door, const char *text, const char *artefact,
                         const struct subject_bundle *bundle)
{
    struct buf out CLEANUP(buf_done);
    json_t *root = NULL;
    struct errc_why why = {{0}};
    buf_init(&out, 1u << 16);
    if (subject_bundle_expand(door, text, artefact, bundle, &some, &out, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    assert_int_equal(jsonread_parse(buf_slice(&out), &root, NULL), ERRC_OK);
    return root;
}

static const struct subject_bundle plain = {.artefacts = 1};

static void expect_json(const struct subject_door *door, const char *text, const char *artefact,
                        const char *checksum)
{
    json_t *root CLEANUP(jsonread_done) = bundle_of(door, text, artefact, &plain);
    const json_t *first = json_array_get(json_object_get(root, "artefacts"), 0);
    assert_string_equal(jsonread_string_or(root, "bundleRunId", ""), "ID");
    assert_string_equal(jsonread_string_or(first, "checksum", "none"), checksum);
    assert_string_equal(jsonread_string_or(first, "renderVersion", "none"), "1.0.0");
    assert_int_equal(json_array_size(json_object_get(root, "artefacts")), 1);
    assert_int_equal(json_object_size(json_object_get(root, "metadata")), 0);
}

/* The hash of no bytes, since a service sees no artefact; that of "ID 1". */
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_FIRST "sha256:29b79b9b5e75579a8aab237b2da275769a503eb6fa10a0b16631d7814d1a0d23"

static void test_subject__what_is_asked_for_is_what_is_told_to_be_asked_for(void **state)
{
    (void)state;
    const struct subject_door *api = subject_door(US, "api"), *cli = subject_door(US, "cli");
    expect_json(api, api->submit.body, api->artefact, EMPTY);
    expect_json(api, api->asked, api->asked_artefact, EMPTY);
    expect_json(cli, cli->asked, cli->asked_artefact, OF_FIRST);
    expect_json(cli, cli->files[1].text, cli->artefact, "none");
    assert_null(cli->files[2].name);
}

static void expect_file(const struct subject_door *door, size_t i, int n, const char *want_name,
                        const char *want_text)
{
    struct buf name CLEANUP(buf_done), text CLEANUP(buf_done);
    buf_init(&name, 4096);
    buf_init(&text, 4096);
    assert_int_equal(
        subject_bundle_file(door, &door->files[i], n, &plain, &some, &name, &text, NULL), ERRC_OK);
    assert_string_equal(buf_text(&name), want_name);
    if (want_text != NULL)
        assert_string_equal(buf_text(&text), want_text);
}

static void test_subject__each_artefact_of_a_call_has_a_file(void **state)
{
    (void)state;
    const struct subject_door *cli = subject_door(US, "cli");
    expect_file(cli, 0, 1, "statement-1.pdf", "ID 1");
    expect_file(cli, 0, 2, "statement-2.pdf", "ID 2");
    expect_file(cli, 1, 1, "bundle.json", NULL);
}

static void test_subject__a_bundle_has_artefacts_and_metadata_and_faults_as_asked(void **state)
{
    (void)state;
    const struct scenario_pair metadata[] = {{.name = "case", .value = "a \"b\""}};
    const struct subject_bundle bundle = {.artefacts = 2,
                                          .metadata = metadata,
                                          .metadata_count = 1,
                                          .other = true,
                                          .wrong_checksum = true};
    const struct subject_door *api = subject_door(US, "api"), *cli = subject_door(US, "cli");
    json_t *told CLEANUP(jsonread_done) =
        bundle_of(cli, cli->files[1].text, cli->artefact, &bundle);
    json_t *sent CLEANUP(jsonread_done) = bundle_of(api, api->submit.body, api->artefact, &bundle);
    const json_t *first = json_array_get(json_object_get(told, "artefacts"), 0);
    const json_t *second = json_array_get(json_object_get(told, "artefacts"), 1);
    const json_t *there = json_array_get(json_object_get(sent, "artefacts"), 1);
    assert_null(json_object_get(first, "checksum"));
    assert_non_null(json_object_get(second, "checksum"));
    assert_string_equal(jsonread_string_or(second, "id", ""), "artefact-2");
    assert_string_equal(jsonread_string_or(second, "path", ""), "statement-2.pdf");
    assert_string_equal(jsonread_string_or(second, "renderVersion", ""), "2.0.0");
    assert_string_equal(jsonread_string_or(there, "checksum", ""), EMPTY);
    assert_string_equal(jsonread_string_or(json_object_get(sent, "metadata"), "case", ""),
                        "a \"b\"");
}

static void test_subject__a_template_without_a_value_is_an_error(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    struct errc_why why = {{0}};
    buf_init(&out, 64);
    assert_int_equal(subject_template_expand("a ${KEY}", &some, &out, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "there is no value for ${KEY} here");
    assert_int_equal(subject_template_expand("${NONE}", &some, &out, NULL), ERRC_SCHEMA);
    assert_int_equal(subject_template_expand("${call", &some, &out, NULL), ERRC_SCHEMA);
    expect_text("$call {call} ${call}${call}", "$call {call} IDID");
}

/* --- answers --- */

static struct world_call answer(const char *door, int http_status, const char *text)
{
    struct world_call told = {.http_status = http_status, .status = "pending", .attempts = 7};
    subject_answer_take(subject_door(US, door), slice_of(text), &told);
    return told;
}

static void test_subject__an_answer_is_understood(void **state)
{
    (void)state;
    struct world_call told =
        answer("api", 200,
               "{\"status\":\"completed\",\"signing\":{\"mode\":\"fallback\","
               "\"reason\":\"sealed\",\"attempts\":3},\"error\":{\"code\":\"x\"}}");
    assert_string_equal(told.status, "completed");
    assert_string_equal(told.mode, "fallback");
    assert_string_equal(told.reason, "sealed");
    assert_string_equal(told.error, "x");
    assert_int_equal(told.attempts, 3);
    told = answer("cli", 0,
                  "{\"status\":\"failed\",\"signingMode\":null,\"reason\":\"fallback_off\","
                  "\"attempts\":2}\n");
    assert_string_equal(told.status, "failed");
    assert_string_equal(told.mode, "");
    assert_string_equal(told.reason, "fallback_off");
    assert_int_equal(told.attempts, 2);
}

static void test_subject__an_answer_that_says_nothing_says_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "no JSON", "[1]", "{\"status\":4,\"signing\":5}"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct world_call told = answer("api", 500, texts[i]);
        assert_string_equal(told.status, "");
        assert_string_equal(told.mode, "");
        assert_int_equal(told.attempts, -1);
    }
}

static void test_subject__only_the_end_of_a_run_is_its_last_answer(void **state)
{
    (void)state;
    struct world_call running = answer("api", 200, "{\"status\":\"running\"}");
    struct world_call blocked = answer("api", 200, "{\"status\":\"blocked\"}");
    struct world_call gone = answer("api", 404, "{\"error\":{\"code\":\"not_found\"}}");
    assert_false(subject_answer_is_last(US, &running));
    assert_true(subject_answer_is_last(US, &blocked));
    assert_true(subject_answer_is_last(US, &gone));
    assert_true(subject_answer_accepted(202));
    assert_false(subject_answer_accepted(409));
}

/* --- the contract --- */

static void test_subject__an_environment_becomes_a_contract(void **state)
{
    (void)state;
    const struct scenario_pair pairs[] = {
        {.name = "ALLOW_FALLBACK_SIGNING", .value = "true"},
        {.name = "SIGNER_ATTEMPTS", .value = "5"},
        {.name = "SIGNER_BACKOFF_MAX_MS", .value = "many"},
        {.name = "X_NOTE", .value = "SIGNER_ATTEMPTS=9\nALLOW_FALLBACK_SIGNING=false"},
    };
    struct record_contract c = {.via = "api"};
    subject_contract(US, pairs, COUNT(pairs), &c);
    assert_true(c.fallback_allowed);
    assert_int_equal(c.attempts_max, 5);
    assert_int_equal(c.base_ms, 250);
    assert_int_equal(c.max_ms, 2000); /* what is no number does not bind */
    assert_int_equal(c.attempt_timeout_ms, 2000);
    assert_int_equal(c.total_timeout_ms, 10000);
    assert_string_equal(c.via, "api");
    subject_contract(US, NULL, 0, &c);
    assert_false(c.fallback_allowed);
    assert_int_equal(c.attempts_max, 3);
}

static void test_subject__the_switch_is_true_letter_for_letter(void **state)
{
    (void)state;
    static const char *const words[] = {"TRUE", "1", "yes", "true ", ""};
    for (size_t i = 0; i < COUNT(words); i++) {
        const struct scenario_pair pair = {.name = "ALLOW_FALLBACK_SIGNING", .value = words[i]};
        struct record_contract c = {0};
        subject_contract(US, &pair, 1, &c);
        assert_false(c.fallback_allowed);
    }
}

static void test_subject__a_token_takes_the_place_of_the_file(void **state)
{
    (void)state;
    const struct variable *token = variable_find(&US->variables, "VAULT_TOKEN");
    assert_string_equal(token->instead_of, "VAULT_TOKEN_FILE");
    assert_true(token->secret);
    assert_null(token->given);
    assert_string_equal(variable_find(&US->variables, "VAULT_ADDR")->given, "${VAULT_ADDR}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subject__a_class_says_outage_refusal_or_neither),
        cmocka_unit_test(test_subject__a_class_has_its_statuses_and_no_others),
        cmocka_unit_test(test_subject__each_class_can_be_named_in_a_scenario),
        cmocka_unit_test(test_subject__the_language_has_the_words_of_the_subject),
        cmocka_unit_test(test_subject__statuses_actions_and_modes_are_told_apart),
        cmocka_unit_test(test_subject__the_lists_name_every_door_and_status),
        cmocka_unit_test(test_subject__a_service_is_started_and_the_command_is_run),
        cmocka_unit_test(test_subject__a_service_is_asked),
        cmocka_unit_test(test_subject__what_is_asked_for_is_what_is_told_to_be_asked_for),
        cmocka_unit_test(test_subject__each_artefact_of_a_call_has_a_file),
        cmocka_unit_test(test_subject__a_bundle_has_artefacts_and_metadata_and_faults_as_asked),
        cmocka_unit_test(test_subject__a_template_without_a_value_is_an_error),
        cmocka_unit_test(test_subject__an_answer_is_understood),
        cmocka_unit_test(test_subject__an_answer_that_says_nothing_says_nothing),
        cmocka_unit_test(test_subject__only_the_end_of_a_run_is_its_last_answer),
        cmocka_unit_test(test_subject__an_environment_becomes_a_contract),
        cmocka_unit_test(test_subject__the_switch_is_true_letter_for_letter),
        cmocka_unit_test(test_subject__a_token_takes_the_place_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
