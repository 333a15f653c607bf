#include "tests/fakevault/cmocka_first.h"

#include <jansson.h>

#include <string.h>

#include "base/count.h"
#include "base/text/hex.h"
#include "fakevault/core/transit/keyring/keyring.h"
#include "fakevault/shell/ports/crypto_openssl.h"

static struct secret_arena *arena;
static const struct crypto *port;

static const struct {
    const char *name;
    enum crypto_hash hash;
} hashes[] = {{"sha1", CRYPTO_HASH_SHA1},
              {"sha256", CRYPTO_HASH_SHA2_256},
              {"sha384", CRYPTO_HASH_SHA2_384},
              {"sha3-256", CRYPTO_HASH_SHA3_256}};

static struct buf from_hex(const char *text)
{
    struct buf bytes;
    buf_init(&bytes, 1000);
    assert_int_equal(hex_parse(slice_of(text), &bytes), ERRC_OK);
    return bytes;
}

static enum crypto_verdict verify(const struct crypto_key_ops *ops, const struct crypto_key *key,
                                  enum crypto_hash hash, enum crypto_marshal marshal,
                                  struct slice input, struct slice signature)
{
    enum crypto_verdict verdict = CRYPTO_MALFORMED;
    const struct crypto_scheme scheme = {.hash = hash, .marshal = marshal};
    assert_int_equal(ops->verify(key, &scheme, input, signature, &verdict, NULL), ERRC_OK);
    return verdict;
}

/* The key of the vectors, and its text as OpenSSL wrote it. */
static struct crypto_key *load_vector_key(const json_t *vectors)
{
    struct crypto_key *key = NULL;
    struct buf public CLEANUP(buf_done), pem CLEANUP(buf_done);
    struct buf private CLEANUP(buf_done) =
        from_hex(json_string_value(json_object_get(vectors, "private")));
    const struct crypto_key_ops *ops = port->keys[CRYPTO_ECDSA_P256];
    buf_init(&public, 1000);
    buf_init(&pem, 1000);
    assert_int_equal(ops->load(port->context, buf_slice(&private), &key, NULL), ERRC_OK);
    assert_int_equal(ops->public_half(key, &public, NULL), ERRC_OK);
    struct keyring_version version = {.public = public};
    keyring_version_public_text(&version, &pem);
    assert_string_equal(buf_text(&pem), json_string_value(json_object_get(vectors, "public")));
    return key;
}

static void test_crypto__verifies_what_openssl_signed(void **state)
{
    (void)state;
    const struct crypto_key_ops *ops = port->keys[CRYPTO_ECDSA_P256];
    json_t *vectors = json_load_file(FIXTURES "/vectors/ecdsa_p256.json", 0, NULL);
    struct crypto_key *key = load_vector_key(vectors);
    struct slice message = slice_of(json_string_value(json_object_get(vectors, "message")));
    for (size_t i = 0; i < COUNT(hashes); i++) {
        struct buf signature CLEANUP(buf_done) = from_hex(json_string_value(
            json_object_get(json_object_get(vectors, "signatures"), hashes[i].name)));
        struct slice s = buf_slice(&signature);
        assert_int_equal(verify(ops, key, hashes[i].hash, CRYPTO_MARSHAL_ASN1, message, s),
                         CRYPTO_VALID);
        assert_int_equal(verify(ops, key, CRYPTO_HASH_SHA2_512, CRYPTO_MARSHAL_ASN1, message, s),
                         CRYPTO_WRONG);
        assert_int_equal(
            verify(ops, key, hashes[i].hash, CRYPTO_MARSHAL_ASN1, SLICE_LITERAL("hello worle"), s),
            CRYPTO_WRONG);
    }
    ops->unload(key);
    json_decref(vectors);
}

struct pair {
    const struct crypto_key_ops *ops;
    struct secret private;
    struct crypto_key *key;
};

static struct pair make_pair(enum crypto_key_type type)
{
    struct pair p = {.ops = port->keys[type]};
    assert_int_equal(p.ops->generate(port->context, arena, 0, &p.private, NULL), ERRC_OK);
    assert_int_equal(p.ops->load(port->context, secret_slice(&p.private), &p.key, NULL), ERRC_OK);
    return p;
}

static void pair_done(struct pair *p)
{
    p->ops->unload(p->key);
    secret_done(&p->private);
}

static void test_crypto__a_signature_verifies_until_a_bit_changes(void **state)
{
    (void)state;
    struct slice input = SLICE_LITERAL("message");
    for (unsigned type = CRYPTO_ED25519; type <= CRYPTO_ECDSA_P521; type++)
        for (int marshal = CRYPTO_MARSHAL_ASN1; marshal <= CRYPTO_MARSHAL_JWS; marshal++) {
            struct pair p CLEANUP(pair_done) = make_pair((enum crypto_key_type)type);
            struct pair other CLEANUP(pair_done) = make_pair((enum crypto_key_type)type);
            struct buf s CLEANUP(buf_done);
            enum crypto_marshal m = (enum crypto_marshal)marshal;
            const struct crypto_scheme scheme = {.hash = CRYPTO_HASH_SHA2_256, .marshal = m};
            buf_init(&s, 200);
            assert_int_equal(p.ops->sign(p.key, &scheme, input, &s, NULL), ERRC_OK);
            struct slice text = buf_slice(&s);
            assert_int_equal(verify(p.ops, p.key, CRYPTO_HASH_SHA2_256, m, input, text),
                             CRYPTO_VALID);
            assert_int_equal(verify(p.ops, other.key, CRYPTO_HASH_SHA2_256, m, input, text),
                             CRYPTO_WRONG);
            for (size_t bit = 0; bit < 8 * s.len; bit++) {
                s.ptr[bit / 8] ^= (char)(1 << bit % 8);
                assert_int_not_equal(verify(p.ops, p.key, CRYPTO_HASH_SHA2_256, m, input, text),
                                     CRYPTO_VALID);
                s.ptr[bit / 8] ^= (char)(1 << bit % 8);
            }
        }
}

static void test_crypto__tells_malformed_from_wrong(void **state)
{
    (void)state;
    struct pair p CLEANUP(pair_done) = make_pair(CRYPTO_ECDSA_P256);
    struct buf s CLEANUP(buf_done);
    struct slice input = SLICE_LITERAL("message");
    enum crypto_hash h = CRYPTO_HASH_SHA2_256;
    buf_init(&s, 100);
    const struct crypto_scheme scheme = {.hash = h};
    assert_int_equal(p.ops->sign(p.key, &scheme, input, &s, NULL), ERRC_OK);
    buf_add_char(&s, 0);
    assert_int_equal(verify(p.ops, p.key, h, CRYPTO_MARSHAL_ASN1, input, buf_slice(&s)),
                     CRYPTO_TRAILING);
    assert_int_equal(verify(p.ops, p.key, h, CRYPTO_MARSHAL_ASN1, input, SLICE_LITERAL("x")),
                     CRYPTO_MALFORMED);
    assert_int_equal(verify(p.ops, p.key, h, CRYPTO_MARSHAL_ASN1, input, (struct slice){0}),
                     CRYPTO_MALFORMED);
    assert_int_equal(verify(p.ops, p.key, h, CRYPTO_MARSHAL_JWS, input, SLICE_LITERAL("x")),
                     CRYPTO_WRONG);
}

static void test_crypto__a_hash_can_be_signed_instead_of_the_message(void **state)
{
    (void)state;
    struct pair p CLEANUP(pair_done) = make_pair(CRYPTO_ECDSA_P256);
    struct buf s CLEANUP(buf_done),
        hash CLEANUP(buf_done) =
            from_hex("b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    buf_init(&s, 100);
    const struct crypto_scheme scheme = {.hash = CRYPTO_HASH_SHA2_256, .prehashed = true};
    assert_int_equal(p.ops->sign(p.key, &scheme, buf_slice(&hash), &s, NULL), ERRC_OK);
    assert_int_equal(verify(p.ops, p.key, CRYPTO_HASH_SHA2_256, CRYPTO_MARSHAL_ASN1,
                            SLICE_LITERAL("hello world"), buf_slice(&s)),
                     CRYPTO_VALID);
}

static void test_crypto__refuses_a_key_of_the_wrong_size(void **state)
{
    (void)state;
    for (unsigned type = CRYPTO_ED25519; type <= CRYPTO_ECDSA_P521; type++) {
        struct crypto_key *key = NULL;
        struct errc_why why = {{0}};
        assert_int_equal(port->keys[type]->load(port->context, SLICE_LITERAL("short"), &key, &why),
                         ERRC_CRYPTO);
        assert_null(key);
        assert_non_null(strstr(why.text, "not 5"));
    }
}

static const uint8_t nonce[CRYPTO_AEAD_NONCE_BYTES] = {1, 2, 3};
#define KEY SLICE_LITERAL("0123456789abcdef0123456789abcdef")

static enum errc open_sealed(struct slice key, const char *aad, struct slice sealed)
{
    uint8_t plain[10] = "";
    enum errc code = port->aead_open(port->context, CRYPTO_AES256_GCM96, key, nonce, slice_of(aad),
                                     sealed, plain, NULL);
    if (code == ERRC_OK)
        assert_memory_equal(plain, "plain text", 10);
    return code;
}

static void test_crypto__aead_opens_only_what_it_sealed(void **state)
{
    (void)state;
    struct buf sealed CLEANUP(buf_done);
    size_t before = secret_arena_used(arena);
    buf_init(&sealed, 100);
    assert_int_equal(port->aead_seal(port->context, CRYPTO_AES256_GCM96, KEY, nonce,
                                     SLICE_LITERAL("name"), SLICE_LITERAL("plain text"), &sealed,
                                     NULL),
                     ERRC_OK);
    assert_int_equal(sealed.len, 10 + CRYPTO_AEAD_TAG_BYTES);
    assert_int_equal(open_sealed(KEY, "name", buf_slice(&sealed)), ERRC_OK);
    assert_int_equal(open_sealed(KEY, "other", buf_slice(&sealed)), ERRC_CRYPTO);
    assert_int_equal(
        open_sealed(SLICE_LITERAL("0123456789abcdef0123456789abcdeF"), "name", buf_slice(&sealed)),
        ERRC_CRYPTO);
    assert_int_equal(open_sealed(KEY, "name", (struct slice){sealed.ptr, 5}), ERRC_CRYPTO);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.ptr[i] ^= 1;
        assert_int_equal(open_sealed(KEY, "name", buf_slice(&sealed)), ERRC_CRYPTO);
        sealed.ptr[i] ^= 1;
    }
    assert_int_equal(secret_arena_used(arena), before);
}

int main(void)
{
    port = crypto_openssl();
    if (secret_arena_new(1 << 16, &arena, NULL, NULL) != ERRC_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crypto__verifies_what_openssl_signed),
        cmocka_unit_test(test_crypto__a_signature_verifies_until_a_bit_changes),
        cmocka_unit_test(test_crypto__tells_malformed_from_wrong),
        cmocka_unit_test(test_crypto__a_hash_can_be_signed_instead_of_the_message),
        cmocka_unit_test(test_crypto__refuses_a_key_of_the_wrong_size),
        cmocka_unit_test(test_crypto__aead_opens_only_what_it_sealed),
    };
    int failed = cmocka_run_group_tests_name("crypto_openssl", tests, NULL, NULL);
    secret_arena_free(arena);
    return failed;
}
