#include "tests/fakevault/cmocka_first.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fakevault/core/audit/audit_device.h"
#include "tests/fakevault/vault_world.h"

/* Devices whose files are in memory. */
struct fake {
    struct audit_port port;
    struct buf written; /* by all of them */
    bool fails;         /* writing */
    size_t sinks;       /* that were made and not freed */
};

static struct fake fake;

static enum errc make(void *context, const char *path, unsigned mode, struct audit_sink **out)
{
    (void)context;
    (void)path;
    (void)mode;
    *out = malloc(1);
    fake.sinks++;
    return ERRC_OK;
}

static enum errc open_fake(struct audit_sink *sink, struct errc_why *why)
{
    (void)sink;
    (void)why;
    return ERRC_OK;
}

static enum errc write_fake(struct audit_sink *sink, struct slice line, struct errc_why *why)
{
    (void)sink;
    if (fake.fails)
        return errc_fail(why, ERRC_IO, "write fake: file already closed");
    buf_add_slice(&fake.written, line);
    return ERRC_OK;
}

static void free_fake(struct audit_sink *sink)
{
    free(sink);
    fake.sinks--;
}

static int set_up(void **state)
{
    fake = (struct fake){
        .port = {.make = make, .open = open_fake, .write = write_fake, .free = free_fake}};
    buf_init(&fake.written, LIMIT_FILE_BYTES);
    (void)world_set_up(state);
    struct world *w = *state;
    w->ports.audit = &fake.port;
    world_restart(w);
    world_boot(w);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    world_done(w);
    w->ports.audit = NULL;
    buf_done(&fake.written);
    return fake.sinks == 0 ? 0 : -1;
}

#define FILE_DEVICE "{\"type\":\"file\",\"options\":{\"file_path\":\"/x\"}}"
#define RAW_DEVICE                                                                                 \
    "{\"type\":\"file\",\"options\":{\"file_path\":\"/x\",\"log_raw\":\"true\",\"prefix\":\"> "    \
    "\"}}"

static void enable(struct world *w, const char *device)
{
    assert_int_equal(world_status(w, "PUT sys/audit/f", device, w->root), 204);
    buf_reset(&fake.written);
}

/* The n-th line that was written, parsed; the caller owns it. */
static json_t *line(size_t n)
{
    struct slice rest = buf_slice(&fake.written), text = {0};
    for (size_t i = 0; i <= n; i++)
        text = slice_cut(&rest, '\n');
    size_t start = slice_find(text, '{');
    json_t *value = json_loadb(text.ptr + start, text.len - start, 0, NULL);
    assert_non_null(value);
    return value;
}

static const char *text_at(json_t *value, const char *outer, const char *inner)
{
    return json_string_value(json_object_get(json_object_get(value, outer), inner));
}

static void test_audit_devices__a_request_and_its_answer_share_an_id(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    enable(w, FILE_DEVICE);
    assert_int_equal(world_ask(w, "GET secret/config", NULL, w->root, &answer), 200);
    json_t *request = line(0), *response = line(1);
    const char *id = json_string_value(json_object_get(answer, "request_id"));
    assert_string_equal(json_string_value(json_object_get(request, "type")), "request");
    assert_string_equal(json_string_value(json_object_get(response, "type")), "response");
    assert_string_equal(text_at(request, "request", "id"), id);
    assert_string_equal(text_at(response, "request", "id"), id);
    json_decref(request);
    json_decref(response);
    json_decref(answer);
}

static void test_audit_devices__no_secret_is_in_clear(void **state)
{
    struct world *w = *state;
    enable(w, FILE_DEVICE);
    assert_int_equal(world_status(w, "POST secret/data/a",
                                  "{\"data\":{\"pin\":4711,\"word\":\"open\"}}", w->root),
                     200);
    assert_int_equal(world_status(w, "GET secret/data/a", NULL, w->root), 200);
    const char *all = buf_text(&fake.written);
    assert_null(strstr(all, "open"));
    assert_null(strstr(all, w->root));
    json_t *request = line(0);
    assert_null(strstr(text_at(request, "request", "client_token"), w->root));
    json_decref(request);
}

static void test_audit_devices__the_hash_of_a_value_can_be_asked_for(void **state)
{
    struct world *w = *state;
    json_t *answer = NULL;
    enable(w, FILE_DEVICE);
    assert_int_equal(
        world_ask(w, "POST sys/audit-hash/f", "{\"input\":\"open\"}", w->root, &answer), 200);
    json_t *request = line(0);
    json_t *data = json_object_get(json_object_get(request, "request"), "data");
    assert_string_equal(json_string_value(json_object_get(data, "input")),
                        json_string_value(json_object_get(answer, "hash")));
    json_decref(request);
    json_decref(answer);
}

static void test_audit_devices__raw_is_in_clear_behind_its_prefix(void **state)
{
    struct world *w = *state;
    enable(w, RAW_DEVICE);
    assert_int_equal(world_status(w, "POST secret/data/a", "{\"data\":{\"x\":\"open\"}}", w->root),
                     200);
    assert_memory_equal(buf_text(&fake.written), "> {", 3);
    json_t *request = line(0);
    assert_string_equal(text_at(request, "request", "client_token"), w->root);
    json_decref(request);
    assert_non_null(strstr(buf_text(&fake.written), "{\"x\":\"open\"}"));
}

static void test_audit_devices__what_was_refused_is_written_too(void **state)
{
    struct world *w = *state;
    enable(w, FILE_DEVICE);
    assert_int_equal(world_status(w, "GET secret/config", NULL, "wrong"), 403);
    json_t *request = line(0);
    assert_string_equal(json_string_value(json_object_get(request, "error")), "permission denied");
    assert_null(text_at(request, "auth", "accessor"));
    json_decref(request);
}

static void test_audit_devices__a_mount_may_want_members_in_clear(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_status(w, "POST sys/mounts/secret/tune",
                                  "{\"audit_non_hmac_request_keys\":[\"a\"]}", w->root),
                     204);
    enable(w, FILE_DEVICE);
    assert_int_equal(world_status(w, "POST secret/data/x",
                                  "{\"data\":{\"a\":\"seen\",\"b\":\"gone\"}}", w->root),
                     200);
    assert_non_null(strstr(buf_text(&fake.written), "\"a\":\"seen\""));
    assert_null(strstr(buf_text(&fake.written), "gone"));
}

static void test_audit_devices__who_was_denied_is_named(void **state)
{
    struct world *w = *state;
    json_t *made = NULL;
    assert_int_equal(
        world_ask(w, "POST auth/token/create", "{\"policies\":[\"default\"]}", w->root, &made),
        200);
    const char *token = text_at(made, "auth", "client_token");
    enable(w, FILE_DEVICE);
    assert_int_equal(world_status(w, "GET secret/config", NULL, token), 403);
    assert_int_equal(world_status(w, "GET auth/token/lookup-self", NULL, token), 200);
    json_t *denied = line(0), *allowed = line(2);
    json_t *results = json_object_get(json_object_get(denied, "auth"), "policy_results");
    assert_true(json_is_false(json_object_get(results, "allowed")));
    results = json_object_get(json_object_get(allowed, "auth"), "policy_results");
    json_t *granting = json_object_get(results, "granting_policies");
    assert_int_equal(json_array_size(granting), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(granting, 0), "name")),
                        "default");
    json_decref(denied);
    json_decref(allowed);
    json_decref(made);
}

static void test_audit_devices__without_a_line_nothing_is_done(void **state)
{
    struct world *w = *state;
    enable(w, FILE_DEVICE);
    fake.fails = true;
    world_expect_error(w, "POST secret/data/a", "{\"data\":{\"x\":1}}", w->root, 500,
                       "internal error");
    world_expect_error(w, "PUT sys/seal", NULL, w->root, 500,
                       "failed to audit request, cannot continue");
    world_expect_error(w, "DELETE sys/audit/f", NULL, w->root, 500, "internal error");
    fake.fails = false;
    assert_int_equal(world_status(w, "GET secret/data/a", NULL, w->root), 404);
}

static void test_audit_devices__one_device_that_takes_the_line_is_enough(void **state)
{
    struct world *w = *state;
    enable(w, FILE_DEVICE);
    assert_int_equal(world_status(w, "PUT sys/audit/g",
                                  "{\"type\":\"file\",\"options\":{\"file_path\":\"discard\"}}",
                                  w->root),
                     204);
    fake.fails = true;
    assert_int_equal(world_status(w, "GET secret/config", NULL, w->root), 200);
}

static void test_audit_devices__a_device_that_fails_its_test_is_not_enabled(void **state)
{
    struct world *w = *state;
    fake.fails = true;
    world_expect_error(w, "PUT sys/audit/f", FILE_DEVICE, w->root, 400,
                       "audit backend failed test message: write fake: file already closed");
    assert_int_equal(world_status(w, "GET secret/config", NULL, w->root), 200);
    assert_int_equal(fake.sinks, 0);
}

static void test_audit_devices__devices_come_back_with_the_unseal(void **state)
{
    struct world *w = *state;
    enable(w, FILE_DEVICE);
    vault_seal(w->vault);
    assert_int_equal(fake.sinks, 0);
    struct errc_why why = {{0}};
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, &why), ERRC_OK);
    assert_int_equal(world_status(w, "GET secret/config", NULL, w->root), 200);
    json_decref(line(1));
    assert_int_equal(world_status(w, "DELETE sys/audit/f", NULL, w->root), 204);
    buf_reset(&fake.written);
    assert_int_equal(world_status(w, "GET secret/config", NULL, w->root), 200);
    assert_int_equal(fake.written.len, 0);
}

static void test_audit_devices__a_device_outlives_its_end_while_a_line_waits(void **state)
{
    struct world *w = *state;
    struct buf path CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    enable(w, FILE_DEVICE);
    struct vault_job *job = world_begin(w, "GET secret/config", NULL, &path);
    assert_true(vault_job_blocks(job));
    assert_int_equal(world_status(w, "DELETE sys/audit/f", NULL, w->root), 204);
    assert_int_equal(fake.sinks, 1);
    vault_job_run(job);
    vault_end(w->vault, job, w->now, &reply);
    vault_deliver(&reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(fake.sinks, 0);
}

#define AUDITED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDITED(test_audit_devices__a_request_and_its_answer_share_an_id),
        AUDITED(test_audit_devices__no_secret_is_in_clear),
        AUDITED(test_audit_devices__the_hash_of_a_value_can_be_asked_for),
        AUDITED(test_audit_devices__raw_is_in_clear_behind_its_prefix),
        AUDITED(test_audit_devices__what_was_refused_is_written_too),
        AUDITED(test_audit_devices__a_mount_may_want_members_in_clear),
        AUDITED(test_audit_devices__who_was_denied_is_named),
        AUDITED(test_audit_devices__without_a_line_nothing_is_done),
        AUDITED(test_audit_devices__one_device_that_takes_the_line_is_enough),
        AUDITED(test_audit_devices__a_device_that_fails_its_test_is_not_enabled),
        AUDITED(test_audit_devices__devices_come_back_with_the_unseal),
        AUDITED(test_audit_devices__a_device_outlives_its_end_while_a_line_waits),
    };
    return cmocka_run_group_tests_name("audit_devices", tests, NULL, NULL);
}
