#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/count.h"
#include "signer/core/attempt/codec.h"

#define PREFIX "{\"request_id\":\"r\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,"
#define SUFFIX ",\"wrap_info\":null,\"warnings\":null,\"auth\":null}\n"

static enum errc parse(const char *body, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done), raw CLEANUP(buf_done);
    buf_init(&text, 512);
    buf_init(&raw, 512);
    return codec_sign_reply(slice_of(body), 3, &text, &raw, why);
}

static void test_codec__reads_a_sign_reply(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done), raw CLEANUP(buf_done);
    buf_init(&text, 512);
    buf_init(&raw, 512);
    static const char body[] =
        PREFIX "\"data\":{\"key_version\":3,\"signature\":\"vault:v3:MEUC\"}" SUFFIX;
    assert_int_equal(codec_sign_reply(slice_of(body), 3, &text, &raw, NULL), ERRC_OK);
    assert_string_equal(buf_text(&text), "vault:v3:MEUC");
    assert_true(slice_equal(buf_slice(&raw), SLICE_LITERAL("\x30\x45\x02")));
    /* Vault before 1.3 sends no key_version. */
    assert_int_equal(parse("{\"data\":{\"signature\":\"vault:v3:MEUC\"}}", NULL), ERRC_OK);
}

static const struct {
    const char *body;
    const char *why;
} bad[] = {
    {"", NULL},
    {"{", NULL},
    {"<html>", NULL},
    {"[]", "the reply is not a JSON object"},
    {"{}", NULL},
    {"{\"data\":null}", NULL},
    {"{\"data\":{}}", NULL},
    {"{\"data\":{\"signature\":1}}", NULL},
    {"{\"data\":{\"signature\":\"\"}}",
     "the signature begins neither with \"vault:v\" nor with \"ed25519:\""},
    {"{\"data\":{\"signature\":\"vault:v3:\"}}", "the signature is not in base64"},
    {"{\"data\":{\"signature\":\"vault:v3:ME U\"}}", "the signature is not in base64"},
    {"{\"data\":{\"signature\":\"vault:v3:MEU\\nC\"}}", "the signature is not in base64"},
    {"{\"data\":{\"signature\":\"vault:3:MEUC\"}}",
     "the signature has no key version: \"vault:3:MEUC\""},
    {"{\"data\":{\"signature\":\"vault:v03:MEUC\"}}",
     "the signature has no key version: \"vault:v03:MEUC\""},
    {"{\"data\":{\"signature\":\"vault:v99999999999:MEUC\"}}",
     "the signature has no key version: \"vault:v99999999999:M\""},
    {"{\"data\":{\"signature\":\"bao:v3:MEUC\"}}",
     "the signature begins neither with \"vault:v\" nor with \"ed25519:\""},
    {"{\"data\":{\"signature\":\"ed25519:MEUC\"}}", "the signature is not of Vault's form"},
    {"{\"data\":{\"signature\":\"vault:v2:MEUC\"}}",
     "the signature is of key version 2, version 3 was asked for"},
    {"{\"data\":{\"signature\":\"vault:v3:MEUC\",\"key_version\":4}}",
     "the signature is of key version 4, version 3 was asked for"},
    {"{\"data\":{\"signature\":\"vault:v3:MEUC\"}} trailing", NULL},
    {"{\"data\":{\"signature\":\"vault:v3:MEUC\",\"signature\":\"vault:v3:AAAA\"}}", NULL},
    {"{\"data\":{\"batch_results\":[{\"signature\":\"vault:v3:MEUC\"}]}}", NULL},
};

static void test_codec__takes_nothing_else_for_a_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct errc_why why = {0};
        enum errc code = parse(bad[i].body, &why);
        if (code != ERRC_SYNTAX && code != ERRC_SCHEMA)
            fail_msg("\"%s\": code %d", bad[i].body, (int)code);
        assert_true(why.text[0] != '\0');
        if (bad[i].why != NULL)
            assert_string_equal(why.text, bad[i].why);
    }
}

static void test_codec__asks_for_the_pinned_version(void **state)
{
    (void)state;
    char path[CODEC_PATH_BYTES];
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 512);
    codec_sign_request(SLICE_LITERAL("hello world"), 3, &out);
    assert_string_equal(buf_text(&out),
                        "{\"input\":\"aGVsbG8gd29ybGQ=\",\"key_version\":3,\"hash_algorithm\":"
                        "\"sha2-256\",\"marshaling_algorithm\":\"asn1\"}");
    assert_int_equal(codec_sign_path("a b/c%\xc3\xa9", path, NULL), ERRC_OK);
    assert_string_equal(path, "/v1/transit/sign/a%20b%2Fc%25%C3%A9");
    assert_int_equal(codec_key_path("docugen-manifest", path, NULL), ERRC_OK);
    assert_string_equal(path, "/v1/transit/keys/docugen-manifest");
    char longest[CODEC_PATH_BYTES];
    memset(longest, 'k', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(codec_sign_path(longest, path, NULL), ERRC_TOO_BIG);
}

static void test_codec__reads_the_newest_public_key(void **state)
{
    (void)state;
    struct buf pem CLEANUP(buf_done);
    int64_t version = 0;
    struct errc_why why = {0};
    buf_init(&pem, 512);
    static const char good[] =
        PREFIX "\"data\":{\"type\":\"ecdsa-p256\",\"latest_version\":12,\"keys\":{\"1\":"
               "{\"public_key\":\"old\"},\"12\":{\"public_key\":\"new\"}}}" SUFFIX;
    assert_int_equal(codec_key_reply(slice_of(good), &version, &pem, NULL), ERRC_OK);
    assert_int_equal(version, 12);
    assert_string_equal(buf_text(&pem), "new");
    static const char *const broken[] = {
        "{\"data\":{\"type\":\"aes256-gcm96\",\"latest_version\":1,\"keys\":{\"1\":1795458581}}}",
        "{\"data\":{\"type\":\"ecdsa-p256\",\"latest_version\":2,\"keys\":{\"1\":{}}}}",
        "{\"data\":{\"type\":\"ecdsa-p256\",\"latest_version\":0,\"keys\":{}}}",
        "{\"data\":{\"type\":\"ecdsa-p256\",\"latest_version\":1,\"keys\":{\"1\":{}}}}",
        "{\"errors\":[]}",
    };
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_int_equal(errc_class(codec_key_reply(slice_of(broken[i]), &version, &pem, &why)),
                         ERRC_CLASS_INVALID);
    assert_int_equal(codec_key_reply(slice_of(broken[0]), &version, &pem, &why), ERRC_SCHEMA);
    assert_string_equal(why.text, "the key's type is \"aes256-gcm96\", it must be \"ecdsa-p256\"");
}

static void test_codec__puts_errors_on_one_line(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 512);
    assert_int_equal(
        codec_errors(
            SLICE_LITERAL(
                "{\"errors\":[\"1 error occurred:\\n\\t* internal error\\n\\n\",\"b\"]}\n"),
            &out),
        ERRC_OK);
    assert_string_equal(buf_text(&out), "1 error occurred: * internal error; b");
    buf_reset(&out);
    assert_int_equal(codec_errors(SLICE_LITERAL("{\"errors\":[]}"), &out), ERRC_OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(codec_errors(SLICE_LITERAL("{\"errors\":[1]}"), &out), ERRC_SCHEMA);
    assert_int_equal(codec_errors(SLICE_LITERAL("{\"errors\":\"x\"}"), &out), ERRC_SCHEMA);
    assert_int_equal(codec_errors(SLICE_LITERAL("Vault is sealed"), &out), ERRC_SCHEMA);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codec__reads_a_sign_reply),
        cmocka_unit_test(test_codec__takes_nothing_else_for_a_signature),
        cmocka_unit_test(test_codec__asks_for_the_pinned_version),
        cmocka_unit_test(test_codec__reads_the_newest_public_key),
        cmocka_unit_test(test_codec__puts_errors_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
