/* Mounts as something that lasts: what becomes of data and of what was tuned over disable, remount,
 * seal and restart. What the wire says is in the recorded cases. */
#include "tests/fakevault/cmocka_first.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fakevault/vault_world.h"

#define TUNED                                                                                      \
    "{\"type\":\"transit\",\"description\":\"d\",\"local\":true,\"options\":{\"a\":\"b\"},"        \
    "\"config\":{\"default_lease_ttl\":\"1h\",\"max_lease_ttl\":\"2h\",\"force_no_cache\":true,"   \
    "\"listing_visibility\":\"unauth\",\"audit_non_hmac_request_keys\":\"x,y\"}}"

static json_t *data_of(struct world *w, const char *what)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, what, NULL, w->root, &answer), 200);
    json_t *data = json_incref(json_object_get(answer, "data"));
    json_decref(answer);
    return data;
}

static void unseal_again(struct world *w)
{
    world_restart(w);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
}

static void test_sys_mounts__a_table_lasts(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST sys/mounts/a/b", TUNED, w->root), 204);
    assert_int_equal(
        world_status(w, "POST sys/auth/token/tune", "{\"description\":\"mine\"}", w->root), 204);
    json_t *mounts = data_of(w, "GET sys/mounts"), *auth = data_of(w, "GET sys/auth");
    const char *first = json_string_value(
        json_array_get(json_object_get(json_object_get(json_object_get(mounts, "a/b/"), "config"),
                                       "audit_non_hmac_request_keys"),
                       0));
    assert_string_equal(first, "x");
    unseal_again(w);
    json_t *mounts_again = data_of(w, "GET sys/mounts"), *auth_again = data_of(w, "GET sys/auth");
    assert_true(json_equal(mounts, mounts_again));
    assert_true(json_equal(auth, auth_again));
    json_decref(mounts);
    json_decref(mounts_again);
    json_decref(auth);
    json_decref(auth_again);
}

/* The other table of the whole vault. */
static void test_sys_mounts__settings_last(void **state)
{
    static const char *const reads[] = {"GET sys/config/cors",
                                        "LIST sys/config/ui/headers",
                                        "GET sys/config/auditing/request-headers",
                                        "GET sys/rotate/config",
                                        "GET sys/quotas/config",
                                        "GET sys/quotas/rate-limit/r"};
    struct world *w = *state;
    json_t *before[6], *after;
    assert_int_equal(
        world_status(w, "POST sys/config/cors", "{\"allowed_origins\":\"http://a\"}", w->root),
        204);
    assert_int_equal(
        world_status(w, "POST sys/config/ui/headers/x-a", "{\"values\":[\"1\"]}", w->root), 200);
    assert_int_equal(
        world_status(w, "POST sys/config/auditing/request-headers/X-B", "{\"hmac\":true}", w->root),
        204);
    assert_int_equal(world_status(w, "POST sys/rotate/config", "{\"interval\":\"100h\"}", w->root),
                     204);
    assert_int_equal(world_status(w, "POST sys/quotas/config",
                                  "{\"enable_rate_limit_response_headers\":true}", w->root),
                     204);
    assert_int_equal(world_status(w, "POST sys/quotas/rate-limit/r",
                                  "{\"rate\":2.5,\"path\":\"transit/sign\"}", w->root),
                     204);
    for (size_t i = 0; i < 6; i++)
        before[i] = data_of(w, reads[i]);
    unseal_again(w);
    for (size_t i = 0; i < 6; i++) {
        after = data_of(w, reads[i]);
        assert_true(json_equal(before[i], after));
        json_decref(before[i]);
        json_decref(after);
    }
}

static void test_sys_mounts__a_disabled_mount_loses_its_data(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST transit/keys/k", NULL, w->root), 200);
    assert_int_equal(world_status(w, "DELETE sys/mounts/transit", NULL, w->root), 204);
    assert_int_equal(world_status(w, "POST sys/mounts/transit", "{\"type\":\"transit\"}", w->root),
                     204);
    assert_int_equal(world_status(w, "GET transit/keys/k", NULL, w->root), 404);
    unseal_again(w);
    assert_int_equal(world_status(w, "GET transit/keys/k", NULL, w->root), 404);
}

static void test_sys_mounts__a_moved_mount_keeps_its_data(void **state)
{
    struct world *w = *state;
    json_t *before, *after;
    assert_int_equal(world_status(w, "POST transit/keys/k", NULL, w->root), 200);
    before = data_of(w, "GET transit/keys/k");
    assert_int_equal(
        world_status(w, "POST sys/remount", "{\"from\":\"transit\",\"to\":\"x/y\"}", w->root), 200);
    unseal_again(w);
    after = data_of(w, "GET x/y/keys/k");
    assert_true(json_equal(before, after));
    assert_int_equal(world_status(w, "GET transit/keys/k", NULL, w->root), 404);
    json_decref(before);
    json_decref(after);
}

/* A seal forgets how remounts went, as Vault does. */
static void test_sys_mounts__a_move_is_remembered_while_unsealed(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    assert_int_equal(
        world_ask(w, "POST sys/remount", "{\"from\":\"transit\",\"to\":\"t\"}", w->root, &answer),
        200);
    char what[128];
    (void)snprintf(what, sizeof what, "GET sys/remount/status/%s",
                   json_string_value(json_object_get(answer, "migration_id")));
    json_decref(answer);
    json_t *data = data_of(w, what);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(data, "migration_info"), "status")),
        "success");
    json_decref(data);
    unseal_again(w);
    assert_int_equal(world_status(w, what, NULL, w->root), 404);
}

static void test_sys_mounts__who_has_no_token_sees_what_is_for_all(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    assert_int_equal(world_status(w, "POST sys/mounts/open", TUNED, w->root), 204);
    assert_int_equal(world_ask(w, "GET sys/internal/ui/mounts", NULL, NULL, &answer), 200);
    const json_t *data = json_object_get(answer, "data");
    assert_int_equal(json_object_size(json_object_get(data, "secret")), 1);
    assert_int_equal(json_object_size(json_object_get(data, "auth")), 0);
    const json_t *open = json_object_get(json_object_get(data, "secret"), "open/");
    assert_int_equal(json_object_size(open), 3); /* no accessor, no uuid */
    json_decref(answer);
    world_expect_error(w, "GET sys/internal/ui/mounts/open", NULL, NULL, 403, "permission denied");
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_sys_mounts__a_table_lasts),
        BOOTED(test_sys_mounts__settings_last),
        BOOTED(test_sys_mounts__a_disabled_mount_loses_its_data),
        BOOTED(test_sys_mounts__a_moved_mount_keeps_its_data),
        BOOTED(test_sys_mounts__a_move_is_remembered_while_unsealed),
        BOOTED(test_sys_mounts__who_has_no_token_sees_what_is_for_all),
    };
    return cmocka_run_group_tests_name("sys_mounts", tests, NULL, NULL);
}
