#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "signer/shell/keyport_openssl.h"
#include "tests/signer/fake.h"

/* fixtures/vectors/manifest.json: keys and signatures made by another implementation. */
static json_t *vectors(void)
{
    json_t *document = NULL;
    char *text = fake_fixture("vectors/manifest.json");
    assert_int_equal(jsonread_parse(slice_of(text), &document, NULL), ERRC_OK);
    free(text);
    return document;
}

static const char *text_at(const json_t *object, const char *a, const char *b)
{
    return json_string_value(json_object_get(json_object_get(object, a), b));
}

static struct keyport_public read_key(const json_t *keys, const char *name)
{
    struct keyport port = keyport_openssl();
    struct keyport_public key;
    assert_int_equal(port.read_pem(NULL, slice_of(text_at(keys, name, "publicKey")), &key, NULL),
                     ERRC_OK);
    return key;
}

static void test_keyport__fingerprints_are_those_of_the_spki(void **state)
{
    (void)state;
    json_t *document CLEANUP(jsonread_done) = vectors();
    const json_t *keys = json_object_get(document, "keys");
    static const struct {
        const char *name;
        enum keyport_kind kind;
    } cases[] = {{"vault", KEYPORT_ECDSA_P256}, {"fallback", KEYPORT_ED25519}};
    for (size_t i = 0; i < 2; i++) {
        struct keyport_public key = read_key(keys, cases[i].name);
        struct buf pem CLEANUP(buf_done);
        buf_init(&pem, 1000);
        assert_int_equal(key.kind, cases[i].kind);
        assert_string_equal(key.fingerprint, text_at(keys, cases[i].name, "fingerprint"));
        keyport_format_pem(&key, &pem);
        assert_string_equal(buf_text(&pem), text_at(keys, cases[i].name, "publicKey"));
    }
}

static void seed_of(const json_t *document, struct buf *seed)
{
    const char *text = text_at(document, "keys", "seed");
    assert_int_equal(base64_parse(slice_of(text), BASE64_STANDARD, seed, NULL), ERRC_OK);
}

static void test_keyport__a_seed_gives_the_vectors_key_and_signature(void **state)
{
    (void)state;
    json_t *document CLEANUP(jsonread_done) = vectors();
    struct keyport port = keyport_openssl();
    struct keyport_public key;
    struct buf seed CLEANUP(buf_done), text CLEANUP(buf_done);
    uint8_t signature[KEYPORT_ED25519_BYTES];
    buf_init(&seed, 64);
    buf_init(&text, 200);
    seed_of(document, &seed);
    assert_int_equal(port.seed_public(NULL, buf_slice(&seed), &key, NULL), ERRC_OK);
    assert_string_equal(key.fingerprint,
                        text_at(json_object_get(document, "keys"), "fallback", "fingerprint"));
    assert_int_equal(
        port.seed_sign(NULL, buf_slice(&seed), SLICE_LITERAL("message"), signature, NULL), ERRC_OK);
    assert_int_equal(port.verify(NULL, &key, SLICE_LITERAL("message"),
                                 slice_bytes(signature, sizeof signature), NULL),
                     ERRC_OK);
    signature[10] ^= 1;
    assert_int_equal(port.verify(NULL, &key, SLICE_LITERAL("message"),
                                 slice_bytes(signature, sizeof signature), NULL),
                     ERRC_CRYPTO);
    assert_int_equal(port.seed_public(NULL, SLICE_LITERAL("short"), &key, NULL), ERRC_CRYPTO);
}

/* The signed manifest of each vector verifies under its key; no changed byte does, nor another
 * key. */
static void check_vector(const json_t *keys, const json_t *vector)
{
    struct keyport port = keyport_openssl();
    const char *mode = json_string_value(json_object_get(vector, "mode"));
    const char *text = json_string_value(json_object_get(vector, "manifest"));
    struct keyport_public key = read_key(keys, mode);
    struct keyport_public other = read_key(keys, strcmp(mode, "vault") == 0 ? "fallback" : "vault");
    struct manifest manifest CLEANUP(manifest_done) = {0};
    struct buf raw CLEANUP(buf_done);
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = -1;
    buf_init(&raw, 200);
    assert_int_equal(manifest_parse(slice_of(text), &manifest, NULL), ERRC_OK);
    assert_int_equal(
        keyport_parse_signature(slice_of(manifest.signature), &kind, &version, &raw, NULL),
        ERRC_OK);
    assert_int_equal(kind, key.kind);
    assert_int_equal(version, kind == KEYPORT_ED25519 ? 0 : 3);
    assert_int_equal(port.verify(NULL, &key, buf_slice(&manifest.pae), buf_slice(&raw), NULL),
                     ERRC_OK);
    assert_int_equal(port.verify(NULL, &other, buf_slice(&manifest.pae), buf_slice(&raw), NULL),
                     ERRC_CRYPTO);
    manifest.pae.ptr[manifest.pae.len / 2] ^= 1;
    assert_int_equal(port.verify(NULL, &key, buf_slice(&manifest.pae), buf_slice(&raw), NULL),
                     ERRC_CRYPTO);
    assert_int_equal(port.verify(NULL, &key, buf_slice(&manifest.pae), SLICE_LITERAL(""), NULL),
                     ERRC_CRYPTO);
}

static void test_keyport__vectors_verify_and_nothing_near_them(void **state)
{
    (void)state;
    json_t *document CLEANUP(jsonread_done) = vectors();
    const json_t *list = json_object_get(document, "vectors");
    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_vector(json_object_get(document, "keys"), json_array_get(list, i));
}

static void test_keyport__refuses_other_keys(void **state)
{
    (void)state;
    struct keyport port = keyport_openssl();
    struct keyport_public key;
    /* P-384: a real key of a kind that we do not use. */
    static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEUIHK2WtoQAkiudE7HBN2+8IuJuwGAkeN\n"
                               "CqolFS0qiDPudVcbGMv8kO+W68lIrrNZeSnwErFIT2c4mfHXn9DBy/rrQwvJobQl\n"
                               "aPxhpGuCGbb1bNP4y9iPTfwTy+w9laAr\n"
                               "-----END PUBLIC KEY-----\n";
    assert_int_equal(port.read_pem(NULL, slice_of(p384), &key, NULL), ERRC_SCHEMA);
    assert_int_equal(port.read_pem(NULL, SLICE_LITERAL(""), &key, NULL), ERRC_SYNTAX);
    assert_int_equal(port.read_pem(NULL, SLICE_LITERAL("-----BEGIN PUBLIC KEY-----"), &key, NULL),
                     ERRC_SYNTAX);
    assert_int_equal(keyport_from_spki(SLICE_LITERAL("0Y0"), &key, NULL), ERRC_SCHEMA);
}

static void test_keyport__signature_texts_round_trip(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done), raw CLEANUP(buf_done);
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = 0;
    buf_init(&text, 100);
    buf_init(&raw, 100);
    keyport_format_signature(KEYPORT_ECDSA_P256, 12, SLICE_LITERAL("ab"), &text);
    assert_string_equal(buf_text(&text), "vault:v12:YWI=");
    assert_int_equal(keyport_parse_signature(buf_slice(&text), &kind, &version, &raw, NULL),
                     ERRC_OK);
    assert_int_equal(kind, KEYPORT_ECDSA_P256);
    assert_int_equal(version, 12);
    assert_string_equal(buf_text(&raw), "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyport__fingerprints_are_those_of_the_spki),
        cmocka_unit_test(test_keyport__a_seed_gives_the_vectors_key_and_signature),
        cmocka_unit_test(test_keyport__vectors_verify_and_nothing_near_them),
        cmocka_unit_test(test_keyport__refuses_other_keys),
        cmocka_unit_test(test_keyport__signature_texts_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
