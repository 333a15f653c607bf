/* Which shares open a vault after a rekey that was done, left half-way or could not be stored; and
 * what a token by generate-root may do. What the wire says is in the recorded cases. */
#include "tests/fakevault/cmocka_first.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "tests/fakevault/vault_world.h"

#define SHARES 3u
#define OTP "0123456789012345678901234567"

struct shares {
    char text[SHARES][128]; /* hex */
    char verify_nonce[64];
};

static void copy_text(const json_t *answer, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(answer, name));
    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

/* Starts a rekey to two of three shares and gives the present one. */
static int rekey(struct world *w, bool verify, struct shares *out)
{
    char nonce[64], body[256];
    json_t *answer = NULL;
    (void)snprintf(body, sizeof body,
                   "{\"secret_shares\":3,\"secret_threshold\":2,\"require_verification\":%s}",
                   verify ? "true" : "false");
    assert_int_equal(world_ask(w, "PUT sys/rekey/init", body, NULL, &answer), 200);
    copy_text(answer, "nonce", nonce, sizeof nonce);
    json_decref(answer);
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"nonce\":\"%s\"}", w->unseal_key, nonce);
    int status = world_ask(w, "PUT sys/rekey/update", body, NULL, &answer);
    const json_t *keys = json_object_get(answer, "keys");
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < json_array_size(keys); i++)
        (void)snprintf(out->text[i], sizeof out->text[i], "%s",
                       json_string_value(json_array_get(keys, i)));
    copy_text(answer, "verification_nonce", out->verify_nonce, sizeof out->verify_nonce);
    json_decref(answer);
    return status;
}

static bool unseals(struct world *w, const char *first, const char *second)
{
    struct vault_state state;
    world_restart(w);
    enum errc code = vault_unseal_share(w->vault, slice_of(first), w->now, NULL);
    if (code == ERRC_OK && second != NULL)
        code = vault_unseal_share(w->vault, slice_of(second), w->now, NULL);
    vault_state(w->vault, &state);
    return code == ERRC_OK && !state.sealed;
}

static void test_sys_rekey__new_shares_replace_the_old(void **state)
{
    struct world *w = *state;
    struct shares new;
    struct vault_state after;
    assert_int_equal(world_status(w, "POST transit/keys/k", NULL, w->root), 200);
    assert_int_equal(rekey(w, false, &new), 200);
    vault_state(w->vault, &after);
    assert_int_equal(after.shares, 3);
    assert_int_equal(after.threshold, 2);
    assert_false(unseals(w, w->unseal_key, NULL));
    assert_true(unseals(w, new.text[2], new.text[0]));
    assert_int_equal(world_status(w, "GET transit/keys/k", NULL, w->root), 200);
}

static void test_sys_rekey__without_verification_the_old_share_holds(void **state)
{
    struct world *w = *state;
    struct shares new;
    assert_int_equal(rekey(w, true, &new), 200);
    assert_true(unseals(w, w->unseal_key, NULL));
    assert_int_equal(rekey(w, true, &new), 200); /* the other one is forgotten */
    char body[256];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"nonce\":\"%s\"}", new.text[i],
                       new.verify_nonce);
        assert_int_equal(world_status(w, "PUT sys/rekey/verify", body, NULL), 200);
    }
    assert_false(unseals(w, w->unseal_key, NULL));
    assert_true(unseals(w, new.text[0], new.text[1]));
}

static enum errc refuse_write(void *context, const struct store_change *changes, size_t count,
                              struct errc_why *why)
{
    (void)context;
    (void)changes;
    (void)count;
    return errc_fail(why, ERRC_IO, "the disk is full");
}

static void test_sys_rekey__what_cannot_be_stored_did_not_happen(void **state)
{
    struct world *w = *state;
    struct shares new;
    struct store whole = w->store;
    w->store.write = refuse_write;
    assert_int_equal(rekey(w, false, &new), 500);
    assert_string_equal(new.text[0], "");
    w->store = whole;
    /* the barrier goes on with the old root key, in memory as in the store */
    assert_int_equal(world_status(w, "PUT sys/rotate", NULL, w->root), 204);
    assert_true(unseals(w, w->unseal_key, NULL));
}

static void test_sys_rekey__a_seal_forgets_it(void **state)
{
    struct world *w = *state;
    struct shares new;
    assert_int_equal(rekey(w, true, &new), 200);
    assert_int_equal(world_status(w, "PUT sys/generate-root/attempt", "{}", NULL), 200);
    assert_int_equal(world_status(w, "PUT sys/seal", NULL, w->root), 204);
    assert_int_equal(secret_arena_used(w->arena), 0);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    world_expect_error(w, "GET sys/rekey/verify", NULL, NULL, 400, "no rekey configuration found");
}

static void test_sys_rekey__a_generated_token_is_root(void **state)
{
    struct world *w = *state;
    char nonce[64], body[256], encoded[128], token[128];
    json_t *answer = NULL;
    assert_int_equal(
        world_ask(w, "PUT sys/generate-root/attempt", "{\"otp\":\"" OTP "\"}", NULL, &answer), 200);
    copy_text(answer, "nonce", nonce, sizeof nonce);
    json_decref(answer);
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"nonce\":\"%s\"}", w->unseal_key, nonce);
    assert_int_equal(world_ask(w, "PUT sys/generate-root/update", body, NULL, &answer), 200);
    copy_text(answer, "encoded_token", encoded, sizeof encoded);
    json_decref(answer);
    (void)snprintf(body, sizeof body, "{\"encoded_token\":\"%s\",\"otp\":\"" OTP "\"}", encoded);
    assert_int_equal(world_ask(w, "PUT sys/decode-token", body, NULL, &answer), 200);
    copy_text(json_object_get(answer, "data"), "token", token, sizeof token);
    json_decref(answer);
    assert_int_equal(world_status(w, "PUT sys/rotate", NULL, token), 204);
    assert_true(unseals(w, w->unseal_key, NULL));
    assert_int_equal(world_status(w, "PUT sys/rotate", NULL, token), 204);
    token[10] = token[10] == 'x' ? 'y' : 'x';
    assert_int_equal(world_status(w, "PUT sys/rotate", NULL, token), 403);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_sys_rekey__new_shares_replace_the_old),
        BOOTED(test_sys_rekey__without_verification_the_old_share_holds),
        BOOTED(test_sys_rekey__what_cannot_be_stored_did_not_happen),
        BOOTED(test_sys_rekey__a_seal_forgets_it),
        BOOTED(test_sys_rekey__a_generated_token_is_root),
    };
    return cmocka_run_group_tests_name("sys_rekey", tests, NULL, NULL);
}
