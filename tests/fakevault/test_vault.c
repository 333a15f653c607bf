#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/count.h"
#include "tests/fakevault/vault_world.h"

#define INPUT "{\"input\":\"aGVsbG8gd29ybGQ=\"}" /* hello world */
#define INPUT_SHA256 "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
#define NEW_KEY "{\"type\":\"ecdsa-p256\"}"

/* --- facts ------------------------------------------------------------------------------------ */

static void expect_slice(struct slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    if (got.len > 0)
        assert_memory_equal(got.ptr, want, got.len);
}

static void test_vault__facts_are_known_before_anything_happens(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct vault_job *job = world_begin(w, "POST transit/sign/k", INPUT, &path);
    const struct vault_facts *f = vault_job_facts(job);
    expect_slice(f->path, "transit/sign/k");
    expect_slice(f->mount, "transit/");
    expect_slice(f->key, "k");
    assert_string_equal(f->operation, "update");
    assert_int_equal(f->accessor.len, 24);
    assert_int_equal(f->input_count, 1);
    assert_string_equal(f->input_sha256[0], INPUT_SHA256);
    vault_cancel(w->vault, job);
}

/* The ledgers are joined by what was asked to be signed, so a sealed vault must still know it. */
static void test_vault__facts_are_known_while_sealed(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    vault_seal(w->vault);
    struct vault_job *job = world_begin(w, "POST transit/sign/k", INPUT, &path);
    const struct vault_facts *f = vault_job_facts(job);
    expect_slice(f->key, "k");
    expect_slice(f->accessor, "");
    assert_int_equal(f->input_count, 1);
    assert_string_equal(f->input_sha256[0], INPUT_SHA256);
    vault_cancel(w->vault, job);
}

static void test_vault__facts_have_a_hash_for_each_item_of_a_batch(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_job *job = world_begin(
        w, "POST transit/sign/k",
        "{\"batch_input\":[{\"input\":\"aGVsbG8gd29ybGQ=\"},{\"input\":\"@\"},{\"input\":\"\"}]}",
        &path);
    const struct vault_facts *f = vault_job_facts(job);
    assert_int_equal(f->input_count, 2); /* what is no base64 has no bytes to hash */
    assert_string_equal(f->input_sha256[0], INPUT_SHA256);
    vault_cancel(w->vault, job);
}

static void expect_operation(struct world *w, const char *what, const char *operation)
{
    struct buf path CLEANUP(buf_done);
    struct vault_job *job = world_begin(w, what, "{\"data\":{\"a\":1}}", &path);
    assert_string_equal(vault_job_facts(job)->operation, operation);
    vault_cancel(w->vault, job);
}

static void test_vault__what_does_not_exist_is_created(void **state)
{
    struct world *w = *state;
    expect_operation(w, "POST secret/data/new", "create");
    assert_int_equal(world_status(w, "POST secret/data/new", "{\"data\":{\"a\":1}}", w->root), 200);
    expect_operation(w, "POST secret/data/new", "update");
    expect_operation(w, "POST transit/keys/new", "update"); /* has no existence check */
}

/* Behind the token, but before the policies and without a prefix (vault-api.md 1.7). */
static void test_vault__the_existence_check_reads_the_fields_first(void **state)
{
    struct world *w = *state;
    const char *bad = "{\"version\":\"x\"}";
    world_expect_error(w, "POST secret/data/new", bad, NULL, 403, "permission denied");
    world_expect_error(w, "POST secret/data/new", bad, w->root, 400,
                       "error converting input x for field \"version\": cannot parse '' as int: "
                       "strconv.ParseInt: parsing \"x\": invalid syntax");
    world_expect_error(w, "GET secret/data/new?version=x", NULL, w->root, 400,
                       "Field validation failed: error converting input x for field \"version\": "
                       "cannot parse '' as int: strconv.ParseInt: parsing \"x\": invalid syntax");
}

static void test_vault__no_job_is_answered_with_a_500(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    vault_job_run(NULL);
    assert_int_equal(vault_job_facts(NULL)->input_count, 0);
    vault_end(w->vault, NULL, w->now, &reply);
    assert_int_equal(reply.status, 500);
    assert_false(reply.executed);
    vault_cancel(w->vault, NULL);
}

/* --- a store that fails ----------------------------------------------------------------------- */

static enum errc refuse_write(void *context, const struct store_change *changes, size_t count,
                              struct errc_why *why)
{
    (void)context;
    (void)changes;
    (void)count;
    return errc_fail(why, ERRC_IO, "the disk is full");
}

static const struct {
    const char *what;
    const char *body;
} writes[] = {
    {"POST transit/keys/new", NEW_KEY},
    {"POST transit/keys/k/rotate", NULL},
    {"POST transit/keys/k/config", "{\"deletion_allowed\":false,\"exportable\":true}"},
    {"DELETE transit/keys/k", NULL},
    {"POST sys/mounts/other", "{\"type\":\"transit\"}"},
    {"POST sys/mounts/transit/tune", "{\"default_lease_ttl\":\"1h\"}"},
    {"POST sys/remount", "{\"from\":\"transit\",\"to\":\"moved\"}"},
    {"POST sys/auth/token/tune", "{\"max_lease_ttl\":\"1h\"}"},
    {"DELETE sys/mounts/transit", NULL},
    {"PUT sys/rotate", NULL},
    {"POST sys/config/cors", "{\"allowed_origins\":\"a\"}"},
    {"POST sys/rotate/config", "{\"interval\":\"30h\"}"},
    {"POST secret/data/a", "{\"data\":{\"x\":2}}"},
    {"DELETE secret/data/a", NULL},
    {"DELETE secret/metadata/a", NULL},
};

static const char *const reads[] = {
    "GET transit/keys/k", "LIST transit/keys",     "GET sys/mounts", "GET sys/mounts/transit/tune",
    "GET secret/data/a",  "GET secret/metadata/a", "GET sys/auth",   "GET sys/key-status",
};

/* The data of everything that can be read, request ids left out. */
static json_t *picture(struct world *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < COUNT(reads); i++) {
        json_t *answer = NULL;
        assert_int_equal(world_ask(w, reads[i], NULL, w->root, &answer), 200);
        json_array_append(all, json_object_get(answer, "data"));
        json_decref(answer);
    }
    return all;
}

static void test_vault__what_cannot_be_stored_did_not_happen(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(
        world_status(w, "POST transit/keys/k/config", "{\"deletion_allowed\":true}", w->root), 200);
    assert_int_equal(world_status(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", w->root), 200);
    for (size_t i = 0; i < COUNT(writes); i++) {
        json_t *before = picture(w);
        struct store whole = w->store;
        struct vault_reply reply CLEANUP(vault_reply_done) = {0};
        w->store.write = refuse_write;
        int status = world_call(w, writes[i].what, writes[i].body, w->root, &reply);
        w->store = whole;
        if (status != 500 || reply.executed ||
            strstr(buf_text(&reply.body), "disk is full") == NULL)
            fail_msg("%s: %d %s", writes[i].what, status, buf_text(&reply.body));
        json_t *after = picture(w);
        /* encryptions are counted when they are made, stored or not */
        json_array_remove(before, json_array_size(before) - 1);
        json_array_remove(after, json_array_size(after) - 1);
        if (!json_equal(before, after))
            fail_msg("%s left something behind", writes[i].what);
        json_decref(before);
        json_decref(after);
    }
}

static void test_vault__an_init_that_cannot_be_stored_can_be_repeated(void **state)
{
    struct world *w = *state;
    struct store whole = w->store;
    const char *body = "{\"secret_shares\":1,\"secret_threshold\":1}";
    w->store.write = refuse_write;
    assert_int_equal(world_status(w, "PUT sys/init", body, NULL), 500);
    w->store = whole;
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(world_status(w, "PUT sys/init", body, NULL), 200);
}

/* The answer is sorted, under the lock of all requests. */
static void test_vault__capabilities_of_many_paths_take_no_square(void **state)
{
    enum { MANY = 200000 };
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct buf body CLEANUP(buf_done);
    buf_init(&body, 8 << 20);
    buf_add_text(&body, "{\"paths\":[\"z\"");
    for (int i = MANY; i > 0; i--)
        buf_addf(&body, ",\"p/%06d\"", i);
    buf_add_text(&body, "]}");
    assert_int_equal(world_call(w, "POST sys/capabilities-self", buf_text(&body), w->root, &reply),
                     200);
    static const char begin[] = "{\"p/000001\":[\"root\"],\"p/000002\":[\"root\"],";
    assert_true(slice_starts_with(buf_slice(&reply.body), begin));
}

/* A policy is parsed under the lock of all requests: what cannot be stored is not. */
static void test_vault__a_policy_that_is_too_large_is_not_parsed(void **state)
{
    struct world *w = *state;
    struct buf body CLEANUP(buf_done);
    buf_init(&body, 4 << 20);
    buf_add_text(&body, "{\"policy\":\"nonsense");
    for (int i = 0; i < 1 << 20; i++)
        buf_add_text(&body, " x");
    buf_add_text(&body, "\"}");
    world_expect_error(w, "POST sys/policies/acl/large", buf_text(&body), w->root, 400,
                       "put failed due to value being too large");
}

/* --- dev mode --------------------------------------------------------------------------------- */

static void test_vault__dev_mode_is_unsealed_with_the_given_token(void **state)
{
    struct world *w = *state;
    struct buf key CLEANUP(buf_done), token CLEANUP(buf_done);
    struct vault_state s;
    buf_init(&key, 100);
    buf_init(&token, 100);
    assert_int_equal(vault_dev_init(w->vault, SLICE_LITERAL("root"), w->now, &key, &token, NULL),
                     ERRC_OK);
    vault_state(w->vault, &s);
    assert_true(s.initialized && !s.sealed);
    assert_string_equal(buf_text(&token), "root");
    assert_int_equal(world_status(w, "GET sys/mounts/secret", NULL, "root"), 200);
    assert_int_equal(world_status(w, "GET sys/mounts/transit", NULL, "root"), 400);
    vault_seal(w->vault);
    assert_int_equal(vault_unseal_share(w->vault, buf_slice(&key), w->now, NULL), ERRC_OK);
    assert_int_equal(world_status(w, "GET auth/token/lookup-self", NULL, "root"), 200);
    assert_int_equal(vault_dev_init(w->vault, SLICE_LITERAL("root"), w->now, &key, &token, NULL),
                     ERRC_STATE);
}

static void test_vault__dev_mode_makes_up_a_token(void **state)
{
    struct world *w = *state;
    struct buf key CLEANUP(buf_done), token CLEANUP(buf_done);
    buf_init(&key, 100);
    buf_init(&token, 100);
    assert_int_equal(vault_dev_init(w->vault, SLICE_LITERAL(""), w->now, &key, &token, NULL),
                     ERRC_OK);
    assert_int_equal(token.len, 28);
    assert_int_equal(world_status(w, "GET auth/token/lookup-self", NULL, buf_text(&token)), 200);
    assert_int_equal(world_status(w, "GET auth/token/lookup-self", NULL, "hvs.other"), 403);
}

/* --- the protocol around ---------------------------------------------------------------------- */

static void test_vault__health_codes_can_be_chosen(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "GET sys/health", NULL, NULL), 501);
    assert_int_equal(world_status(w, "GET sys/health?uninitcode=299", NULL, NULL), 299);
    assert_int_equal(world_status(w, "GET sys/health?sealedcode=299", NULL, NULL), 501);
    assert_int_equal(world_status(w, "GET sys/health?uninitcode=abc", NULL, NULL), 400);
    assert_int_equal(world_status(w, "GET sys/health?uninitcode", NULL, NULL), 400);
    assert_int_equal(world_status(w, "GET sys/health?standbyok", NULL, NULL), 501);
    world_boot(w);
    assert_int_equal(world_status(w, "HEAD sys/health?activecode=234", NULL, NULL), 234);
    vault_seal(w->vault);
    assert_int_equal(world_status(w, "GET sys/health?sealedcode=298", NULL, NULL), 298);
}

static void test_vault__an_unclean_path_is_redirected(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_call(w, "GET /v1/transit//keys/../keys/a", NULL, NULL, &reply), 301);
    assert_string_equal(buf_text(&reply.location), "/v1/transit/keys/a");
    assert_int_equal(world_status(w, "GET /v2/sys/health", NULL, NULL), 404);
    assert_int_equal(world_status(w, "GET /v1/a%00b", NULL, NULL), 400);
    assert_int_equal(world_status(w, "GET /v1/a%zz", NULL, NULL), 400);
}

static void test_vault__a_bearer_token_counts(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done), header CLEANUP(buf_done);
    struct vault_reply good CLEANUP(vault_reply_done) = {0}, bad CLEANUP(vault_reply_done) = {0};
    buf_init(&path, 100);
    buf_init(&header, 200);
    struct vault_request request = {0};
    world_request("GET auth/token/lookup-self", &path, &request);
    buf_addf(&header, "Bearer %s", w->root);
    request.authorization = buf_slice(&header);
    vault_handle(w->vault, &request, w->now, &good);
    assert_int_equal(good.status, 200);
    header.ptr[0] = 'b';
    vault_handle(w->vault, &request, w->now, &bad);
    assert_int_equal(bad.status, 403);
}

static void test_vault__broken_json_is_told_from_a_sealed_vault(void **state)
{
    struct world *w = *state;
    vault_seal(w->vault);
    world_expect_error(w, "POST transit/sign/k", "{\"a\":", w->root, 400, "error parsing JSON");
    world_expect_error(w, "PUT sys/unseal", "{\"a\":1,}", NULL, 400,
                       "failed to parse JSON input: invalid character '}' looking for beginning of "
                       "object key string");
    world_expect_error(w, "PUT sys/unseal", "", NULL, 400, "EOF");
    world_expect_error(
        w, "PUT sys/unseal", "{\"reset\":\"x\"}", NULL, 400,
        "failed to parse JSON input: json: cannot unmarshal string into Go struct field "
        "UnsealRequest.Reset of type bool");
}

static void test_vault__a_body_over_the_limit_is_a_413(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    buf_init(&path, 100);
    struct vault_request request = {.token = slice_of(w->root), .body_too_large = true};
    world_request("POST transit/sign/k", &path, &request);
    vault_handle(w->vault, &request, w->now, &reply);
    assert_int_equal(reply.status, 413);
}

static void test_vault__versions_are_listed_as_text(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_status(w, "POST transit/keys/k", "{\"type\":\"ed25519\"}", w->root),
                     200);
    for (int i = 0; i < 10; i++)
        assert_int_equal(world_status(w, "POST transit/keys/k/rotate", NULL, w->root), 200);
    assert_int_equal(world_call(w, "GET transit/keys/k", NULL, w->root, &reply), 200);
    const char *text = buf_text(&reply.body), *last = text;
    static const char *const order[] = {"{\"1\":", "\"10\":", "\"11\":", "\"2\":", "\"9\":"};
    for (size_t i = 0; i < 5; i++) {
        last = strstr(last, order[i]);
        assert_non_null(last);
    }
}

static void test_vault__old_versions_can_be_shut_out(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    struct buf body CLEANUP(buf_done);
    buf_init(&body, 1000);
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(world_ask(w, "POST transit/sign/k", INPUT, w->root, &answer), 200);
    buf_addf(&body, "{\"input\":\"aGVsbG8gd29ybGQ=\",\"signature\":\"%s\"}",
             json_string_value(json_object_get(json_object_get(answer, "data"), "signature")));
    json_decref(answer);
    assert_int_equal(world_status(w, "POST transit/keys/k/rotate", NULL, w->root), 200);
    assert_int_equal(world_status(w, "POST transit/verify/k", buf_text(&body), w->root), 200);
    world_expect_error(w, "POST transit/keys/k/config", "{\"min_decryption_version\":9}", w->root,
                       400, "cannot set min decryption version of 9, latest key version is 2");
    assert_int_equal(
        world_status(w, "POST transit/keys/k/config", "{\"min_decryption_version\":2}", w->root),
        200);
    world_expect_error(w, "POST transit/verify/k", buf_text(&body), w->root, 400,
                       "ciphertext or signature version is disallowed by policy (too old)");
    world_expect_error(w, "POST transit/sign/k", "{\"input\":\"\",\"key_version\":1}", w->root, 500,
                       "1 error occurred:\n\t* no such key version\n\n");
}

static void test_vault__a_plugin_without_endpoints_is_a_mount_like_any_other(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST sys/mounts/pki", "{\"type\":\"pki\"}", w->root), 204);
    world_expect_error(w, "GET pki/ca", NULL, w->root, 404,
                       "1 error occurred:\n\t* unsupported path\n\n");
    world_expect_error(w, "POST sys/mounts/odd", "{\"type\":\"odd\"}", w->root, 400,
                       "plugin not found in the catalog: odd");
    world_expect_error(w, "POST sys/auth/kv", "{\"type\":\"kv\"}", w->root, 400,
                       "plugin not found in the catalog: kv");
}

/* A word about a mount and the paths it has; the kv's paths are all of them. */
static void test_vault__help_is_there_for_what_is_there(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *path;
        int status;
    } cases[] = {{"GET sys?help=1", 200},          {"GET sys/mounts?help=1", 200},
                 {"GET sys/nonsense?help=1", 404}, {"GET transit/keys?help=1", 200},
                 {"GET boxes?help=1", 200},        {"GET boxes/nonsense?help=1", 200},
                 {"GET nope?help=1", 404},         {"OPTIONS boxes/x", 405}};
    assert_int_equal(world_status(w, "POST sys/mounts/boxes", "{\"type\":\"kv-v2\"}", w->root),
                     204);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(world_status(w, cases[i].path, NULL, w->root), cases[i].status);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)
#define FRESH(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_vault__help_is_there_for_what_is_there),
        BOOTED(test_vault__a_plugin_without_endpoints_is_a_mount_like_any_other),
        BOOTED(test_vault__facts_are_known_before_anything_happens),
        BOOTED(test_vault__facts_are_known_while_sealed),
        BOOTED(test_vault__facts_have_a_hash_for_each_item_of_a_batch),
        BOOTED(test_vault__what_does_not_exist_is_created),
        BOOTED(test_vault__the_existence_check_reads_the_fields_first),
        BOOTED(test_vault__no_job_is_answered_with_a_500),
        BOOTED(test_vault__what_cannot_be_stored_did_not_happen),
        FRESH(test_vault__an_init_that_cannot_be_stored_can_be_repeated),
        FRESH(test_vault__dev_mode_is_unsealed_with_the_given_token),
        FRESH(test_vault__dev_mode_makes_up_a_token),
        FRESH(test_vault__health_codes_can_be_chosen),
        FRESH(test_vault__an_unclean_path_is_redirected),
        BOOTED(test_vault__a_bearer_token_counts),
        BOOTED(test_vault__broken_json_is_told_from_a_sealed_vault),
        BOOTED(test_vault__a_body_over_the_limit_is_a_413),
        BOOTED(test_vault__versions_are_listed_as_text),
        BOOTED(test_vault__old_versions_can_be_shut_out),
        BOOTED(test_vault__capabilities_of_many_paths_take_no_square),
        BOOTED(test_vault__a_policy_that_is_too_large_is_not_parsed),
    };
    return cmocka_run_group_tests_name("vault", tests, NULL, NULL);
}
