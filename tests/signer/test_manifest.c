#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/digest.h"
#include "base/text/jsonread.h"
#include "base/text/stamp.h"
#include "signer/core/bundle/canonical.h"
#include "tests/signer/fake.h"

#define A                                                                                          \
    "{\"id\":\"x\",\"type\":\"t\",\"path\":\"x\",\"storageKey\":\"k\",\"renderVersion\":\"1\"}"
#define RUN "\"bundleRunId\":\"" FAKE_RUN_ID "\",\"operatorId\":\"op\""

static const struct {
    enum manifest_source source;
    const char *text;
    const char *why;
} bad[] = {
    {MANIFEST_FOLDER, "", NULL},
    {MANIFEST_FOLDER, "{", NULL},
    {MANIFEST_FOLDER, "[]", NULL},
    {MANIFEST_FOLDER, "{}", NULL},
    {MANIFEST_FOLDER, "{\"bundleRunId\":\"X\"}",
     "\"bundleRunId\" is \"X\", not a UUID in lower case"},
    {MANIFEST_FOLDER, "{\"bundleRunId\":\"0F6FF4A3-8FA2-4E75-8D2C-5D7F2A5A3B10\"}",
     "\"bundleRunId\" is \"0F6FF4A3-8FA2-4E75-8D2C-5D7F2A5A3B10\", not a UUID in lower case"},
    {MANIFEST_FOLDER, "{\"bundleRunId\":\"" FAKE_RUN_ID "\",\"operatorId\":\"\",\"artefacts\":[]}",
     "\"operatorId\" is empty"},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[]}", "\"artefacts\" has 0 entries, not 1 to 1000"},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[" A "," A "]}", "two artefacts have the id \"x\""},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[" A "],\"metadata\":[]}", NULL},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[" A "],\"metadata\":{\"signing\":{}}}",
     "\"metadata\" has a field \"signing\": the signer writes that one"},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[" A "],\"metadata\":{\"n\":1.5}}",
     "metadata: \"n\": a number with a fraction or exponent cannot be signed: write it as a "
     "string"},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[" A "],\"extra\":1}", NULL},
    {MANIFEST_FOLDER, "{" RUN ",\"artefacts\":[{\"id\":\"x\"}]}", NULL},
    {MANIFEST_FOLDER,
     "{" RUN ",\"artefacts\":[{\"id\":\"x\",\"type\":\"t\",\"path\":\"../x\",\"storageKey\":\"k\","
     "\"renderVersion\":\"1\"}]}",
     "artefacts[0]: \"path\" is \"../x\": it must be relative and stay inside the folder"},
    {MANIFEST_FOLDER,
     "{" RUN ",\"artefacts\":[{\"id\":\"x\",\"type\":\"t\",\"path\":\"/x\",\"storageKey\":\"k\","
     "\"renderVersion\":\"1\"}]}",
     "artefacts[0]: \"path\" is \"/x\": it must be relative and stay inside the folder"},
    {MANIFEST_FOLDER,
     "{" RUN ",\"artefacts\":[{\"id\":\"x\",\"type\":\"t\",\"path\":\"a/./x\",\"storageKey\":\"k\","
     "\"renderVersion\":\"1\"}]}",
     "artefacts[0]: \"path\" is \"a/./x\": it must be relative and stay inside the folder"},
    {MANIFEST_FOLDER,
     "{" RUN ",\"artefacts\":[{\"id\":\"x\",\"type\":\"t\",\"path\":\"a/\",\"storageKey\":\"k\","
     "\"renderVersion\":\"1\"}]}",
     "artefacts[0]: \"path\" is \"a/\": it must be relative and stay inside the folder"},
    {MANIFEST_REQUEST, "{" RUN ",\"artefacts\":[" A "]}", NULL},
    {MANIFEST_REQUEST,
     "{" RUN ",\"artefacts\":[{\"id\":\"x\",\"type\":\"t\",\"checksum\":\"sha256:XY\","
     "\"storageKey\":\"k\",\"renderVersion\":\"1\"}]}",
     "artefacts[0]: \"checksum\" is \"sha256:XY\", not \"sha256:\" and 64 hex digits in lower "
     "case"},
};

static void test_manifest__refuses_bad_bundles_and_says_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct manifest_bundle bundle;
        struct errc_why why = {0};
        enum errc code = manifest_bundle_parse(slice_of(bad[i].text), bad[i].source, &bundle, &why);
        if (errc_class(code) != ERRC_CLASS_INVALID)
            fail_msg("%s: code %d", bad[i].text, (int)code);
        assert_true(why.text[0] != '\0');
        if (bad[i].why != NULL)
            assert_string_equal(why.text, bad[i].why);
        assert_null(bundle.document);
    }
}

static void test_manifest__a_given_checksum_must_match(void **state)
{
    (void)state;
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    uint8_t hash[32] = {0};
    struct errc_why why = {0};
    assert_int_equal(fake_bundle(&bundle), ERRC_OK);
    assert_int_equal(manifest_set_checksum(&bundle, 0, hash, &why), ERRC_SCHEMA);
    assert_non_null(strstr(why.text, "artefacts[0]: \"checksum\" is sha256:0101"));
    memset(hash, 1, sizeof hash);
    assert_int_equal(manifest_set_checksum(&bundle, 0, hash, &why), ERRC_OK);
}

static struct manifest_terms terms_of(const json_t *keys, const char *mode)
{
    bool vault = strcmp(mode, "vault") == 0;
    int64_t created = 0;
    assert_true(stamp_parse(SLICE_LITERAL("2026-11-23T18:11:46.081Z"), &created));
    return (struct manifest_terms){
        .id = "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
        .created_wall_ns = created,
        .signing_key_id = vault ? "docugen-manifest:v3" : "fallback",
        .mode = vault ? MANIFEST_VAULT : MANIFEST_FALLBACK,
        .key_fingerprint =
            json_string_value(json_object_get(json_object_get(keys, mode), "fingerprint")),
        .reason = vault ? NULL : "sealed",
    };
}

/* Our text is byte for byte the other implementation's, and so is what we would sign. */
static void check_vector(const json_t *keys, const json_t *vector)
{
    const char *mode = json_string_value(json_object_get(vector, "mode"));
    struct manifest_terms terms = terms_of(keys, mode);
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct buf text CLEANUP(buf_done), body CLEANUP(buf_done), pae CLEANUP(buf_done);
    char hash[MANIFEST_CHECKSUM_BYTES], hex[DIGEST_HEX_BYTES];
    char *document = json_dumps(json_object_get(vector, "bundle"), 0);
    buf_init(&text, LIMIT_MANIFEST_BYTES);
    buf_init(&body, LIMIT_MANIFEST_BYTES);
    buf_init(&pae, LIMIT_MANIFEST_BYTES);
    assert_int_equal(manifest_bundle_parse(slice_of(document), MANIFEST_REQUEST, &bundle, NULL),
                     ERRC_OK);
    free(document);
    assert_int_equal(manifest_inputs_hash(&bundle, hash, NULL), ERRC_OK);
    assert_string_equal(hash, json_string_value(json_object_get(vector, "inputsHash")));
    assert_int_equal(manifest_format(&bundle, &terms, NULL, &body, NULL), ERRC_OK);
    canonical_pae(SLICE_LITERAL(MANIFEST_TYPE), buf_slice(&body), &pae);
    digest_sha256_hex(buf_slice(&pae), hex);
    assert_string_equal(hex, json_string_value(json_object_get(vector, "inputSha256")));
    const char *signature = json_string_value(json_object_get(vector, "signature"));
    assert_int_equal(manifest_format(&bundle, &terms, signature, &text, NULL), ERRC_OK);
    assert_string_equal(buf_text(&text), json_string_value(json_object_get(vector, "manifest")));
    struct manifest manifest CLEANUP(manifest_done) = {0};
    assert_int_equal(manifest_parse(buf_slice(&text), &manifest, NULL), ERRC_OK);
    assert_true(slice_equal(buf_slice(&manifest.pae), buf_slice(&pae)));
    assert_int_equal(manifest.mode, terms.mode);
}

static void test_manifest__agrees_with_another_implementation(void **state)
{
    (void)state;
    json_t *document CLEANUP(jsonread_done) = NULL;
    char *text = fake_fixture("vectors/manifest.json");
    assert_int_equal(jsonread_parse(slice_of(text), &document, NULL), ERRC_OK);
    free(text);
    const json_t *list = json_object_get(document, "vectors");
    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_vector(json_object_get(document, "keys"), json_array_get(list, i));
}

static void make_manifest(struct buf *out)
{
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    const struct manifest_terms terms = {.id = "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
                                         .signing_key_id = "fallback",
                                         .mode = MANIFEST_FALLBACK,
                                         .key_fingerprint = "sha256:00",
                                         .reason = "sealed"};
    assert_int_equal(fake_bundle(&bundle), ERRC_OK);
    assert_int_equal(manifest_format(&bundle, &terms, "ed25519:YQ==", out, NULL), ERRC_OK);
}

/* Replaces `from` by `to` in a good manifest. */
static enum errc parse_changed(const char *from, const char *to, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done), changed CLEANUP(buf_done);
    struct manifest manifest CLEANUP(manifest_done) = {0};
    buf_init(&text, 100000);
    buf_init(&changed, 100000);
    make_manifest(&text);
    const char *at = strstr(buf_text(&text), from);
    assert_non_null(at);
    buf_add(&changed, text.ptr, (size_t)(at - text.ptr));
    buf_add_text(&changed, to);
    buf_add_text(&changed, at + strlen(from));
    return manifest_parse(buf_slice(&changed), &manifest, why);
}

static void test_manifest__reads_back_only_what_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        enum errc code;
    } changes[] = {
        {"\"sealed\"", "\"sealed\"", ERRC_OK},
        {"\"operatorId\":\"op\"", "\"operatorId\":\"oq\"", ERRC_CRYPTO},
        {"\"a\":2", "\"a\":3", ERRC_CRYPTO},
        {"sha256:0101", "sha256:0201", ERRC_CRYPTO},
        {"\"fallback\",\"reason\"", "\"vault\",\"reason\"", ERRC_SCHEMA},
        {"\"reason\":\"sealed\"", "\"reason\":null", ERRC_SCHEMA},
        {"\"mode\":\"fallback\"", "\"mode\":\"both\"", ERRC_SCHEMA},
        {"\"signature\":\"ed25519:YQ==\",", "", ERRC_SCHEMA},
        {"\"operatorId\"", "\"more\":1,\"operatorId\"", ERRC_SCHEMA},
        {"1970-01-01T", "1970-01-01 ", ERRC_SCHEMA},
        {"6d1f5f0e", "6D1f5f0e", ERRC_SCHEMA},
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct errc_why why = {0};
        enum errc code = parse_changed(changes[i].from, changes[i].to, &why);
        if (code != changes[i].code)
            fail_msg("%s -> %s: %d (%s)", changes[i].from, changes[i].to, (int)code, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest__refuses_bad_bundles_and_says_where),
        cmocka_unit_test(test_manifest__a_given_checksum_must_match),
        cmocka_unit_test(test_manifest__agrees_with_another_implementation),
        cmocka_unit_test(test_manifest__reads_back_only_what_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
