/* What is done with transit keys, where a recording cannot tell: exact bytes, seals and races in
 * between, large batches. What is on the wire: fixtures/conformance/transcripts/own. */
#include "base/count.h"
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/text/base64.h"
#include "tests/fakevault/vault_world.h"

#define ITEMS 20000u

/* Asks with a 200 and returns a text of data; the caller owns *out. */
static const char *ask(struct world *w, const char *what, const char *body, const char *key,
                       json_t **out)
{
    assert_int_equal(world_ask(w, what, body, w->root, out), 200);
    const char *text = json_string_value(json_object_get(json_object_get(*out, "data"), key));
    assert_non_null(text);
    return text;
}

/* --- exact bytes (vault-api.md 10.4) ------------------------------------------------------------
 */

/* Restores a key out of a backup as Vault writes one, with the given key as version 1. */
static void restore(struct world *w, const char *name, int type, bool derived, const char *key)
{
    struct buf policy CLEANUP(buf_done), body CLEANUP(buf_done);
    buf_init(&policy, 4096);
    buf_init(&body, 8192);
    buf_addf(&policy,
             "{\"policy\":{\"name\":\"%s\",\"keys\":{\"1\":{\"key\":\"%s\",\"hmac_key\":\"%s\","
             "\"time\":\"2026-01-01T00:00:00Z\",\"convergent_version\":%d,\"creation_time\":1}},"
             "\"derived\":%s,\"kdf\":1,\"convergent_encryption\":%s,\"exportable\":true,"
             "\"min_decryption_version\":1,\"min_encryption_version\":0,\"latest_version\":1,"
             "\"archive_version\":1,\"convergent_version\":-1,\"type\":%d},\"archived_keys\":"
             "{\"keys\":[{},{\"key\":\"%s\"}]}}",
             name, key, key, derived ? 3 : 0, derived ? "true" : "false",
             derived ? "true" : "false", type, key);
    buf_add_text(&body, "{\"backup\":\"");
    base64_format(buf_slice(&policy), BASE64_STANDARD, &body);
    buf_add_text(&body, "\"}");
    char what[64];
    (void)snprintf(what, sizeof what, "POST transit/restore/%s", name);
    assert_int_equal(world_status(w, what, buf_text(&body), w->root), 204);
}

static void test_transit_ops__convergent_keys_have_vaults_vectors(void **state)
{
    static const struct {
        const char *name;
        int type; /* its number in a backup */
        const char *key, *ciphertext;
    } cases[] = {
        {"aes256", 0, "KjMJVQrHJB7OmgXyCVbkvzqm+0nRgeSGVx77pwvaENk=",
         "vault:v1:2jCp8aP7yVRoOHPPyAOh4KC4ZzT+dUrOIAfEtikkhXY/m6tO8TGM7LZRgkY="},
        {"aes128", 8, "DkZq5Ux9c63aZ/rExrtP3Q==",
         "vault:v1:PdEpujexviODLnKlbGltjqicTPhx8CQBDWOg7vZRqITliRVS09Dz0wLWPGo="},
        {"chacha", 5, "nmzpzQEJ42Z8Vd49ovjDMuJutTvb1b7lj+Kk4na8LuI=",
         "vault:v1:np9VKOeyWFuV5u4wL9shnVWPUptshosOPO+Kp44ntDytXGnXmDj6gvnMmJQ="},
    };
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char what[64];
        json_t *answer = NULL;
        restore(w, cases[i].name, cases[i].type, true, cases[i].key);
        (void)snprintf(what, sizeof what, "POST transit/encrypt/%s", cases[i].name);
        const char *got =
            ask(w, what, "{\"plaintext\":\"aGVsbG8gY29udmVyZ2VudA==\",\"context\":\"Y3R4LTE=\"}",
                "ciphertext", &answer);
        assert_string_equal(got, cases[i].ciphertext);
        json_decref(answer);
    }
}

static void test_transit_ops__hmac_has_the_published_sums(void **state)
{
    static const struct {
        const char *algorithm, *sum;
    } cases[] = {
        {"sha2-224", "vault:v1:3p+ZWVquYDvu2dSTCa65Y3fgoMfIAc6fNaBbtg=="},
        {"sha2-256", "vault:v1:UcBvm5VskkukzZHlPgm3p5P/Yr/PV6xpuOGZISya3A4="},
        {"sha2-384", "vault:v1:jDB9YXdPjpmr29b1JCIEJO93IydlKVfD9mA2EO9OmJtJQg3QAV5tcRRRb7IQGW9p"},
        {"sha3-224", "vault:v1:TGipmKH8LR/BkMolYpDYy0BJCIhTtGPDhV2VkQ=="},
        {"sha3-256", "vault:v1:+px9V/7QYLfdK808zPESC2T/L33uFf4Blzsn9Jy838o="},
    };
    struct world *w = *state;
    restore(w, "h", 11, false, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    for (size_t i = 0; i < COUNT(cases); i++) {
        char what[64];
        json_t *answer = NULL;
        (void)snprintf(what, sizeof what, "POST transit/hmac/h/%s", cases[i].algorithm);
        const char *got =
            ask(w, what, "{\"input\":\"dGhlIHF1aWNrIGJyb3duIGZveA==\"}", "hmac", &answer);
        assert_string_equal(got, cases[i].sum);
        json_decref(answer);
    }
}

/* --- a key that is made by encrypting -----------------------------------------------------------
 */

#define HELLO "{\"plaintext\":\"aGVsbG8=\"}"

static void end(struct world *w, struct vault_job *job, struct vault_reply *reply)
{
    vault_job_run(job);
    vault_end(w->vault, job, w->now, reply);
}

/* Of two that make the same key at once, both encrypt with the one that is kept. */
static void test_transit_ops__two_upserts_have_one_key(void **state)
{
    struct world *w = *state;
    struct buf paths[2];
    struct vault_job *jobs[2];
    for (int i = 0; i < 2; i++)
        jobs[i] = world_begin(w, "POST transit/encrypt/new", HELLO, &paths[i]);
    for (int i = 0; i < 2; i++) {
        struct vault_reply reply CLEANUP(vault_reply_done) = {0};
        char body[512];
        end(w, jobs[i], &reply);
        assert_int_equal(reply.status, 200);
        assert_int_equal(strstr(buf_text(&reply.body), "was created beforehand") != NULL, i == 1);
        const char *at = strstr(buf_text(&reply.body), "vault:v1:");
        assert_non_null(at);
        (void)snprintf(body, sizeof body, "{\"ciphertext\":\"%.*s\"}", (int)strcspn(at, "\""), at);
        json_t *answer = NULL;
        assert_string_equal(ask(w, "POST transit/decrypt/new", body, "plaintext", &answer),
                            "aGVsbG8=");
        json_decref(answer);
        buf_done(&paths[i]);
    }
}

static void test_transit_ops__a_sealed_vault_makes_no_key(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct vault_job *job = world_begin(w, "POST transit/encrypt/new", HELLO, &path);
    vault_job_run(job);
    vault_seal(w->vault);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 503);
    assert_false(reply.executed);
}

/* What only computed is answered truthfully, also when a seal came while it did. */
static void test_transit_ops__encryption_outlives_a_seal(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_status(w, "POST transit/keys/k", "{}", w->root), 200);
    struct vault_job *job = world_begin(w, "POST transit/encrypt/k", HELLO, &path);
    vault_job_run(job);
    vault_seal(w->vault);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(reply.executed);
}

/* --- batches ------------------------------------------------------------------------------------
 */

static void add_items(struct buf *body, const char *item)
{
    buf_add_text(body, "{\"batch_input\":[");
    for (size_t i = 0; i < ITEMS; i++)
        buf_addf(body, "%s%s", i == 0 ? "" : ",", item);
    buf_add_text(body, "]}");
}

static size_t count_good(const json_t *results, const char *member)
{
    size_t good = 0;
    for (size_t i = 0; i < json_array_size(results); i++)
        good += json_object_get(json_array_get(results, i), member) != NULL;
    return good;
}

/* Takes minutes when it grows with the square of the items. */
static void test_transit_ops__a_batch_has_many_items(void **state)
{
    static const struct {
        const char *what, *item, *member;
    } cases[] = {
        {"POST transit/encrypt/k", "{\"plaintext\":\"YQ==\"}", "ciphertext"},
        {"POST transit/hmac/k", "{\"input\":\"YQ==\"}", "hmac"},
        {"POST transit/decrypt/k", "{\"ciphertext\":\"x\"}", "error"},
    };
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST transit/keys/k", "{}", w->root), 200);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf body CLEANUP(buf_done);
        json_t *answer = NULL;
        buf_init(&body, 1u << 20);
        add_items(&body, cases[i].item);
        int status = world_ask(w, cases[i].what, buf_text(&body), w->root, &answer);
        assert_int_equal(status, strcmp(cases[i].member, "error") == 0 ? 400 : 200);
        const json_t *results = json_object_get(json_object_get(answer, "data"), "batch_results");
        assert_int_equal(count_good(results, cases[i].member), ITEMS);
        json_decref(answer);
    }
}

/* All mistakes are told, however many. */
static void test_transit_ops__a_batch_has_many_mistakes(void **state)
{
    struct world *w = *state;
    struct buf body CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    buf_init(&body, 1u << 20);
    add_items(&body, "{\"plaintext\":true}");
    assert_int_equal(world_call(w, "POST transit/encrypt/k", buf_text(&body), w->root, &reply),
                     500);
    assert_non_null(strstr(buf_text(&reply.body), "20000 error(s) decoding"));
    assert_non_null(strstr(buf_text(&reply.body), "'[19999].plaintext' expected type 'string'"));
}

/* --- the journal --------------------------------------------------------------------------------
 */

static void test_transit_ops__inputs_and_signatures_are_noted(void **state)
{
    /* of "hello" */
    static const char input[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    struct world *w = *state;
    struct buf path CLEANUP(buf_done), other CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_status(w, "POST transit/keys/k", "{}", w->root), 200);
    struct vault_job *job = world_begin(w, "POST transit/encrypt/k", HELLO, &path);
    assert_int_equal(vault_job_facts(job)->input_count, 1);
    assert_string_equal(vault_job_facts(job)->input_sha256[0], input);
    vault_cancel(w->vault, job);
    job = world_begin(w, "POST transit/hmac/k",
                      "{\"batch_input\":[{\"input\":\"aGVsbG8=\"},{\"input\":\"%\"}]}", &other);
    assert_string_equal(vault_job_facts(job)->input_sha256[0], input);
    end(w, job, &reply);
    assert_int_equal(reply.signature_count, 1);
    assert_int_equal(reply.key_version, 1);
}

int main(void)
{
#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)
    const struct CMUnitTest tests[] = {
        BOOTED(test_transit_ops__convergent_keys_have_vaults_vectors),
        BOOTED(test_transit_ops__hmac_has_the_published_sums),
        BOOTED(test_transit_ops__two_upserts_have_one_key),
        BOOTED(test_transit_ops__a_sealed_vault_makes_no_key),
        BOOTED(test_transit_ops__encryption_outlives_a_seal),
        BOOTED(test_transit_ops__a_batch_has_many_items),
        BOOTED(test_transit_ops__a_batch_has_many_mistakes),
        BOOTED(test_transit_ops__inputs_and_signatures_are_noted),
    };
    return cmocka_run_group_tests_name("transit_ops", tests, NULL, NULL);
}
