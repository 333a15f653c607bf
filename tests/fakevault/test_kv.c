#include "tests/fakevault/cmocka_first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "tests/fakevault/vault_world.h"

/* The value at data.<outer>.<inner> of an answer; borrowed from it. */
static json_t *dig(json_t *answer, const char *outer, const char *inner)
{
    json_t *member = json_object_get(json_object_get(answer, "data"), outer);
    return inner == NULL ? member : json_object_get(member, inner);
}

static void put(struct world *w, const char *what, const char *body, int status)
{
    assert_int_equal(world_status(w, what, body, w->root), status);
}

static json_t *get(struct world *w, const char *what, int status)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, what, NULL, w->root, &answer), status);
    return answer;
}

static enum errc count_version(void *context, struct slice rest)
{
    size_t *count = context;
    *count += memmem(rest.ptr, rest.len, "/versions/", 10) != NULL;
    return ERRC_OK;
}

/* How many records with data of a version the store has. */
static size_t stored_versions(struct world *w)
{
    size_t count = 0;
    assert_int_equal(store_list(&w->store, SLICE_LITERAL("logical/"), count_version, &count, NULL),
                     ERRC_OK);
    return count;
}

/* --- version 2 -------------------------------------------------------------------------------- */

static void test_kv__a_version_goes_when_its_time_is_over(void **state)
{
    struct world *w = *state;
    put(w, "POST secret/config", "{\"delete_version_after\":\"1m\"}", 204);
    put(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", 200);
    json_decref(get(w, "GET secret/data/a", 200));
    w->now.wall_ns += 61 * NS_PER_S;
    json_t *gone = get(w, "GET secret/data/a", 404);
    assert_true(json_is_null(dig(gone, "data", NULL)));
    assert_int_equal(json_integer_value(dig(gone, "metadata", "version")), 1);
    json_decref(gone);
    /* Undeleting gives it another minute. */
    put(w, "POST secret/undelete/a", "{\"versions\":1}", 204);
    json_decref(get(w, "GET secret/data/a", 200));
}

static void test_kv__the_shorter_time_counts_and_a_negative_one_is_never(void **state)
{
    struct world *w = *state;
    put(w, "POST secret/config", "{\"delete_version_after\":\"1h\"}", 204);
    put(w, "POST secret/metadata/a", "{\"delete_version_after\":\"10s\"}", 204);
    put(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", 200);
    put(w, "POST secret/config", "{\"delete_version_after\":\"-1s\"}", 204);
    put(w, "POST secret/data/b", "{\"data\":{\"x\":1}}", 200);
    w->now.wall_ns += 11 * NS_PER_S;
    json_decref(get(w, "GET secret/data/a", 404));
    json_decref(get(w, "GET secret/data/b", 200));
}

static void test_kv__more_versions_than_one_write_can_drop(void **state)
{
    struct world *w = *state;
    put(w, "POST secret/metadata/a", "{\"max_versions\":200}", 204);
    for (int i = 0; i < 150; i++)
        put(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", 200);
    json_decref(get(w, "GET secret/data/a?version=1", 200));
    put(w, "POST secret/metadata/a", "{\"max_versions\":2}", 204);
    put(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", 200);
    json_t *metadata = get(w, "GET secret/metadata/a", 200);
    assert_int_equal(json_object_size(dig(metadata, "versions", NULL)), 2);
    assert_int_equal(json_integer_value(dig(metadata, "oldest_version", NULL)), 150);
    json_decref(metadata);
    json_decref(get(w, "GET secret/data/a?version=149", 404));
    json_decref(get(w, "GET secret/data/a?version=150", 200));
}

static void test_kv__what_is_destroyed_is_not_in_the_store(void **state)
{
    struct world *w = *state;
    put(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", 200);
    put(w, "POST secret/data/a", "{\"data\":{\"x\":2}}", 200);
    size_t before = stored_versions(w);
    put(w, "POST secret/destroy/a", "{\"versions\":[1]}", 204);
    assert_int_equal(stored_versions(w), before - 1);
    put(w, "DELETE secret/metadata/a", NULL, 204);
    assert_int_equal(stored_versions(w), before - 2);
}

static void test_kv__metadata_survives_a_restart(void **state)
{
    struct world *w = *state;
    put(w, "POST secret/metadata/a",
        "{\"max_versions\":5,\"cas_required\":true,\"custom_metadata\":{\"k\":\"v\"}}", 204);
    world_restart(w);
    char body[160];
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\"}", w->unseal_key);
    assert_int_equal(world_status(w, "PUT sys/unseal", body, NULL), 200);
    json_t *metadata = get(w, "GET secret/metadata/a", 200);
    assert_string_equal(json_string_value(dig(metadata, "custom_metadata", "k")), "v");
    assert_true(json_is_true(dig(metadata, "cas_required", NULL)));
    assert_int_equal(json_integer_value(dig(metadata, "max_versions", NULL)), 5);
    json_decref(metadata);
}

static void test_kv__a_patch_merges_and_a_null_removes(void **state)
{
    struct world *w = *state;
    put(w, "POST secret/data/a", "{\"data\":{\"a\":{\"b\":1,\"c\":2},\"d\":3}}", 200);
    put(w, "PATCH secret/data/a", "{\"data\":{\"a\":{\"b\":null},\"e\":{\"f\":null}}}", 200);
    json_t *read = get(w, "GET secret/data/a", 200);
    char *text = json_dumps(dig(read, "data", NULL), JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, "{\"a\":{\"c\":2},\"d\":3,\"e\":{}}");
    free(text);
    json_decref(read);
    put(w, "PATCH secret/data/none", "{\"data\":{\"a\":1}}", 404);
}

/* --- version 1 -------------------------------------------------------------------------------- */

static void test_kv__version_1_gives_back_what_was_sent(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    put(w, "POST sys/mounts/one", "{\"type\":\"kv\"}", 204);
    put(w, "POST one/a/b", "{\"n\":12345678901234567890,\"r\":1.50,\"ttl\":\"90s\"}", 204);
    assert_int_equal(world_call(w, "GET one/a/b", NULL, w->root, &reply), 200);
    assert_non_null(strstr(buf_text(&reply.body), "\"lease_duration\":90,"));
    assert_non_null(
        strstr(buf_text(&reply.body), "{\"n\":12345678901234567890,\"r\":1.50,\"ttl\":\"90s\"}"));
    put(w, "DELETE one/a/b", NULL, 204);
    json_decref(get(w, "GET one/a/b", 404));
    json_decref(get(w, "LIST one/a", 404));
}

static void test_kv__version_1_refuses_to_write_nothing(void **state)
{
    struct world *w = *state;
    put(w, "POST sys/mounts/one", "{\"type\":\"kv\"}", 204);
    world_expect_error(w, "POST one/a", "{}", w->root, 400, "missing data fields");
    world_expect_error(w, "POST one", "{\"a\":1}", w->root, 400, "missing path");
}

static void test_kv__an_upgrade_makes_first_versions(void **state)
{
    struct world *w = *state;
    put(w, "POST sys/mounts/one", "{\"type\":\"kv\"}", 204);
    put(w, "POST one/a", "{\"x\":1}", 204);
    put(w, "POST one/b/c", "{\"x\":2}", 204);
    put(w, "POST sys/mounts/one/tune", "{\"options\":{\"version\":\"2\"}}", 200);
    json_t *read = get(w, "GET one/data/b/c", 200);
    assert_int_equal(json_integer_value(dig(read, "data", "x")), 2);
    assert_int_equal(json_integer_value(dig(read, "metadata", "version")), 1);
    json_decref(read);
    json_t *names = get(w, "LIST one/metadata", 200);
    assert_int_equal(json_array_size(dig(names, "keys", NULL)), 2);
    json_decref(names);
    json_decref(get(w, "GET one/a", 404));
}

/* What the store does from now on, as a process that is killed behind its first writes leaves it.
 */
static unsigned writes_left;
static enum errc (*real_write)(void *context, const struct store_change *changes, size_t count,
                               struct errc_why *why);

static enum errc write_few(void *context, const struct store_change *changes, size_t count,
                           struct errc_why *why)
{
    if (writes_left == 0)
        return errc_fail(why, ERRC_IO, "killed");
    writes_left--;
    return real_write(context, changes, count, why);
}

static void upgrade_and_be_killed(struct world *w, unsigned writes)
{
    struct store whole = w->store;
    real_write = whole.write;
    writes_left = writes;
    w->store.write = write_few;
    put(w, "POST sys/mounts/one/tune", "{\"options\":{\"version\":\"2\"}}", 500);
    w->store = whole;
    world_restart(w);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
}

/* The mount says first that it has versions; then each secret is written anew and erased. */
static void test_kv__an_upgrade_that_was_cut_off_is_finished_at_the_unseal(void **state)
{
    for (unsigned writes = 1; writes < 5; writes++) {
        struct world *w = *state;
        put(w, "POST sys/mounts/one", "{\"type\":\"kv\"}", 204);
        put(w, "POST one/a", "{\"x\":1}", 204);
        put(w, "POST one/b", "{\"x\":2}", 204);
        upgrade_and_be_killed(w, writes);
        json_t *a = get(w, "GET one/data/a", 200), *b = get(w, "GET one/data/b", 200);
        assert_int_equal(json_integer_value(dig(a, "data", "x")), 1);
        assert_int_equal(json_integer_value(dig(b, "data", "x")), 2);
        assert_int_equal(json_integer_value(dig(a, "metadata", "version")), 1);
        json_decref(a);
        json_decref(b);
        put(w, "DELETE sys/mounts/one", NULL, 204);
    }
}

/* Where the upgrade failed without a restart, a client may have been faster. */
static void test_kv__an_upgrade_does_not_overwrite_what_came_after_it(void **state)
{
    struct world *w = *state;
    struct store whole = w->store;
    put(w, "POST sys/mounts/one", "{\"type\":\"kv\"}", 204);
    put(w, "POST one/a", "{\"x\":1}", 204);
    real_write = whole.write;
    writes_left = 1;
    w->store.write = write_few;
    put(w, "POST sys/mounts/one/tune", "{\"options\":{\"version\":\"2\"}}", 500);
    w->store = whole;
    put(w, "POST one/data/a", "{\"data\":{\"x\":3}}", 200);
    world_restart(w);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
    json_t *a = get(w, "GET one/data/a", 200);
    assert_int_equal(json_integer_value(dig(a, "data", "x")), 3);
    json_decref(a);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_kv__a_version_goes_when_its_time_is_over),
        BOOTED(test_kv__the_shorter_time_counts_and_a_negative_one_is_never),
        BOOTED(test_kv__more_versions_than_one_write_can_drop),
        BOOTED(test_kv__what_is_destroyed_is_not_in_the_store),
        BOOTED(test_kv__metadata_survives_a_restart),
        BOOTED(test_kv__a_patch_merges_and_a_null_removes),
        BOOTED(test_kv__version_1_gives_back_what_was_sent),
        BOOTED(test_kv__version_1_refuses_to_write_nothing),
        BOOTED(test_kv__an_upgrade_makes_first_versions),
        BOOTED(test_kv__an_upgrade_that_was_cut_off_is_finished_at_the_unseal),
        BOOTED(test_kv__an_upgrade_does_not_overwrite_what_came_after_it),
    };
    return cmocka_run_group_tests_name("kv", tests, NULL, NULL);
}
