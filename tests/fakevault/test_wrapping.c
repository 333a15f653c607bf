/* Cubbyholes, and answers that lie in one. */
#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "fakevault/core/state.h"
#include "tests/fakevault/vault_world.h"

/* Asks for a wrapped answer; the token that wraps it goes to out, which is empty without one. */
static int wrap(struct world *w, const char *what, const char *body, const char *ttl,
                char out[static TOKEN_ID_BYTES])
{
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct vault_request request = {0};
    json_t *answer;
    buf_init(&path, 1000);
    world_request(what, &path, &request);
    request.token = slice_of(w->root);
    request.body = slice_of(body);
    request.wrap_ttl = slice_of(ttl);
    vault_handle(w->vault, &request, w->now, &reply);
    answer = json_loadb(buf_text(&reply.body), reply.body.len, 0, NULL);
    const char *id =
        json_string_value(json_object_get(json_object_get(answer, "wrap_info"), "token"));
    (void)snprintf(out, TOKEN_ID_BYTES, "%s", id == NULL ? "" : id);
    json_decref(answer);
    return reply.status;
}

static void named(const char *id, char out[static 200])
{
    (void)snprintf(out, 200, "{\"token\":\"%s\"}", id);
}

/* --- cubbyhole -------------------------------------------------------------------------------- */

static void test_cubbyhole__is_its_token_s_alone(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    assert_int_equal(world_status(w, "POST auth/token/create", "{\"id\":\"a\"}", w->root), 200);
    assert_int_equal(world_status(w, "POST cubbyhole/x/y", "{\"v\":1}", "a"), 204);
    assert_int_equal(world_status(w, "GET cubbyhole/x/y", NULL, w->root), 404);
    assert_int_equal(world_ask(w, "GET cubbyhole/x/y", NULL, "a", &answer), 200);
    json_decref(answer);
    assert_int_equal(world_ask(w, "LIST cubbyhole", NULL, "a", &answer), 200);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(json_object_get(answer, "data"), "keys"), 0)),
                        "x/");
    json_decref(answer);
    world_reopen(w);
    assert_int_equal(world_status(w, "GET cubbyhole/x/y", NULL, "a"), 200);
    assert_int_equal(world_status(w, "DELETE cubbyhole/x/y", NULL, "a"), 204);
    assert_int_equal(world_status(w, "GET cubbyhole/x/y", NULL, "a"), 404);
}

static void test_cubbyhole__ends_with_its_token(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST auth/token/create", "{\"id\":\"a\"}", w->root), 200);
    assert_int_equal(world_status(w, "POST cubbyhole/x", "{\"v\":1}", "a"), 204);
    assert_int_equal(world_status(w, "POST auth/token/revoke-self", NULL, "a"), 204);
    assert_int_equal(world_stored(w, "cubbyhole/"), 0);
    assert_int_equal(world_status(w, "POST auth/token/create", "{\"id\":\"a\"}", w->root), 200);
    assert_int_equal(world_status(w, "GET cubbyhole/x", NULL, "a"), 404);
}

/* What nobody owns is cleared away by hand, too. */
static void test_cubbyhole__a_stray_one_is_tidied(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        barrier_put(&w->vault->barrier, "cubbyhole/nobody/x", SLICE_LITERAL("{}"), NULL), ERRC_OK);
    assert_int_equal(world_status(w, "POST cubbyhole/mine", "{\"v\":1}", w->root), 204);
    assert_int_equal(world_status(w, "POST auth/token/tidy", NULL, w->root), 202);
    assert_int_equal(world_stored(w, "cubbyhole/nobody/"), 0);
    assert_int_equal(world_status(w, "GET cubbyhole/mine", NULL, w->root), 200);
}

/* --- wrapping --------------------------------------------------------------------------------- */

static void test_wrapping__an_answer_is_given_once(void **state)
{
    struct world *w = *state;
    char id[TOKEN_ID_BYTES], body[200];
    assert_int_equal(wrap(w, "GET sys/mounts", NULL, "60", id), 200);
    named(id, body);
    assert_int_equal(world_status(w, "POST sys/wrapping/lookup", body, NULL), 200);
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", body, w->root), 200);
    world_expect_error(w, "POST sys/wrapping/unwrap", body, w->root, 400,
                       "wrapping token is not valid or does not exist");
    assert_int_equal(world_stored(w, "cubbyhole/"), 0);
    assert_int_equal(w->vault->tokens.count, 1);
}

static void test_wrapping__a_failed_answer_is_not_wrapped(void **state)
{
    struct world *w = *state;
    char id[TOKEN_ID_BYTES];
    assert_int_equal(wrap(w, "GET secret/data/none", NULL, "60", id), 404);
    assert_string_equal(id, "");
    assert_int_equal(wrap(w, "DELETE secret/data/none", NULL, "60", id), 204);
    assert_string_equal(id, "");
    assert_int_equal(wrap(w, "GET sys/seal-status", NULL, "60", id), 200);
    assert_string_equal(id, "");
    assert_int_equal(w->vault->tokens.count, 1);
}

static void test_wrapping__it_ends_with_its_time(void **state)
{
    struct world *w = *state;
    char id[TOKEN_ID_BYTES], body[200];
    assert_int_equal(wrap(w, "GET sys/mounts", NULL, "1h", id), 200);
    named(id, body);
    w->now.wall_ns += NS_PER_HOUR;
    world_expect_error(w, "POST sys/wrapping/unwrap", body, w->root, 400,
                       "wrapping token is not valid or does not exist");
    assert_int_equal(world_stored(w, "cubbyhole/"), 0);
}

static void test_wrapping__it_survives_a_restart(void **state)
{
    struct world *w = *state;
    char id[TOKEN_ID_BYTES], body[200];
    assert_int_equal(wrap(w, "POST sys/wrapping/wrap", "{\"a\":1}", "1h", id), 200);
    named(id, body);
    world_reopen(w);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    assert_int_equal(world_call(w, "POST sys/wrapping/unwrap", body, w->root, &reply), 200);
    assert_non_null(strstr(buf_text(&reply.body), "\"data\":{\"a\":1}"));
    assert_int_equal(reply.body.ptr[reply.body.len - 1], '}');
}

static void test_wrapping__the_wrapping_token_may_ask_itself(void **state)
{
    struct world *w = *state;
    char id[TOKEN_ID_BYTES];
    assert_int_equal(wrap(w, "POST sys/wrapping/wrap", "{\"a\":1}", "1h", id), 200);
    world_expect_error(w, "GET secret/data/x", NULL, "nope", 403, "permission denied");
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", NULL, id), 200);
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", NULL, id), 400);
    assert_int_equal(w->vault->tokens.count, 1);
}

static void test_wrapping__of_two_who_unwrap_one_gets_it(void **state)
{
    struct world *w = *state;
    struct buf one CLEANUP(buf_done), two CLEANUP(buf_done);
    struct vault_reply first CLEANUP(vault_reply_done) = {0};
    struct vault_reply second CLEANUP(vault_reply_done) = {0};
    char id[TOKEN_ID_BYTES], body[200];
    buf_init(&one, 1000);
    buf_init(&two, 1000);
    assert_int_equal(wrap(w, "POST sys/wrapping/wrap", "{\"a\":1}", "1h", id), 200);
    named(id, body);
    struct vault_job *a = world_begin(w, "POST sys/wrapping/unwrap", body, &one);
    struct vault_job *b = world_begin(w, "POST sys/wrapping/unwrap", body, &two);
    vault_job_run(a);
    vault_job_run(b);
    vault_end(w->vault, b, w->now, &second);
    vault_end(w->vault, a, w->now, &first);
    assert_int_equal(second.status, 200);
    assert_int_equal(first.status, 400);
}

static void test_wrapping__wrapped_anew_the_old_token_is_void(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    char id[TOKEN_ID_BYTES], body[200];
    assert_int_equal(wrap(w, "POST sys/wrapping/wrap", "{\"a\":1}", "1h", id), 200);
    named(id, body);
    assert_int_equal(world_ask(w, "POST sys/wrapping/rewrap", body, w->root, &answer), 200);
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", body, w->root), 400);
    named(json_string_value(json_object_get(json_object_get(answer, "wrap_info"), "token")), body);
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", body, w->root), 200);
    json_decref(answer);
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

static void test_wrapping__what_cannot_be_stored_is_not_given(void **state)
{
    struct world *w = *state;
    struct store whole = w->store;
    char id[TOKEN_ID_BYTES], body[200];
    real_write = whole.write;
    writes_left = 0;
    w->store.write = write_few;
    assert_int_equal(wrap(w, "GET sys/mounts", NULL, "60", id), 500);
    w->store = whole;
    assert_int_equal(w->vault->tokens.count, 1);

    assert_int_equal(wrap(w, "GET sys/mounts", NULL, "60", id), 200);
    named(id, body);
    writes_left = 0;
    w->store.write = write_few;
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", body, w->root), 500);
    assert_int_equal(world_status(w, "POST sys/wrapping/rewrap", body, w->root), 500);
    writes_left = 1;
    assert_int_equal(world_status(w, "POST sys/wrapping/rewrap", body, w->root), 500);
    w->store = whole;
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", body, w->root), 200);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

static void test_wrapping__may_last_beyond_the_clock(void **state)
{
    struct world *w = *state;
    char id[TOKEN_ID_BYTES], body[200];
    assert_int_equal(wrap(w, "GET sys/policy", NULL, "9223372036s", id), 200);
    named(id, body);
    assert_int_equal(world_status(w, "POST sys/wrapping/lookup", body, w->root), 200);
    assert_int_equal(world_status(w, "POST sys/wrapping/unwrap", body, w->root), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_cubbyhole__is_its_token_s_alone),
        BOOTED(test_cubbyhole__ends_with_its_token),
        BOOTED(test_cubbyhole__a_stray_one_is_tidied),
        BOOTED(test_wrapping__an_answer_is_given_once),
        BOOTED(test_wrapping__a_failed_answer_is_not_wrapped),
        BOOTED(test_wrapping__it_ends_with_its_time),
        BOOTED(test_wrapping__it_survives_a_restart),
        BOOTED(test_wrapping__the_wrapping_token_may_ask_itself),
        BOOTED(test_wrapping__of_two_who_unwrap_one_gets_it),
        BOOTED(test_wrapping__wrapped_anew_the_old_token_is_void),
        BOOTED(test_wrapping__what_cannot_be_stored_is_not_given),
        BOOTED(test_wrapping__may_last_beyond_the_clock),
    };
    return cmocka_run_group_tests_name("wrapping", tests, NULL, NULL);
}
