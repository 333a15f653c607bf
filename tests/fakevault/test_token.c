/* Tokens under a clock that the test turns: time, uses, families, and what survives. */
#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "fakevault/core/state.h"
#include "tests/fakevault/vault_world.h"

#define LOOK "GET auth/token/lookup-self"

#define STEP_NS NS_PER_MS /* what world_call moves the clock by */

/* The next request comes at this wall time. */
static void arrive(struct world *w, int64_t wall_ns)
{
    w->now.mono_ns += wall_ns - STEP_NS - w->now.wall_ns;
    w->now.wall_ns = wall_ns - STEP_NS;
}

/* The next request comes so long after the last. */
static void pass(struct world *w, int64_t ns)
{
    arrive(w, w->now.wall_ns + ns);
}

/* Makes a token by root, or by another. */
static void make(struct world *w, const char *body, const char *by)
{
    assert_int_equal(world_status(w, "POST auth/token/create", body, by == NULL ? w->root : by),
                     200);
}

static int look(struct world *w, const char *token)
{
    return world_status(w, LOOK, NULL, token);
}

/* A number of the token's properties. */
static int64_t told(struct world *w, const char *token, const char *member)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, LOOK, NULL, token, &answer), 200);
    int64_t value = json_integer_value(json_object_get(json_object_get(answer, "data"), member));
    json_decref(answer);
    return value;
}

/* --- time ------------------------------------------------------------------------------------- */

static void test_token__ends_with_its_time_and_takes_its_tree_along(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"ttl\":\"1h\"}", NULL);
    int64_t end = w->now.wall_ns + NS_PER_HOUR;
    make(w, "{\"id\":\"b\",\"ttl\":\"9h\"}", "a");
    assert_int_equal(world_status(w, "POST cubbyhole/x", "{\"v\":1}", "b"), 204);
    assert_int_equal(world_stored(w, "sys/token/id/"), 3);
    arrive(w, end);
    assert_int_equal(told(w, "a", "ttl"), 0);
    arrive(w, end + 1);
    world_expect_error(w, LOOK, NULL, "a", 403, "permission denied");
    world_expect_error(w, LOOK, NULL, "b", 403, "permission denied");
    assert_int_equal(world_stored(w, "sys/token/id/"), 1);
    assert_int_equal(world_stored(w, "cubbyhole/"), 0);
}

static void test_token__a_renewal_counts_from_now(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"ttl\":\"1h\"}", NULL);
    pass(w, NS_PER_HOUR / 2);
    assert_int_equal(world_status(w, "POST auth/token/renew-self", NULL, "a"), 200);
    assert_int_equal(told(w, "a", "ttl"), 3600);
    assert_int_equal(told(w, "a", "last_renewal_time"), w->now.wall_ns / 1000000000);
    assert_int_equal(world_status(w, "POST auth/token/renew-self", "{\"increment\":\"2h\"}", "a"),
                     200);
    pass(w, NS_PER_HOUR * 2);
    assert_int_equal(look(w, "a"), 200);
    pass(w, 1);
    assert_int_equal(look(w, "a"), 403);
}

/* Renews and compares what is left, and the first warning. */
static void renew(struct world *w, const char *body, int64_t seconds, const char *warning)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, "POST auth/token/renew-self", body, "a", &answer), 200);
    const json_t *auth = json_object_get(answer, "auth");
    const char *got = json_string_value(json_array_get(json_object_get(answer, "warnings"), 0));
    assert_int_equal(json_integer_value(json_object_get(auth, "lease_duration")), seconds);
    assert_string_equal(got == NULL ? "" : got, warning);
    json_decref(answer);
}

static void test_token__no_renewal_goes_past_the_maximum(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"ttl\":\"760h\"}", NULL);
    pass(w, 700 * NS_PER_HOUR);
    renew(w, "{\"increment\":\"100h\"}", INT64_C(68) * 3600,
          "TTL of \"100h\" exceeded the effective max_ttl of \"68h\"; TTL value is capped "
          "accordingly");
    int64_t end = w->now.wall_ns + 68 * NS_PER_HOUR;
    arrive(w, end);
    world_expect_error(w, "POST auth/token/renew-self", NULL, "a", 500,
                       "1 error occurred:\n\t* past the max TTL, cannot renew\n\n");
    pass(w, 1);
    assert_int_equal(look(w, "a"), 403);
}

static void test_token__an_explicit_maximum_is_one(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"ttl\":\"1h\",\"explicit_max_ttl\":\"90m\"}", NULL);
    pass(w, NS_PER_HOUR);
    renew(w, NULL, 1800,
          "TTL of \"1h\" exceeded the effective max_ttl of \"30m\"; TTL value is capped "
          "accordingly");
}

static void test_token__a_period_goes_on_for_ever(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"period\":\"500h\"}", NULL);
    for (int i = 0; i < 5; i++) {
        pass(w, 400 * NS_PER_HOUR);
        renew(w, "{\"increment\":\"1h\"}", INT64_C(500) * 3600, "");
    }
    pass(w, 500 * NS_PER_HOUR + 1);
    assert_int_equal(look(w, "a"), 403);
}

static void test_token__a_root_token_may_end_too(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"explicit_max_ttl\":\"1h\"}", NULL);
    world_expect_error(w, "POST auth/token/create", "{}", "a", 400,
                       "expiring root tokens cannot create non-expiring root tokens");
    pass(w, NS_PER_HOUR + 1);
    assert_int_equal(look(w, "a"), 403);
}

static void test_token__the_limits_are_those_of_its_mount(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST sys/auth/token/tune",
                                  "{\"default_lease_ttl\":\"2h\",\"max_lease_ttl\":\"3h\"}",
                                  w->root),
                     204);
    make(w, "{\"id\":\"a\",\"policies\":[\"default\"]}", NULL);
    assert_int_equal(told(w, "a", "creation_ttl"), 2 * 3600);
    make(w, "{\"id\":\"b\",\"ttl\":\"9h\"}", NULL);
    assert_int_equal(told(w, "b", "creation_ttl"), 3 * 3600);
}

/* --- uses ------------------------------------------------------------------------------------- */

static void test_token__a_failed_request_is_a_use(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"num_uses\":3}", NULL);
    assert_int_equal(world_status(w, "GET nosuch/x", NULL, "a"), 404);
    assert_int_equal(world_status(w, "POST auth/token/create", "{", "a"), 400); /* is none */
    assert_int_equal(told(w, "a", "num_uses"), 1);
    assert_int_equal(told(w, "a", "num_uses"), TOKEN_SPENT);
    assert_int_equal(look(w, "a"), 403);
    assert_int_equal(world_stored(w, "sys/token/id/"), 1);
}

static void test_token__a_dropped_request_is_no_use(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_request request = {.token = SLICE_LITERAL("a")};
    buf_init(&path, 1000);
    make(w, "{\"id\":\"a\",\"num_uses\":1}", NULL);
    world_request(LOOK, &path, &request);
    request.token = SLICE_LITERAL("a");
    struct vault_job *job = vault_receive(w->vault, &request);
    vault_begin(w->vault, job, w->now);
    vault_cancel(w->vault, job);
    assert_int_equal(look(w, "a"), 200);
    assert_int_equal(look(w, "a"), 403);
}

static struct vault_job *begin_as(struct world *w, const char *what, const char *token,
                                  struct buf *path)
{
    struct vault_request request = {0};
    world_request(what, path, &request);
    request.token = slice_of(token);
    struct vault_job *job = vault_receive(w->vault, &request);
    vault_begin(w->vault, job, w->now);
    vault_job_run(job);
    return job;
}

static void test_token__the_last_use_is_not_shared(void **state)
{
    struct world *w = *state;
    struct buf one CLEANUP(buf_done), two CLEANUP(buf_done);
    struct vault_reply first CLEANUP(vault_reply_done) = {0};
    struct vault_reply second CLEANUP(vault_reply_done) = {0};
    buf_init(&one, 1000);
    buf_init(&two, 1000);
    make(w, "{\"id\":\"a\",\"num_uses\":1}", NULL);
    struct vault_job *a = begin_as(w, LOOK, "a", &one), *b = begin_as(w, LOOK, "a", &two);
    vault_end(w->vault, b, w->now, &second);
    vault_end(w->vault, a, w->now, &first);
    assert_int_equal(second.status, 200);
    assert_int_equal(first.status, 403);
}

static enum errc refuse_write(void *context, const struct store_change *changes, size_t count,
                              struct errc_why *why)
{
    (void)context;
    (void)changes;
    (void)count;
    return errc_fail(why, ERRC_IO, "the disk is full");
}

static void test_token__a_use_that_cannot_be_stored_is_not_granted(void **state)
{
    struct world *w = *state;
    struct store whole = w->store;
    make(w, "{\"id\":\"a\",\"num_uses\":2}", NULL);
    w->store.write = refuse_write;
    assert_int_equal(look(w, "a"), 500);
    w->store = whole;
    assert_int_equal(told(w, "a", "num_uses"), 1);
}

/* --- families --------------------------------------------------------------------------------- */

static void make_family(struct world *w)
{
    make(w, "{\"id\":\"p\"}", NULL);
    make(w, "{\"id\":\"c\"}", "p");
    make(w, "{\"id\":\"d\"}", "c");
    make(w, "{\"id\":\"o\",\"no_parent\":true}", "c");
}

static void test_token__revoking_takes_the_tree_but_no_orphan(void **state)
{
    struct world *w = *state;
    make_family(w);
    assert_int_equal(world_status(w, "POST auth/token/revoke", "{\"token\":\"c\"}", w->root), 204);
    assert_int_equal(look(w, "p"), 200);
    assert_int_equal(look(w, "c"), 403);
    assert_int_equal(look(w, "d"), 403);
    assert_int_equal(look(w, "o"), 200);
    assert_int_equal(world_stored(w, "sys/token/id/"), 3);
}

static void test_token__revoking_alone_frees_the_children(void **state)
{
    struct world *w = *state;
    make_family(w);
    assert_int_equal(world_status(w, "POST auth/token/revoke-orphan", "{\"token\":\"c\"}", w->root),
                     204);
    assert_int_equal(look(w, "c"), 403);
    assert_int_equal(world_status(w, "POST auth/token/revoke-self", NULL, "p"), 204);
    assert_int_equal(look(w, "d"), 200);
    world_reopen(w);
    assert_int_equal(look(w, "d"), 200);
    assert_int_equal(look(w, "c"), 403);
}

static size_t writes_left;
static enum errc (*real_write)(void *context, const struct store_change *changes, size_t count,
                               struct errc_why *why);

static enum errc write_few(void *context, const struct store_change *changes, size_t count,
                           struct errc_why *why)
{
    if (writes_left == 0)
        return errc_fail(why, ERRC_IO, "the disk is full");
    writes_left--;
    return real_write(context, changes, count, why);
}

/* However far the clearing away comes: revoked is revoked, and the next unseal clears the rest. */
static void test_token__a_tree_is_revoked_as_a_whole(void **state)
{
    struct world *w = *state;
    for (size_t writes = 0; writes < 5; writes++) {
        struct store whole = w->store;
        make_family(w);
        assert_int_equal(world_status(w, "POST cubbyhole/x", "{\"v\":1}", "d"), 204);
        real_write = whole.write;
        writes_left = writes;
        w->store.write = write_few;
        int status = world_status(w, "POST auth/token/revoke", "{\"token\":\"p\"}", w->root);
        w->store = whole;
        assert_int_equal(status, writes == 0 ? 500 : 204);
        world_reopen(w);
        assert_int_equal(look(w, "p"), writes == 0 ? 200 : 403);
        assert_int_equal(look(w, "d"), writes == 0 ? 200 : 403);
        assert_int_equal(look(w, "o"), 200);
        assert_int_equal(world_stored(w, "sys/token/id/"), writes == 0 ? 5 : 2);
        assert_int_equal(world_stored(w, "cubbyhole/"), writes == 0 ? 1 : 0);
        (void)world_status(w, "POST auth/token/revoke", "{\"token\":\"p\"}", w->root);
        (void)world_status(w, "POST auth/token/revoke", "{\"token\":\"o\"}", w->root);
    }
}

static void test_token__thousands_are_found_listed_and_revoked(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    char body[64];
    make(w, "{\"id\":\"p\"}", NULL);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(body, sizeof body, "{\"id\":\"t%d\",\"ttl\":\"%dh\"}", i, 1 + i % 700);
        make(w, body, "p");
    }
    assert_int_equal(look(w, "t0"), 200);
    assert_int_equal(look(w, "t2999"), 200);
    assert_int_equal(world_ask(w, "LIST auth/token/accessors", NULL, w->root, &answer), 200);
    assert_int_equal(json_array_size(json_object_get(json_object_get(answer, "data"), "keys")),
                     3002);
    json_decref(answer);
    pass(w, 350 * NS_PER_HOUR + NS_PER_HOUR / 2);
    assert_int_equal(look(w, "t349"), 403);
    assert_int_equal(look(w, "t350"), 200);
    for (int i = 0; i < 300; i++)
        (void)look(w, "p"); /* each request clears away a few */
    assert_int_equal(w->vault->tokens.count, 1402);
    assert_int_equal(world_status(w, "POST auth/token/revoke-self", NULL, "p"), 204);
    assert_int_equal(w->vault->tokens.count, 1);
    assert_int_equal(world_stored(w, "sys/token/id/"), 1);
}

/* --- what survives ---------------------------------------------------------------------------- */

static void test_token__all_of_it_survives_a_restart(void **state)
{
    struct world *w = *state;
    json_t *before = NULL, *after = NULL;
    make(w,
         "{\"id\":\"a\",\"policies\":[\"default\",\"x\"],\"meta\":{\"k\":\"v\"},\"num_uses\":9,"
         "\"period\":\"2h\",\"display_name\":\"d\",\"explicit_max_ttl\":\"5h\"}",
         NULL);
    assert_int_equal(world_ask(w, LOOK, NULL, "a", &before), 200);
    world_reopen(w);
    assert_int_equal(world_ask(w, LOOK, NULL, "a", &after), 200);
    json_t *x = json_object_get(before, "data"), *y = json_object_get(after, "data");
    assert_int_equal(json_integer_value(json_object_get(x, "num_uses")), 8);
    assert_int_equal(json_integer_value(json_object_get(y, "num_uses")), 7);
    json_object_del(x, "num_uses");
    json_object_del(y, "num_uses");
    assert_true(json_equal(x, y));
    json_decref(before);
    json_decref(after);
}

static void test_token__time_goes_on_while_sealed(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"a\",\"ttl\":\"1h\"}", NULL);
    assert_int_equal(world_status(w, "PUT sys/seal", NULL, w->root), 204);
    world_expect_error(w, LOOK, NULL, "a", 503, "Vault is sealed");
    pass(w, NS_PER_HOUR + 1);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    assert_int_equal(look(w, "a"), 403);
    assert_int_equal(look(w, w->root), 200);
}

/* The last use was taken, and then the machine died. */
static void test_token__a_spent_one_does_not_come_back(void **state)
{
    struct world *w = *state;
    struct store whole = w->store;
    make(w, "{\"id\":\"a\",\"num_uses\":1}", NULL);
    real_write = whole.write;
    writes_left = 1;
    w->store.write = write_few;
    assert_int_equal(look(w, "a"), 200);
    w->store = whole;
    assert_int_equal(look(w, "a"), 403);
    assert_int_equal(world_stored(w, "sys/token/id/"), 2);
    world_reopen(w);
    assert_int_equal(look(w, "a"), 403);
    assert_int_equal(world_stored(w, "sys/token/id/"), 1);
}

static void test_token__a_damaged_record_keeps_the_vault_sealed(void **state)
{
    struct world *w = *state;
    struct errc_why why = {{0}};
    struct barrier *b = &w->vault->barrier;
    char name[STORE_NAME_MAX] = "sys/token/id/";
    memset(name + strlen(name), 'a', 64);
    assert_int_equal(barrier_put(b, name, SLICE_LITERAL("no token"), &why), ERRC_OK);
    world_restart(w);
    assert_int_not_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, &why),
                         ERRC_OK);
    assert_non_null(strstr(why.text, "is damaged"));
}

/* --- ids -------------------------------------------------------------------------------------- */

static void copy_id(const json_t *answer, char out[static TOKEN_ID_BYTES])
{
    const char *id =
        json_string_value(json_object_get(json_object_get(answer, "auth"), "client_token"));
    assert_non_null(id);
    (void)snprintf(out, TOKEN_ID_BYTES, "%s", id);
}

static void test_token__an_id_is_signed_and_has_a_short_form(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    char id[TOKEN_ID_BYTES], inner[TOKEN_ID_BYTES] = "";
    struct slice plain;
    assert_int_equal(
        world_ask(w, "POST auth/token/create", "{\"policies\":[\"default\"]}", w->root, &answer),
        200);
    copy_id(answer, id);
    json_decref(answer);
    assert_int_equal(strlen(id), 95);
    assert_true(strncmp(id, "hvs.CAES", 8) == 0);
    assert_int_equal(token_id_open(slice_of(id), &w->vault->tokens.keys, inner, &plain),
                     TOKEN_ID_SIGNED);
    inner[plain.len] = '\0';
    assert_int_equal(plain.len, 28);
    assert_int_equal(look(w, id), 200);
    assert_int_equal(look(w, inner), 200);
    id[40] = id[40] == 'A' ? 'B' : 'A';
    assert_int_equal(look(w, id), 403);
}

static void test_token__a_forged_id_is_told_from_an_unknown_one(void **state)
{
    struct world *w = *state;
    static const char forged[] =
        "{\"token\":\"hvs.CAESIJ5nIYHDlbLS5cVqEEKIRLOuQyLrhFeVGoLZqX4hqhmjGh4KHGh2cy5nVGpMb0h6bHB"
        "oRkVLNXJrR2VZTUZ2cnY\"}";
    world_expect_error(w, "POST auth/token/renew", forged, w->root, 403, "bad token");
    world_expect_error(w, "POST auth/token/renew", "{\"token\":\"hvs.nope\"}", w->root, 400,
                       "token not found");
}

static enum errc find_text(void *context, struct slice rest)
{
    const char *id = context;
    assert_null(memmem(rest.ptr, rest.len, id, strlen(id)));
    return ERRC_OK;
}

static void test_token__the_store_has_no_id(void **state)
{
    struct world *w = *state;
    make(w, "{\"id\":\"my-own-token\"}", NULL);
    assert_int_equal(world_status(w, "POST cubbyhole/x", "{\"v\":1}", "my-own-token"), 204);
    char id[] = "my-own-token";
    assert_int_equal(store_list(&w->store, SLICE_LITERAL(""), find_text, id, NULL), ERRC_OK);
    assert_int_equal(store_list(&w->store, SLICE_LITERAL(""), find_text, w->root, NULL), ERRC_OK);
}

/* --- places --------------------------------------------------------------------------------------
 */

static int look_from(struct world *w, const char *token, const char *address)
{
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct vault_request request = {0};
    buf_init(&path, 1000);
    world_request(LOOK, &path, &request);
    request.token = slice_of(token);
    request.remote_address = slice_of(address);
    vault_handle(w->vault, &request, w->now, &reply);
    return reply.status;
}

static void test_token__it_is_good_in_its_networks_only(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST auth/token/roles/r",
                                  "{\"token_bound_cidrs\":\"10.0.0.0/8,::1\",\"token_num_uses\":2}",
                                  w->root),
                     204);
    assert_int_equal(world_status(w, "POST auth/token/create/r",
                                  "{\"id\":\"a\",\"policies\":[\"default\"]}", w->root),
                     200);
    assert_int_equal(look_from(w, "a", "10.9.9.9"), 200);
    assert_int_equal(look_from(w, "a", "11.9.9.9"), 403);
    assert_int_equal(look_from(w, "a", ""), 403);
    assert_int_equal(look_from(w, "a", "::1"), 200); /* the refused ones were no uses */
    assert_int_equal(look_from(w, "a", "::1"), 403);
}

/* --- batch tokens ----------------------------------------------------------------------------- */

static void make_batch(struct world *w, const char *body, const char *by, char *out, size_t size)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, "POST auth/token/create", body, by, &answer), 200);
    (void)snprintf(
        out, size, "%s",
        json_string_value(json_object_get(json_object_get(answer, "auth"), "client_token")));
    json_decref(answer);
}

static void test_token__a_batch_token_needs_no_store(void **state)
{
    struct world *w = *state;
    char id[2000];
    make_batch(w, "{\"type\":\"batch\",\"policies\":[\"default\"],\"ttl\":\"1h\"}", w->root, id,
               sizeof id);
    assert_int_equal(world_stored(w, "sys/token/id/"), 1);
    assert_int_equal(look(w, id), 200);
    assert_int_equal(world_status(w, "PUT sys/rotate", NULL, w->root), 204);
    world_reopen(w);
    assert_int_equal(look(w, id), 200);
    pass(w, NS_PER_HOUR + NS_PER_S);
    assert_int_equal(look(w, id), 403);
    id[30] = id[30] == 'A' ? 'B' : 'A';
    assert_int_equal(look(w, id), 403);
}

static void test_token__a_batch_token_ends_with_its_parent(void **state)
{
    struct world *w = *state;
    char id[2000];
    make(w, "{\"id\":\"p\"}", NULL);
    make_batch(w, "{\"type\":\"batch\",\"policies\":[\"default\"]}", "p", id, sizeof id);
    assert_int_equal(look(w, id), 200);
    assert_int_equal(world_status(w, "POST auth/token/revoke-self", NULL, "p"), 204);
    assert_int_equal(look(w, id), 403);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_token__ends_with_its_time_and_takes_its_tree_along),
        BOOTED(test_token__a_renewal_counts_from_now),
        BOOTED(test_token__no_renewal_goes_past_the_maximum),
        BOOTED(test_token__an_explicit_maximum_is_one),
        BOOTED(test_token__a_period_goes_on_for_ever),
        BOOTED(test_token__a_root_token_may_end_too),
        BOOTED(test_token__the_limits_are_those_of_its_mount),
        BOOTED(test_token__a_failed_request_is_a_use),
        BOOTED(test_token__a_dropped_request_is_no_use),
        BOOTED(test_token__the_last_use_is_not_shared),
        BOOTED(test_token__a_use_that_cannot_be_stored_is_not_granted),
        BOOTED(test_token__revoking_takes_the_tree_but_no_orphan),
        BOOTED(test_token__revoking_alone_frees_the_children),
        BOOTED(test_token__a_tree_is_revoked_as_a_whole),
        BOOTED(test_token__thousands_are_found_listed_and_revoked),
        BOOTED(test_token__all_of_it_survives_a_restart),
        BOOTED(test_token__time_goes_on_while_sealed),
        BOOTED(test_token__a_spent_one_does_not_come_back),
        BOOTED(test_token__a_damaged_record_keeps_the_vault_sealed),
        BOOTED(test_token__an_id_is_signed_and_has_a_short_form),
        BOOTED(test_token__a_forged_id_is_told_from_an_unknown_one),
        BOOTED(test_token__the_store_has_no_id),
        BOOTED(test_token__it_is_good_in_its_networks_only),
        BOOTED(test_token__a_batch_token_needs_no_store),
        BOOTED(test_token__a_batch_token_ends_with_its_parent),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
