#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/count.h"
#include "fakevault/core/state.h"
#include "tests/fakevault/vault_world.h"

#define INPUT "{\"input\":\"aGVsbG8gd29ybGQ=\"}" /* hello world */
#define NEW_KEY "{\"type\":\"ecdsa-p256\"}"

/* --- sealing ---------------------------------------------------------------------------------- */

/* The private half of the newest version, as the arena holds it. */
static struct secret *private_of(struct world *w)
{
    const struct keyring *k = w->vault->keyrings.newest;
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
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    memcpy(key, private_of(w)->ptr, sizeof key);
    memcpy(term, w->vault->barrier.terms[0].key.ptr, sizeof term);
    memcpy(root, w->vault->barrier.root.ptr, sizeof root);
    assert_true(arena_holds(w, key, sizeof key));
    assert_true(secret_arena_used(w->arena) > 0);

    assert_int_equal(world_status(w, "PUT sys/seal", NULL, w->root), 204);

    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_false(arena_holds(w, key, sizeof key));
    assert_false(arena_holds(w, term, sizeof term));
    assert_false(arena_holds(w, root, sizeof root));
    world_expect_error(w, "POST transit/sign/k", INPUT, w->root, 503, "Vault is sealed");
}

static void test_vault__unsealing_brings_the_same_key_back(void **state)
{
    struct world *w = *state;
    json_t *before = NULL, *after = NULL;
    assert_int_equal(world_ask(w, "POST transit/keys/k", NEW_KEY, w->root, &before), 200);
    assert_int_equal(world_status(w, "PUT sys/seal", NULL, w->root), 204);
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
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(world_status(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", w->root), 200);
    world_restart(w);
    vault_state(w->vault, &s);
    assert_true(s.initialized && s.sealed);
    assert_int_equal(s.shares, 1);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(world_status(w, "POST transit/sign/k", INPUT, w->root), 200);
    assert_int_equal(world_status(w, "GET secret/data/a", NULL, w->root), 200);
}

static void test_vault__nothing_secret_is_stored_in_clear(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"core/root-key", "core/keyring", "core/mounts",
                                        "sys/token/salt"};
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct buf name CLEANUP(buf_done), record CLEANUP(buf_done);
    buf_init(&name, 512);
    buf_init(&record, 1 << 20);
    const struct mount *m = mount_at(&w->vault->mounts, SLICE_LITERAL("transit/"));
    buf_addf(&name, "logical/%s/policy/k", m->uuid);
    assert_int_equal(store_get(&w->store, buf_slice(&name), &record, NULL), ERRC_OK);
    for (size_t i = 0; i < COUNT(names); i++)
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
    assert_int_equal(world_status(w, "GET auth/token/lookup-self", NULL, root), 200);
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
    world_expect_error(
        w, "PUT sys/unseal", "{\"key\":\"abababababababababababababababababababab\"}", NULL, 400,
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
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct vault_job *job = world_begin(w, "POST transit/sign/k", INPUT, &path);
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
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    struct vault_job *job = world_begin(w, "POST transit/sign/k", INPUT, &path);
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
    struct vault_job *job = world_begin(w, "POST transit/keys/k", NEW_KEY, &path);
    vault_job_run(job);
    vault_seal(w->vault);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 503);
    assert_false(reply.executed);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(world_status(w, "GET transit/keys/k", NULL, w->root), 404);
}

static void test_vault__a_cancelled_job_never_happened(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_job *job = world_begin(w, "POST transit/keys/k", NEW_KEY, &path);
    assert_non_null(job);
    vault_cancel(w->vault, job);
    assert_int_equal(world_status(w, "GET transit/keys/k", NULL, w->root), 404);
}

static void test_vault__a_deleted_key_signs_what_was_begun_before(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_status(w, "POST transit/keys/k", NEW_KEY, w->root), 200);
    assert_int_equal(
        world_status(w, "POST transit/keys/k/config", "{\"deletion_allowed\":true}", w->root), 200);
    struct vault_job *job = world_begin(w, "POST transit/sign/k", INPUT, &path);
    assert_int_equal(world_status(w, "DELETE transit/keys/k", NULL, w->root), 204);
    vault_job_run(job);
    vault_end(w->vault, job, w->now, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(world_status(w, "POST transit/sign/k", INPUT, w->root), 400);
}

static void test_vault__of_two_creations_at_once_the_first_one_stays(void **state)
{
    struct world *w = *state;
    struct buf first_path CLEANUP(buf_done), second_path CLEANUP(buf_done);
    struct vault_reply first CLEANUP(vault_reply_done) = {0},
                             second CLEANUP(vault_reply_done) = {0};
    struct vault_job *a = world_begin(w, "POST transit/keys/k", NEW_KEY, &first_path);
    struct vault_job *b = world_begin(w, "POST transit/keys/k", NEW_KEY, &second_path);
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

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)
#define FRESH(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

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
    };
    return cmocka_run_group_tests_name("vault_seal", tests, NULL, NULL);
}
