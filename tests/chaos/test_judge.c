/*
 * The parts that judges stand on: the verifier against vectors that none of our
 * programs made, waits, metrics, ledgers, schema and pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/backoff.h"
#include "chaos/core/language/schema.h"
#include "chaos/core/ledger/metrics_text.h"
#include "chaos/core/ledger/verify_manifest.h"
#include "chaos/core/report/schema_page.h"
#include "tests/chaos/fake/case.h"

/* --- verify_manifest --- */

static json_t *vectors(void)
{
    struct buf text CLEANUP(buf_done);
    json_t *out = NULL;
    buf_init(&text, LIMIT_FILE_BYTES);
    assert_int_equal(file_read(FIXTURES "/vectors/manifest.json", &text, NULL), ERRC_OK);
    assert_int_equal(jsonread_parse(buf_slice(&text), &out, NULL), ERRC_OK);
    return out;
}

static const char *member(const json_t *object, const char *a, const char *b)
{
    return jsonread_string_or(json_object_get(object, a), b, "");
}

static void load_keys(const json_t *all, struct world_key out[static 2])
{
    const json_t *keys = json_object_get(all, "keys");
    out[0] = (struct world_key){.version = 3, .pem = member(keys, "vault", "publicKey")};
    out[1] = (struct world_key){.fallback = true, .pem = member(keys, "fallback", "publicKey")};
}

static void test_verify_manifest__agrees_with_the_vectors(void **state)
{
    (void)state;
    json_t *all CLEANUP(jsonread_done) = vectors();
    struct world_key keys[2];
    size_t i = 0;
    json_t *vector = NULL;
    load_keys(all, keys);
    json_array_foreach(json_object_get(all, "vectors"), i, vector)
    {
        struct verify_manifest m;
        const char *mode = jsonread_string_or(vector, "mode", "");
        const char *text = jsonread_string_or(vector, "manifest", "");
        assert_int_equal(verify_manifest(slice_of(text), keys, 2, &m, NULL), ERRC_OK);
        assert_string_equal(m.trouble, "");
        assert_true(m.good);
        assert_int_equal(m.fallback, strcmp(mode, "fallback") == 0);
        assert_string_equal(m.said_mode, mode);
        assert_string_equal(m.input_sha256, jsonread_string_or(vector, "inputSha256", ""));
        assert_string_equal(m.fingerprint,
                            member(json_object_get(all, "keys"), mode, "fingerprint"));
        assert_string_equal(m.said_fingerprint, m.fingerprint);
    }
    assert_true(i >= 4);
}

static bool verifies(const char *text, const struct world_key *keys, size_t count)
{
    struct verify_manifest m;
    return verify_manifest(slice_of(text), keys, count, &m, NULL) == ERRC_OK && m.good;
}

static void test_verify_manifest__any_changed_byte_is_refused(void **state)
{
    (void)state;
    json_t *all CLEANUP(jsonread_done) = vectors();
    struct world_key keys[2];
    load_keys(all, keys);
    char *text = slice_dup(slice_of(
        jsonread_string_or(json_array_get(json_object_get(all, "vectors"), 0), "manifest", "")));
    assert_true(verifies(text, keys, 2));
    size_t changed = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < 'a' || text[i] > 'z')
            continue;
        text[i] = (char)(text[i] == 'z' ? 'a' : text[i] + 1);
        assert_false(verifies(text, keys, 2));
        text[i] = (char)(text[i] == 'a' ? 'z' : text[i] - 1);
        changed++;
    }
    assert_true(changed > 300);
    assert_true(verifies(text, keys, 2));
    free(text);
}

static void test_verify_manifest__the_key_decides_not_the_message(void **state)
{
    (void)state;
    json_t *all CLEANUP(jsonread_done) = vectors();
    struct world_key keys[2], swapped[2], old;
    load_keys(all, keys);
    const char *text =
        jsonread_string_or(json_array_get(json_object_get(all, "vectors"), 0), "manifest", "");
    swapped[0] = (struct world_key){.version = 3, .pem = keys[1].pem};
    swapped[1] = (struct world_key){.fallback = true, .pem = keys[0].pem};
    old = keys[0];
    old.version = 2;
    assert_false(verifies(text, swapped, 2)); /* each kind wants its own algorithm */
    assert_false(verifies(text, &old, 1));    /* and the version that the prefix names */
    assert_false(verifies(text, NULL, 0));
}

static void test_verify_manifest__what_is_no_manifest_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum errc code;
        const char *trouble;
    } rows[] = {
        {"{", ERRC_SYNTAX, ""},
        {"[]", ERRC_SCHEMA, ""},
        {"{\"a\":1.5}", ERRC_SCHEMA, ""},
        {"{\"a\":1,\"a\":2}", ERRC_SYNTAX, ""},
        {"{}", ERRC_OK, "signature \"…\" has no known form"},
        {"{\"signature\":\"vault:v0:AAAA\"}", ERRC_OK,
         "signature \"vault:v0:AAAA…\" has no known form"},
        {"{\"signature\":\"vault:v1:!\"}", ERRC_OK, "signature \"vault:v1:!…\" has no known form"},
        {"{\"signature\":\"ed25519:AAAA\"}", ERRC_OK,
         "signature \"ed25519:AAAA…\" is verified by none of the known fallback keys"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verify_manifest m;
        assert_int_equal(verify_manifest(slice_of(rows[i].text), NULL, 0, &m, NULL), rows[i].code);
        assert_string_equal(m.trouble, rows[i].trouble);
        assert_false(m.good);
    }
}

static void test_verify_manifest__the_seed_gives_the_public_key_of_the_vectors(void **state)
{
    (void)state;
    json_t *all CLEANUP(jsonread_done) = vectors();
    struct buf seed CLEANUP(buf_done), pem CLEANUP(buf_done);
    buf_init(&seed, 64);
    buf_init(&pem, 1024);
    const json_t *keys = json_object_get(all, "keys");
    assert_int_equal(
        base64_parse(slice_of(jsonread_string_or(keys, "seed", "")), BASE64_STANDARD, &seed, NULL),
        ERRC_OK);
    assert_int_equal(verify_manifest_public_of_seed(buf_slice(&seed), &pem, NULL), ERRC_OK);
    assert_string_equal(buf_text(&pem), member(keys, "fallback", "publicKey"));
    assert_int_equal(verify_manifest_public_of_seed(SLICE_LITERAL("short"), &pem, NULL),
                     ERRC_SCHEMA);
}

/* DSSE protocol, its own example */
static void test_verify_manifest__pae_is_that_of_the_standard(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1024);
    verify_manifest_pae(SLICE_LITERAL("http://example.com/HelloWorld"),
                        SLICE_LITERAL("hello world"), &out);
    assert_string_equal(buf_text(&out), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

/* --- backoff --- */

static void test_backoff__bounds_double_up_to_the_maximum(void **state)
{
    (void)state;
    static const struct {
        int64_t base, max, n, low, high;
    } rows[] = {
        {250, 2000, 2, 125, 250},
        {250, 2000, 3, 250, 500},
        {250, 2000, 4, 500, 1000},
        {250, 2000, 5, 1000, 2000},
        {250, 2000, 9, 1000, 2000},
        {3, 5, 2, 1, 3},
        {3, 5, 3, 2, 5},
        {600000, 600000, 1000, 300000, 600000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct record_contract contract = {.base_ms = rows[i].base, .max_ms = rows[i].max};
        int64_t low = 0, high = 0;
        backoff_bounds(&contract, rows[i].n, &low, &high);
        assert_int_equal(low, rows[i].low);
        assert_int_equal(high, rows[i].high);
    }
}

static void test_backoff__a_retry_after_may_lengthen_but_not_beyond(void **state)
{
    (void)state;
    struct record_contract contract = {.base_ms = 250, .max_ms = 2000};
    struct ledger_attempt attempts[2] = {{.n = 1, .class = "sealed"},
                                         {.n = 2, .wait_ms = 1000, .started_ns = INT64_C(1) << 32}};
    struct ledger_entry entry = {.attempts = attempts, .attempt_count = 2};
    struct scenario_pair header = {.name = "retry-after", .value = "1"};
    struct verb_field fields[] = {{.name = "headers", .type = VERB_MAP}, {0}};
    struct scenario_value headers = {.given = true, .pairs = &header, .count = 1};
    struct verb verb = {.name = "respond", .fields = fields};
    struct scenario_step step = {.verb = &verb, .values = &headers, .count = 1};
    struct plan_step plan = {.step = &step};
    struct condition_change change = {.plan = &plan, .rule = "r"};
    struct record record = {.changes = &change, .change_count = 1}, none = {0};
    struct ledger_request request = {.rule = "r", .status = 429};
    struct join_attempt met[2] = {{.first = &request, .last = &request, .count = 1}};
    struct join_run run = {.result = &entry, .attempts = met};
    assert_int_equal(backoff_check(&run, &contract, &record, NULL), ERRC_RANGE); /* no limit */
    attempts[0].class = "rate_limited";
    assert_int_equal(backoff_check(&run, &contract, &record, NULL), ERRC_OK);
    assert_int_equal(backoff_check_entry(&entry, &contract, &record, NULL), ERRC_OK);
    assert_int_equal(backoff_check(&run, &contract, &none, NULL), ERRC_RANGE);
    assert_int_equal(backoff_check_entry(&entry, &contract, &none, NULL), ERRC_RANGE);
    attempts[1].wait_ms = 250; /* within the backoff, but less than was asked for */
    assert_int_equal(backoff_check(&run, &contract, &record, NULL), ERRC_RANGE);
    header.value = "60"; /* clamped */
    attempts[1].wait_ms = 2000;
    assert_int_equal(backoff_check(&run, &contract, &record, NULL), ERRC_OK);
    attempts[1].wait_ms = 2001;
    assert_int_equal(backoff_check(&run, &contract, &record, NULL), ERRC_RANGE);
    header.value = "-1"; /* no number of seconds: the ordinary wait */
    attempts[1].wait_ms = 200;
    assert_int_equal(backoff_check(&run, &contract, &record, NULL), ERRC_OK);
    attempts[0].wait_ms = 1;
    assert_int_equal(backoff_check(&run, &contract, &none, NULL), ERRC_RANGE);
}

/* --- metrics --- */

static void test_metrics_text__finds_by_name_and_labels(void **state)
{
    (void)state;
    static const char text[] =
        "# HELP a_total x\n# TYPE a_total counter\n"
        "a_total{mode=\"vault\",service=\"api\"} 3\n"
        "a_total{mode=\"fallback\"} 1 1700000000\nvault_up 0\nbroken{x=\"1\n";
    const struct scenario_pair vault = {.name = "mode", .value = "vault"};
    const struct scenario_pair fallback = {.name = "mode", .value = "fallback"};
    struct slice value;
    assert_true(metrics_text_find(slice_of(text), "a_total", &vault, 1, &value));
    assert_true(slice_equal_text(value, "3"));
    assert_true(metrics_text_find(slice_of(text), "a_total", &fallback, 1, &value));
    assert_true(slice_equal_text(value, "1"));
    assert_true(metrics_text_find(slice_of(text), "vault_up", NULL, 0, &value));
    assert_true(slice_equal_text(value, "0"));
    assert_false(metrics_text_find(slice_of(text), "vault_up", &vault, 1, &value));
    assert_false(metrics_text_find(slice_of(text), "a", NULL, 0, &value));
    assert_false(metrics_text_find(slice_of(text), "broken", NULL, 0, &value));
}

/* --- probes --- */

static void expect_probe(const char *step, const char *message)
{
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    char text[1024];
    fake_world_init(&f);
    (void)snprintf(
        text, sizeof text,
        "version: 1\npurpose: p\nstack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}"
        "\nsteady_state:\n  - sign: {via: api, as: healthy}\nmethod:\n  - vault: seal\n"
        "  - sign: {via: api, as: outage}\n  - %s\nrollback:\n  - vault: {unseal: 3}\n",
        step);
    case_run_scenario(&c, &f, text);
    const char *found = case_finding(&c, "expectation");
    if (message == NULL) {
        if (found != NULL)
            fail_msg("%s", found);
        assert_int_equal(c.judged.verdict, VERDICT_PASS);
    } else if (found == NULL || strstr(found, message) == NULL) {
        fail_msg("%s: expected \"%s\", got \"%s\"", step, message, found);
    }
}

static void test_judge__each_probe_is_met_and_not_met(void **state)
{
    (void)state;
    expect_probe("audit: {vault: 1, fallback: 1, failed: 0, started: 2, repaired: 0}", NULL);
    expect_probe("audit: {fallback: 2}",
                 "expected 2 signatures in mode fallback, found 1 (audit.ndjson:4)");
    expect_probe("audit: {of: outage, vault: 0}", NULL);
    expect_probe("audit: {of: outage, started: 0}",
                 "expected 0 entries MANIFEST_SIGNING_STARTED, found 1 (audit.ndjson:3)");
    expect_probe("backoff: {of: outage, waits: 2}", NULL);
    expect_probe("backoff: {of: healthy, waits: 2}",
                 "expected 2 waits, there were 0 (audit.ndjson:2)");
    expect_probe("journal: {of: outage, requests: 3, executed: 0}", NULL);
    expect_probe("journal: {requests: 4, executed: 1}", NULL);
    expect_probe("journal: {status: 503, requests: 2}",
                 "expected 2 sign requests, found 3 (journal.ndjson:4, journal.ndjson:6, "
                 "journal.ndjson:8)");
    expect_probe("log: {service: api, contains: signing_mode=fallback}", NULL);
    expect_probe("log: {service: api, contains: signing_mode=fallback, lines: 1}", NULL);
    expect_probe("log: {service: api, contains: signing_mode=vault, lines: 2}",
                 "expected 2 matching lines, found 1 (api.log:1)");
    expect_probe("log: {service: api, contains: never}",
                 "expected a line with \"never\", api.log has none");
    expect_probe("metrics: {service: api, name: vault_up, equals: 1}", NULL);
    expect_probe(
        "metrics: {service: api, name: signing_total, labels: {mode: fallback}, equals: 2}",
        "expected metric signing_total of api to be 2, it is 1");
    expect_probe("metrics: {service: api, name: nothing, equals: 0, within_ms: 100}",
                 "expected metric nothing of api to be 0, there is none");
    expect_probe("manifest: {of: outage, verifies: true, mode: fallback}", NULL);
    expect_probe("manifest: {of: outage, mode: vault}",
                 "expected the key of mode vault to verify, it is fallback");
    expect_probe("manifest: {of: outage, verifies: false}",
                 "expected a signature that is not good, it is good");
    expect_probe("manifest: {of: outage, exists: false}", "expected no manifest, there is one");
    expect_probe("state: {sealed: true, accepting: true, held: 0}", NULL);
    expect_probe("state: {sealed: false}", "expected sealed to be false, it is true");
    expect_probe("environment: {service: api, name: ALLOW_FALLBACK_SIGNING, equals: \"true\"}",
                 NULL);
    expect_probe("environment: {service: api, name: ALLOW_FALLBACK_SIGNING, equals: \"false\"}",
                 "expected ALLOW_FALLBACK_SIGNING of api to be \"false\", it is \"true\"");
    expect_probe("environment: {service: api, name: SIGNER_ATTEMPTS, equals: \"3\"}",
                 "expected SIGNER_ATTEMPTS of api to be \"3\", it is not set");
}

/* --- ledgers --- */

static void test_ledger__an_earlier_boot_does_not_confuse_the_numbers(void **state)
{
    (void)state;
    static const char text[] =
        "{\"seq\":1,\"kind\":\"process\",\"event\":\"start\",\"boot_id\":\"a\"}\n"
        "{\"seq\":2,\"kind\":\"request\",\"path\":\"/v1/transit/sign/"
        "k\",\"input_sha256\":[\"x\"]}\n"
        "{\"seq\":1,\"kind\":\"process\",\"event\":\"start\",\"boot_id\":\"b\"}\n"
        "{\"seq\":2,\"kind\":\"request\",\"path\":\"/v1/sys/health\",\"future\":{}}\n"
        "{\"seq\":3,\"kind\":\"reply\",\"request\":2,\"status\":200,\"executed\":true}\n"
        "{\"seq\":4,\"kind\":\"weather\"}\n";
    struct pool pool CLEANUP(pool_done);
    struct ledger_server server CLEANUP(ledger_server_done);
    struct ledger_problems problems = {0};
    pool_init(&pool, 1u << 20);
    ledger_server_init(&server, &pool, &problems);
    /* as the file grows: in pieces that end anywhere */
    for (struct slice rest = slice_of(text); rest.len > 0;) {
        size_t piece = rest.len < 37 ? rest.len : 37;
        assert_int_equal(ledger_server_feed(&server, slice_bytes(rest.ptr, piece)), ERRC_OK);
        rest = slice_from(rest, piece);
    }
    ledger_server_end(&server);
    assert_int_equal(problems.count, 0);
    assert_int_equal(server.boot_count, 2);
    assert_int_equal(server.request_count, 2);
    assert_true(server.requests[0].sign);
    assert_int_equal(server.requests[0].reply_line, 0); /* met the end of the process */
    assert_int_equal(server.requests[0].input_count, 1);
    assert_string_equal(server.requests[0].inputs[0], "x");
    assert_false(server.requests[1].sign);
    assert_int_equal(server.requests[1].reply_line, 5);
    assert_int_equal(server.requests[1].boot, 1);
}

static void test_ledger__problems_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
        size_t line;
    } rows[] = {
        {"{\"seq\":1,\"kind\":\"reply\",\"request\":9,\"executed\":true}\n",
         "a reply to request 9, which is not there", 1},
        {"{\"kind\":\"conn\"}\n", "field \"seq\" is missing", 1},
        {"{\"seq\":1,\"kind\":\"process\",\"event\":\"start\"}\n{\"seq\":2,\"ki",
         "the last line is torn", 2},
        {"[]\n", "not a JSON object", 1},
        {"{\"seq\":1,\"kind\":\"process\",\"event\":\"start\",\"wall\":\"now\"}\n",
         "field \"wall\" is not a time as RFC 3339 has it", 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pool pool CLEANUP(pool_done);
        struct ledger_server server CLEANUP(ledger_server_done);
        struct ledger_problems problems = {0};
        pool_init(&pool, 1u << 20);
        ledger_server_init(&server, &pool, &problems);
        assert_int_equal(ledger_server_feed(&server, slice_of(rows[i].text)), ERRC_OK);
        ledger_server_end(&server);
        assert_true(problems.count >= 1);
        const struct ledger_problem *last = &problems.items[problems.count - 1];
        assert_string_equal(last->text, rows[i].problem);
        assert_int_equal(last->line, rows[i].line);
    }
}

static void test_ledger__a_torn_line_is_lawful_before_its_repair(void **state)
{
    (void)state;
    static const char text[] =
        "{\"action\":\"MANIFEST_SI\n"
        "{\"action\":\"AUDIT_TAIL_REPAIRED\",\"timestamp\":\"2026-11-23T18:11:46.081Z\","
        "\"payload\":{\"previous\":\"x\"}}\n";
    struct pool pool CLEANUP(pool_done);
    struct ledger_client client CLEANUP(ledger_client_done);
    struct ledger_problems problems = {0};
    pool_init(&pool, 1u << 20);
    ledger_client_init(&client, &pool, &problems);
    assert_int_equal(ledger_client_feed(&client, slice_of(text)), ERRC_OK);
    assert_int_equal(ledger_client_end(&client), ERRC_OK);
    assert_int_equal(problems.count, 0);
    assert_int_equal(client.entry_count, 2);
    assert_int_equal(client.entries[0].action, LEDGER_TORN);
    assert_int_equal(client.entries[1].action, LEDGER_REPAIRED);
}

/* --- schema and page --- */

static void test_schema__is_json_and_names_every_actor(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    json_t *schema CLEANUP(jsonread_done) = NULL;
    buf_init(&out, 1u << 22);
    schema_format_json(&out);
    assert_int_equal(jsonread_parse(buf_slice(&out), &schema, NULL), ERRC_OK);
    const json_t *definitions =
        json_object_get(json_object_get(json_object_get(schema, "$defs"), "actors"), "$defs");
    assert_int_equal(json_object_size(definitions), ACTORS_COUNT);
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        assert_non_null(json_object_get(definitions, actors_at(i)->name));
}

static void test_schema__the_page_is_what_the_table_says(void **state)
{
    (void)state;
    struct buf made CLEANUP(buf_done), page CLEANUP(buf_done);
    buf_init(&made, 1u << 20);
    buf_init(&page, 1u << 20);
    schema_page_format(&made);
    assert_int_equal(file_read(FIXTURES "/../docs/scenarios.md", &page, NULL), ERRC_OK);
    if (!slice_equal(buf_slice(&made), buf_slice(&page)))
        fail_msg("docs/scenarios.md is out of date: chaos_pages scenarios > docs/scenarios.md");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_manifest__agrees_with_the_vectors),
        cmocka_unit_test(test_verify_manifest__any_changed_byte_is_refused),
        cmocka_unit_test(test_verify_manifest__the_key_decides_not_the_message),
        cmocka_unit_test(test_verify_manifest__what_is_no_manifest_is_told),
        cmocka_unit_test(test_verify_manifest__the_seed_gives_the_public_key_of_the_vectors),
        cmocka_unit_test(test_verify_manifest__pae_is_that_of_the_standard),
        cmocka_unit_test(test_backoff__bounds_double_up_to_the_maximum),
        cmocka_unit_test(test_backoff__a_retry_after_may_lengthen_but_not_beyond),
        cmocka_unit_test(test_metrics_text__finds_by_name_and_labels),
        cmocka_unit_test(test_judge__each_probe_is_met_and_not_met),
        cmocka_unit_test(test_ledger__an_earlier_boot_does_not_confuse_the_numbers),
        cmocka_unit_test(test_ledger__problems_name_the_line),
        cmocka_unit_test(test_ledger__a_torn_line_is_lawful_before_its_repair),
        cmocka_unit_test(test_schema__is_json_and_names_every_actor),
        cmocka_unit_test(test_schema__the_page_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
