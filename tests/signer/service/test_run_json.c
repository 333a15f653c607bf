#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "signer/core/service/run_json.h"

#define ID "0b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"
#define T0 INT64_C(1795458581081000001)
#define BUNDLE "{\"artefacts\":[],\"note\":\"\\b\\u0001\\\"\"}"

static struct run completed(void)
{
    struct run run;
    const struct run_signing signing = {.mode = "fallback", .reason = "sealed", .attempts = 3};
    assert_int_equal(run_init(&run, ID, "api", SLICE_LITERAL(BUNDLE), T0, NULL), ERRC_OK);
    assert_int_equal(run_start(&run, T0 + 1, NULL), ERRC_OK);
    assert_int_equal(run_complete(&run, &signing, T0 + 2, NULL), ERRC_OK);
    return run;
}

static void test_run_json__tells_a_run_as_the_contract_has_it(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    struct run run CLEANUP(run_done) = completed();
    run_json_format(&run, &out);
    assert_string_equal(
        buf_text(&out),
        "{\"id\":\"" ID "\",\"status\":\"completed\","
        "\"createdAt\":\"2026-11-23T18:29:41.081000001Z\","
        "\"updatedAt\":\"2026-11-23T18:29:41.081000003Z\","
        "\"signing\":{\"mode\":\"fallback\",\"reason\":\"sealed\",\"attempts\":3},"
        "\"events\":[{\"type\":\"RUN_STARTED\",\"at\":\"2026-11-23T18:29:41.081000002Z\"},"
        "{\"type\":\"MANIFEST_SIGNED\",\"at\":\"2026-11-23T18:29:41.081000003Z\"},"
        "{\"type\":\"RUN_COMPLETED\",\"at\":\"2026-11-23T18:29:41.081000003Z\"}],"
        "\"links\":{\"self\":\"/api/v1/bundles/" ID "\","
        "\"manifest\":\"/api/v1/bundles/" ID "/manifest\"}}");
}

static void test_run_json__tells_the_error_of_a_blocked_run(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    struct run run CLEANUP(run_done) = {0};
    assert_int_equal(run_init(&run, ID, "api", SLICE_LITERAL("{}"), T0, NULL), ERRC_OK);
    assert_int_equal(run_start(&run, T0, NULL), ERRC_OK);
    assert_int_equal(run_block(&run, "vault_unavailable", "a \"quoted\" word", T0, NULL), ERRC_OK);
    run_json_format(&run, &out);
    assert_non_null(strstr(buf_text(&out), "\"error\":{\"code\":\"vault_unavailable\","
                                           "\"message\":\"a \\\"quoted\\\" word\"}"));
    assert_null(strstr(buf_text(&out), "\"signing\""));
}

static void test_run_json__what_is_stored_comes_back(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done), again CLEANUP(buf_done);
    struct errc_why why = {0};
    buf_init(&out, 4096);
    buf_init(&again, 4096);
    struct run run CLEANUP(run_done) = completed();
    struct run back CLEANUP(run_done) = {0};
    run_json_store(&run, &out);
    if (run_json_parse(buf_slice(&out), &back, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    run_json_store(&back, &again);
    assert_string_equal(buf_text(&again), buf_text(&out));
    assert_string_equal(back.bundle, BUNDLE);
    assert_string_equal(back.service, "api");
}

struct damage {
    const char *from;
    const char *to;
    enum errc code;
    const char *why;
};

static void replace(struct buf *text, const char *from, const char *to)
{
    struct buf out;
    buf_init(&out, text->max);
    const char *at = strstr(buf_text(text), from);
    assert_non_null(at);
    buf_add(&out, text->ptr, (size_t)(at - text->ptr));
    buf_add_text(&out, to);
    buf_add_text(&out, at + strlen(from));
    buf_done(text);
    *text = out;
}

static void test_run_json__refuses_a_damaged_file_and_says_where(void **state)
{
    (void)state;
    static const struct damage cases[] = {
        {"\"version\":1", "\"version\":2", ERRC_RANGE, "field \"version\" is 2, want 1..1"},
        {"\"service\":\"api\",", "", ERRC_SCHEMA, "field \"service\" is missing, want a string"},
        {"\"status\":\"completed\"", "\"status\":\"done\"", ERRC_SCHEMA,
         "status \"done\" is unknown"},
        {"2026-11-23T18:29:41.081000001Z", "yesterday", ERRC_SCHEMA,
         "field \"createdAt\" is \"yesterday\", want a time stamp"},
        {"\"attempts\":3", "\"attempts\":-1", ERRC_RANGE,
         "field \"attempts\" is -1, want 0..2147483647"},
        {"RUN_STARTED", "RUN_AWAY", ERRC_SCHEMA, "event \"RUN_AWAY\" is unknown"},
        {"\"artefacts\":[]", "\"artefacts\":[1]", ERRC_CRYPTO, "field \"bundle\" has the hash"},
        {"}\n", "", ERRC_SYNTAX, "line 1 column"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf text CLEANUP(buf_done);
        struct errc_why why = {0};
        struct run run CLEANUP(run_done) = completed();
        struct run back;
        buf_init(&text, 4096);
        run_json_store(&run, &text);
        replace(&text, cases[i].from, cases[i].to);
        enum errc code = run_json_parse(buf_slice(&text), &back, &why);
        if (code != cases[i].code || strstr(why.text, cases[i].why) == NULL)
            fail_msg("case %zu: code %d, \"%s\"", i, (int)code, why.text);
        assert_null(back.bundle);
    }
}

static void test_run_json__survives_a_cut_at_every_byte(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done);
    struct run run CLEANUP(run_done) = completed();
    buf_init(&text, 4096);
    run_json_store(&run, &text);
    for (size_t n = 0; n + 1 < text.len; n++) {
        struct run back;
        assert_int_not_equal(run_json_parse(slice_bytes(text.ptr, n), &back, NULL), ERRC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_json__tells_a_run_as_the_contract_has_it),
        cmocka_unit_test(test_run_json__tells_the_error_of_a_blocked_run),
        cmocka_unit_test(test_run_json__what_is_stored_comes_back),
        cmocka_unit_test(test_run_json__refuses_a_damaged_file_and_says_where),
        cmocka_unit_test(test_run_json__survives_a_cut_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
