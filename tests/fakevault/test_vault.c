#include "tests/fakevault/cmocka_first.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/hex.h"
#include "fakevault/core/state.h"
#include "tests/fakevault/world.h"

#define INPUT "{\"input\":\"aGVsbG8gd29ybGQ=\"}" /* hello world */
#define INPUT_SHA256 "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
#define NEW_KEY "{\"type\":\"ecdsa-p256\"}"

static int set_up(void **state)
{
    static struct world w;
    world_init(&w);
    *state = &w;
    return 0;
}

static int set_up_booted(void **state)
{
    (void)set_up(state);
    world_boot(*state);
    return 0;
}

static int tear_down(void **state)
{
    world_done(*state);
    return 0;
}

/* Asks and forgets the answer's body. */
static int status_of(struct world *w, const char *what, const char *body, const char *token)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    return world_call(w, what, body, token, &reply);
}

static void expect_error(struct world *w, const char *what, const char *body, const char *token,
                         int status, const char *text)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, what, body, token, &answer), status);
    const char *got = json_string_value(json_array_get(json_object_get(answer, "errors"), 0));
    assert_string_equal(got == NULL ? "" : got, text);
    json_decref(answer);
}

/* Begins a request; `path` must outlive the job. */
static struct vault_job *begin(struct world *w, const char *what, const char *body,
                               struct buf *path)
{
    struct vault_request request = {.token = slice_of(w->root), .body = slice_of(body)};
    buf_init(path, 1024);
    world_request(what, path, &request);
    return vault_begin(w->vault, &request, w->now);
}

/* --- sealing ---------------------------------------------------------------------------------- */

/* The private half of the newest version, as the arena holds it. */
static struct secret *private_of(struct world *w)
{
    const struct keyring *k = w->vault->keyrings.items[0];
    return &k->versions[k->latest_version - 1]->private;
}

static bool arena_holds(const struct world *w, const uint8_t *needle, size_t len)
{
    return memmem(w->arena_memory, w->arena_bytes, needle, len) != NULL;
}

static void test_vault__sealing_leaves_no_key_in_the_arena(void **state)
{
    struct world *w = *state;
    uint8_t key[32], term[BARRIER_KEY_BYTES], root[BARRIER_KEY_BYTES];
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    memcpy(key, private_of(w)->ptr, sizeof key);
    memcpy(term, w->vault->barrier.terms[0].key.ptr, sizeof term);
    memcpy(root, w->vault->barrier.root.ptr, sizeof root);
    assert_true(arena_holds(w, key, sizeof key));
    assert_true(secret_arena_used(w->arena) > 0);

    assert_int_equal(status_of(w, "PUT sys/seal", NULL, w->root), 204);

    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_false(arena_holds(w, key, sizeof key));
    assert_false(arena_holds(w, term, sizeof term));
    assert_false(arena_holds(w, root, sizeof root));
    expect_error(w, "POST transit/sign/k", INPUT, w->root, 503, "Vault is sealed");
}

static void test_vault__unsealing_brings_the_same_key_back(void **state)
{
    struct world *w = *state;
    json_t *before = NULL, *after = NULL;
    assert_int_equal(world_ask(w, "POST transit/keys/k", NEW_KEY, w->root, &before), 200);
    assert_int_equal(status_of(w, "PUT sys/seal", NULL, w->root), 204);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(world_ask(w, "GET transit/keys/k", NULL, w->root, &after), 200);
    assert_true(json_equal(json_object_get(before, "data"), json_object_get(after, "data")));
    json_decref(before);
    json_decref(after);
}

static void test_vault__a_restart_comes_back_sealed_with_everything(void **state)
{
    struct world *w = *state;
    struct vault_state s;
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(status_of(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", w->root), 200);
    world_restart(w);
    vault_state(w->vault, &s);
    assert_true(s.initialized && s.sealed);
    assert_int_equal(s.shares, 1);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(status_of(w, "POST transit/sign/k", INPUT, w->root), 200);
    assert_int_equal(status_of(w, "GET secret/data/a", NULL, w->root), 200);
}

static void test_vault__nothing_secret_is_stored_in_clear(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"core/root-key", "core/keyring", "core/mounts",
                                        "sys/token/salt"};
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct buf name CLEANUP(buf_done), record CLEANUP(buf_done);
    buf_init(&name, 512);
    buf_init(&record, 1 << 20);
    const struct mount *m = mount_at(&w->vault->mounts, SLICE_LITERAL("transit/"));
    buf_addf(&name, "logical/%s/policy/k", m->uuid);
    assert_int_equal(store_get(&w->store, buf_slice(&name), &record, NULL), ERRC_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(store_get(&w->store, slice_of(names[i]), &record, NULL), ERRC_OK);
    struct secret *private = private_of(w);
    assert_null(memmem(record.ptr, record.len, private->ptr, private->len));
    assert_null(memmem(record.ptr, record.len, "ecdsa-p256", 10));
    assert_null(memmem(record.ptr, record.len, w->vault->barrier.terms[0].key.ptr, 32));
    assert_null(memmem(record.ptr, record.len, "transit/", 8));
}

/* --- shares ----------------------------------------------------------------------------------- */

static void init_five_of_three(struct world *w, char shares[5][80], char *root)
{
    json_t *answer = NULL;
    assert_int_equal(
        world_ask(w, "PUT sys/init", "{\"secret_shares\":5,\"secret_threshold\":3}", NULL, &answer),
        200);
    for (size_t i = 0; i < 5; i++)
        strcpy(shares[i],
               json_string_value(json_array_get(json_object_get(answer, "keys_base64"), i)));
    strcpy(root, json_string_value(json_object_get(answer, "root_token")));
    json_decref(answer);
}

static void test_vault__three_of_five_shares_unseal(void **state)
{
    struct world *w = *state;
    char shares[5][80], root[64];
    struct vault_state s;
    init_five_of_three(w, shares, root);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[4]), w->now, NULL), ERRC_OK);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[0]), w->now, NULL), ERRC_OK);
    vault_state(w->vault, &s);
    assert_true(s.sealed);
    assert_int_equal(s.progress, 2);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[2]), w->now, NULL), ERRC_OK);
    vault_state(w->vault, &s);
    assert_false(s.sealed);
    assert_int_equal(s.progress, 0);
    assert_int_equal(status_of(w, "GET auth/token/lookup-self", NULL, root), 200);
}

static void test_vault__a_repeated_share_does_not_count(void **state)
{
    struct world *w = *state;
    char shares[5][80], root[64];
    struct vault_state s;
    init_five_of_three(w, shares, root);
    for (int i = 0; i < 4; i++)
        assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[1]), w->now, NULL), ERRC_OK);
    vault_state(w->vault, &s);
    assert_true(s.sealed);
    assert_int_equal(s.progress, 1);
}

static void test_vault__wrong_shares_are_found_at_the_threshold(void **state)
{
    struct world *w = *state;
    char shares[5][80], root[64];
    struct vault_state s;
    struct errc_why why = {{0}};
    init_five_of_three(w, shares, root);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[0]), w->now, NULL), ERRC_OK);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[1]), w->now, NULL), ERRC_OK);
    const char *wrong = "abababababababababababababababababababababababababababababababab07";
    assert_int_equal(vault_unseal_share(w->vault, slice_of(wrong), w->now, &why), ERRC_CRYPTO);
    assert_non_null(strstr(why.text, "cipher: message authentication failed"));
    vault_state(w->vault, &s);
    assert_true(s.sealed);
    assert_int_equal(s.progress, 0);
    assert_int_equal(secret_arena_used(w->arena), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[i]), w->now, NULL), ERRC_OK);
    vault_state(w->vault, &s);
    assert_false(s.sealed);
}

static void test_vault__shares_of_unequal_length_do_not_join(void **state)
{
    struct world *w = *state;
    char shares[5][80], root[64];
    init_five_of_three(w, shares, root);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[0]), w->now, NULL), ERRC_OK);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(shares[1]), w->now, NULL), ERRC_OK);
    expect_error(w, "PUT sys/unseal", "{\"key\":\"abababababababababababababababababababab\"}",
                 NULL, 400,
                 "invalid key: failed to compute combined key: all parts must be the same length");
}

static void test_vault__shares_are_refused_before_an_init(void **state)
{
    struct world *w = *state;
    struct errc_why why = {{0}};
    const char *share = "abababababababababababababababababababababababababababababababab";
    assert_int_equal(vault_unseal_share(w->vault, slice_of(share), w->now, &why), ERRC_STATE);
    assert_string_equal(why.text, "Vault is not initialized");
    assert_int_equal(vault_unseal_share(w->vault, SLICE_LITERAL("?"), w->now, &why), ERRC_SYNTAX);
}

/* --- jobs in flight --------------------------------------------------------------------------- */

static void test_vault__a_seal_before_the_run_refuses_the_job(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct vault_job *job = begin(w, "POST transit/sign/k", INPUT, &path);
    vault_seal(w->vault);
    assert_int_equal(secret_arena_used(w->arena), 0);
    vault_job_run(job);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 503);
    assert_false(reply.executed);
    assert_int_equal(reply.signature_count, 0);
}

static void test_vault__a_seal_after_the_run_still_answers_a_signature(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct vault_job *job = begin(w, "POST transit/sign/k", INPUT, &path);
    vault_job_run(job);
    vault_seal(w->vault);
    assert_true(secret_arena_used(w->arena) > 0);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(reply.status, 200);
    assert_true(reply.executed);
    assert_int_equal(reply.key_version, 1);
    assert_int_equal(reply.signature_count, 1);
}

static void test_vault__a_seal_after_the_run_refuses_what_would_commit(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct vault_job *job = begin(w, "POST transit/keys/k", NEW_KEY, &path);
    vault_job_run(job);
    vault_seal(w->vault);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 503);
    assert_false(reply.executed);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(status_of(w, "GET transit/keys/k", NULL, w->root), 404);
}

static void test_vault__a_cancelled_job_never_happened(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_job *job = begin(w, "POST transit/keys/k", NEW_KEY, &path);
    assert_non_null(job);
    vault_cancel(w->vault, job);
    assert_int_equal(status_of(w, "GET transit/keys/k", NULL, w->root), 404);
}

static void test_vault__a_deleted_key_signs_what_was_begun_before(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(
        status_of(w, "POST transit/keys/k/config", "{\"deletion_allowed\":true}", w->root), 200);
    struct vault_job *job = begin(w, "POST transit/sign/k", INPUT, &path);
    assert_int_equal(status_of(w, "DELETE transit/keys/k", NULL, w->root), 204);
    vault_job_run(job);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(status_of(w, "POST transit/sign/k", INPUT, w->root), 400);
}

static void test_vault__of_two_creations_at_once_the_first_one_stays(void **state)
{
    struct world *w = *state;
    struct buf first_path CLEANUP(buf_done), second_path CLEANUP(buf_done);
    struct vault_reply first CLEANUP(vault_reply_done) = {0},
                             second CLEANUP(vault_reply_done) = {0};
    struct vault_job *a = begin(w, "POST transit/keys/k", NEW_KEY, &first_path);
    struct vault_job *b = begin(w, "POST transit/keys/k", NEW_KEY, &second_path);
    vault_job_run(a);
    vault_job_run(b);
    vault_end(w->vault, a, w->now, &first);
    vault_end(w->vault, b, w->now, &second);
    assert_int_equal(first.status, 200);
    assert_int_equal(second.status, 200);
    json_t *left = json_loadb(first.body.ptr, first.body.len, 0, NULL);
    json_t *right = json_loadb(second.body.ptr, second.body.len, 0, NULL);
    assert_true(json_equal(json_object_get(left, "data"), json_object_get(right, "data")));
    json_decref(left);
    json_decref(right);
}

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
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct vault_job *job = begin(w, "POST transit/sign/k", INPUT, &path);
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
    struct vault_job *job = begin(w, "POST transit/sign/k", INPUT, &path);
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
    struct vault_job *job = begin(
        w, "POST transit/sign/k",
        "{\"batch_input\":[{\"input\":\"aGVsbG8gd29ybGQ=\"},{\"input\":\"@\"},{\"input\":\"\"}]}",
        &path);
    const struct vault_facts *f = vault_job_facts(job);
    assert_int_equal(f->input_count, 2); /* what is no base64 has no bytes to hash */
    assert_string_equal(f->input_sha256[0], INPUT_SHA256);
    vault_cancel(w->vault, job);
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
    {"DELETE sys/mounts/transit", NULL},
    {"PUT sys/rotate", NULL},
    {"POST secret/data/a", "{\"data\":{\"x\":2}}"},
    {"DELETE secret/data/a", NULL},
    {"DELETE secret/metadata/a", NULL},
};

static const char *const reads[] = {
    "GET transit/keys/k",          "LIST transit/keys", "GET sys/mounts",
    "GET sys/mounts/transit/tune", "GET secret/data/a", "GET secret/metadata/a",
    "GET sys/key-status",
};

/* The data of everything that can be read, request ids left out. */
static json_t *picture(struct world *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
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
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(
        status_of(w, "POST transit/keys/k/config", "{\"deletion_allowed\":true}", w->root), 200);
    assert_int_equal(status_of(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", w->root), 200);
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
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
    assert_int_equal(status_of(w, "PUT sys/init", body, NULL), 500);
    w->store = whole;
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(status_of(w, "PUT sys/init", body, NULL), 200);
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
    assert_int_equal(status_of(w, "GET sys/mounts/secret", NULL, "root"), 200);
    assert_int_equal(status_of(w, "GET sys/mounts/transit", NULL, "root"), 400);
    vault_seal(w->vault);
    assert_int_equal(vault_unseal_share(w->vault, buf_slice(&key), w->now, NULL), ERRC_OK);
    assert_int_equal(status_of(w, "GET auth/token/lookup-self", NULL, "root"), 200);
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
    assert_int_equal(status_of(w, "GET auth/token/lookup-self", NULL, buf_text(&token)), 200);
    assert_int_equal(status_of(w, "GET auth/token/lookup-self", NULL, "hvs.other"), 403);
}

/* --- the protocol around ---------------------------------------------------------------------- */

static void test_vault__health_codes_can_be_chosen(void **state)
{
    struct world *w = *state;
    assert_int_equal(status_of(w, "GET sys/health", NULL, NULL), 501);
    assert_int_equal(status_of(w, "GET sys/health?uninitcode=299", NULL, NULL), 299);
    assert_int_equal(status_of(w, "GET sys/health?sealedcode=299", NULL, NULL), 501);
    assert_int_equal(status_of(w, "GET sys/health?uninitcode=abc", NULL, NULL), 400);
    assert_int_equal(status_of(w, "GET sys/health?uninitcode", NULL, NULL), 400);
    assert_int_equal(status_of(w, "GET sys/health?standbyok", NULL, NULL), 501);
    world_boot(w);
    assert_int_equal(status_of(w, "HEAD sys/health?activecode=234", NULL, NULL), 234);
    vault_seal(w->vault);
    assert_int_equal(status_of(w, "GET sys/health?sealedcode=298", NULL, NULL), 298);
}

static void test_vault__an_unclean_path_is_redirected(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_call(w, "GET /v1/transit//keys/../keys/a", NULL, NULL, &reply), 301);
    assert_string_equal(buf_text(&reply.location), "/v1/transit/keys/a");
    assert_int_equal(status_of(w, "GET /v2/sys/health", NULL, NULL), 404);
    assert_int_equal(status_of(w, "GET /v1/a%00b", NULL, NULL), 400);
    assert_int_equal(status_of(w, "GET /v1/a%zz", NULL, NULL), 400);
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
    expect_error(w, "POST transit/sign/k", "{\"a\":", w->root, 400, "error parsing JSON");
    expect_error(w, "PUT sys/unseal", "{\"a\":1,}", NULL, 400,
                 "failed to parse JSON input: invalid character '}' looking for beginning of "
                 "object key string");
    expect_error(w, "PUT sys/unseal", "", NULL, 400, "failed to parse JSON input: EOF");
    expect_error(w, "PUT sys/unseal", "{\"reset\":\"x\"}", NULL, 400,
                 "failed to parse JSON input: json: cannot unmarshal string into Go struct field "
                 "UnsealRequest.reset of type bool");
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
    assert_int_equal(status_of(w, "POST transit/keys/k", "{\"type\":\"ed25519\"}", w->root), 200);
    for (int i = 0; i < 10; i++)
        assert_int_equal(status_of(w, "POST transit/keys/k/rotate", NULL, w->root), 200);
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
    assert_int_equal(status_of(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(world_ask(w, "POST transit/sign/k", INPUT, w->root, &answer), 200);
    buf_addf(&body, "{\"input\":\"aGVsbG8gd29ybGQ=\",\"signature\":\"%s\"}",
             json_string_value(json_object_get(json_object_get(answer, "data"), "signature")));
    json_decref(answer);
    assert_int_equal(status_of(w, "POST transit/keys/k/rotate", NULL, w->root), 200);
    assert_int_equal(status_of(w, "POST transit/verify/k", buf_text(&body), w->root), 200);
    expect_error(w, "POST transit/keys/k/config", "{\"min_decryption_version\":9}", w->root, 400,
                 "cannot set min decryption version of 9, latest key version is 2");
    assert_int_equal(
        status_of(w, "POST transit/keys/k/config", "{\"min_decryption_version\":2}", w->root), 200);
    expect_error(w, "POST transit/verify/k", buf_text(&body), w->root, 400,
                 "ciphertext or signature version is disallowed by policy (too old)");
    expect_error(w, "POST transit/sign/k", "{\"input\":\"\",\"key_version\":1}", w->root, 500,
                 "1 error occurred:\n\t* no such key version\n\n");
}

static void test_vault__what_is_not_built_says_so(void **state)
{
    struct world *w = *state;
    expect_error(w, "POST transit/keys/r", "{\"type\":\"rsa-2048\"}", w->root, 400,
                 "keys of type rsa-2048 are not offered by this server, only ecdsa-p256 and "
                 "ed25519");
    expect_error(w, "POST sys/mounts/old", "{\"type\":\"kv\"}", w->root, 400,
                 "this server offers kv version 2 only: set the option version=2");
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, set_up_booted, tear_down)
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_vault__sealing_leaves_no_key_in_the_arena),
        BOOTED(test_vault__unsealing_brings_the_same_key_back),
        BOOTED(test_vault__a_restart_comes_back_sealed_with_everything),
        BOOTED(test_vault__nothing_secret_is_stored_in_clear),
        FRESH(test_vault__three_of_five_shares_unseal),
        FRESH(test_vault__a_repeated_share_does_not_count),
        FRESH(test_vault__wrong_shares_are_found_at_the_threshold),
        FRESH(test_vault__shares_of_unequal_length_do_not_join),
        FRESH(test_vault__shares_are_refused_before_an_init),
        BOOTED(test_vault__a_seal_before_the_run_refuses_the_job),
        BOOTED(test_vault__a_seal_after_the_run_still_answers_a_signature),
        BOOTED(test_vault__a_seal_after_the_run_refuses_what_would_commit),
        BOOTED(test_vault__a_cancelled_job_never_happened),
        BOOTED(test_vault__a_deleted_key_signs_what_was_begun_before),
        BOOTED(test_vault__of_two_creations_at_once_the_first_one_stays),
        BOOTED(test_vault__facts_are_known_before_anything_happens),
        BOOTED(test_vault__facts_are_known_while_sealed),
        BOOTED(test_vault__facts_have_a_hash_for_each_item_of_a_batch),
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
        BOOTED(test_vault__what_is_not_built_says_so),
    };
    return cmocka_run_group_tests_name("vault", tests, NULL, NULL);
}
