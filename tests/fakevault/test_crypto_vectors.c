/* Every algorithm of the live crypto port against known answers (fixtures/vectors/crypto.json). */
#include "base/count.h"
#include "tests/fakevault/cmocka_first.h"

#include <jansson.h>

#include <string.h>

#include "base/text/hex.h"
#include "fakevault/core/transit/keyring/keyring.h"
#include "fakevault/shell/ports/crypto_openssl.h"

#define BYTES_MAX 4096u

static struct secret_arena *arena;
static const struct crypto *port;
static json_t *vectors;

static const struct {
    const char *name;
    enum crypto_hash hash;
} hashes[] = {
    {"sha1", CRYPTO_HASH_SHA1},         {"sha2-224", CRYPTO_HASH_SHA2_224},
    {"sha2-256", CRYPTO_HASH_SHA2_256}, {"sha2-384", CRYPTO_HASH_SHA2_384},
    {"sha2-512", CRYPTO_HASH_SHA2_512}, {"sha3-224", CRYPTO_HASH_SHA3_224},
    {"sha3-256", CRYPTO_HASH_SHA3_256}, {"sha3-384", CRYPTO_HASH_SHA3_384},
    {"sha3-512", CRYPTO_HASH_SHA3_512},
};

static enum crypto_hash hash_of(const json_t *vector)
{
    const char *name = json_string_value(json_object_get(vector, "hash"));
    for (size_t i = 0; i < COUNT(hashes); i++)
        if (strcmp(hashes[i].name, name) == 0)
            return hashes[i].hash;
    fail_msg("hash %s", name);
    return CRYPTO_HASH_NONE;
}

static struct buf bytes(const json_t *vector, const char *name)
{
    struct buf out;
    const char *text = json_string_value(json_object_get(vector, name));
    buf_init(&out, BYTES_MAX);
    assert_non_null(text);
    assert_int_equal(hex_parse(slice_of(text), &out), ERRC_OK);
    return out;
}

static void expect(const json_t *vector, const char *name, const void *got, size_t len)
{
    struct buf want CLEANUP(buf_done) = bytes(vector, name);
    assert_int_equal(len, want.len);
    assert_memory_equal(got, want.ptr, len);
}

static void test_crypto_vectors__aead(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(vectors, "aead"), i, v)
    {
        struct buf key CLEANUP(buf_done) = bytes(v, "key"),
                       nonce CLEANUP(buf_done) = bytes(v, "nonce"),
                       aad CLEANUP(buf_done) = bytes(v, "aad"),
                       plain CLEANUP(buf_done) = bytes(v, "plain"), sealed CLEANUP(buf_done);
        struct slice type = slice_of(json_string_value(json_object_get(v, "cipher")));
        enum crypto_key_type cipher = keyring_traits_named(type)->crypto;
        uint8_t opened[BYTES_MAX];
        buf_init(&sealed, BYTES_MAX);
        assert_int_equal(port->aead_seal(port->context, cipher, buf_slice(&key),
                                         (uint8_t *)nonce.ptr, buf_slice(&aad), buf_slice(&plain),
                                         &sealed, NULL),
                         ERRC_OK);
        expect(v, "sealed", sealed.ptr, sealed.len);
        assert_int_equal(port->aead_open(port->context, cipher, buf_slice(&key),
                                         (uint8_t *)nonce.ptr, buf_slice(&aad), buf_slice(&sealed),
                                         opened, NULL),
                         ERRC_OK);
        assert_memory_equal(opened, plain.ptr, plain.len);
        aad.ptr[0] ^= 1;
        assert_int_equal(port->aead_open(port->context, cipher, buf_slice(&key),
                                         (uint8_t *)nonce.ptr, buf_slice(&aad), buf_slice(&sealed),
                                         opened, NULL),
                         ERRC_CRYPTO);
    }
}

static void test_crypto_vectors__hash(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hashes); i++) {
        uint8_t out[CRYPTO_HASH_BYTES_MAX];
        size_t len = 0;
        assert_int_equal(
            port->hash(port->context, hashes[i].hash, SLICE_LITERAL("abc"), out, &len, NULL),
            ERRC_OK);
        expect(json_object_get(vectors, "hash"), hashes[i].name, out, len);
    }
}

static void test_crypto_vectors__hmac(void **state)
{
    (void)state;
    size_t at;
    json_t *v;
    unsigned checked = 0;
    json_array_foreach(json_object_get(vectors, "hmac"), at, v)
    {
        struct buf key CLEANUP(buf_done) = bytes(v, "key"),
                       input CLEANUP(buf_done) = bytes(v, "input");
        for (size_t i = 0; i < COUNT(hashes); i++) {
            uint8_t out[CRYPTO_HASH_BYTES_MAX];
            size_t len = 0;
            if (json_object_get(v, hashes[i].name) == NULL)
                continue;
            assert_int_equal(port->hmac(port->context, hashes[i].hash, buf_slice(&key),
                                        buf_slice(&input), out, &len, NULL),
                             ERRC_OK);
            expect(v, hashes[i].name, out, len);
            checked++;
        }
    }
    assert_int_equal(checked, 2 * 4 + 5);
}

static void test_crypto_vectors__nothing_is_hashed_without_a_hash(void **state)
{
    (void)state;
    uint8_t out[CRYPTO_HASH_BYTES_MAX];
    size_t len = 0;
    struct slice text = SLICE_LITERAL("abc");
    assert_int_equal(port->hash(port->context, CRYPTO_HASH_NONE, text, out, &len, NULL),
                     ERRC_CRYPTO);
    assert_int_equal(port->hmac(port->context, CRYPTO_HASH_NONE, text, text, out, &len, NULL),
                     ERRC_CRYPTO);
}

static void test_crypto_vectors__hkdf(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(vectors, "hkdf"), i, v)
    {
        struct buf key CLEANUP(buf_done) = bytes(v, "key"),
                       salt CLEANUP(buf_done) = bytes(v, "salt"),
                       info CLEANUP(buf_done) = bytes(v, "info"),
                       want CLEANUP(buf_done) = bytes(v, "out");
        uint8_t out[BYTES_MAX];
        assert_int_equal(port->hkdf(port->context, buf_slice(&key), buf_slice(&salt),
                                    buf_slice(&info), out, want.len, NULL),
                         ERRC_OK);
        assert_memory_equal(out, want.ptr, want.len);
    }
}

static enum crypto_verdict verdict_of(const struct crypto_key_ops *ops,
                                      const struct crypto_key *key,
                                      const struct crypto_scheme *scheme, struct slice input,
                                      struct slice signature)
{
    enum crypto_verdict verdict = CRYPTO_MALFORMED;
    assert_int_equal(ops->verify(key, scheme, input, signature, &verdict, NULL), ERRC_OK);
    return verdict;
}

static void test_crypto_vectors__ed25519(void **state)
{
    (void)state;
    const struct crypto_key_ops *ops = port->keys[CRYPTO_ED25519];
    const struct crypto_scheme scheme = {.hash = CRYPTO_HASH_SHA2_256};
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(vectors, "ed25519"), i, v)
    {
        struct buf seed CLEANUP(buf_done) = bytes(v, "seed"),
                        input CLEANUP(buf_done) = bytes(v, "input"), public CLEANUP(buf_done),
                        signature CLEANUP(buf_done);
        struct secret private CLEANUP(secret_done) = {0};
        struct crypto_key *key = NULL, *half = NULL;
        buf_init(&public, BYTES_MAX);
        buf_init(&signature, BYTES_MAX);
        assert_int_equal(
            port->ed25519_expand(port->context, buf_slice(&seed), arena, &private, NULL), ERRC_OK);
        assert_int_equal(ops->load(port->context, secret_slice(&private), &key, NULL), ERRC_OK);
        assert_int_equal(ops->public_half(key, &public, NULL), ERRC_OK);
        expect(v, "public", public.ptr, public.len);
        assert_int_equal(ops->sign(key, &scheme, buf_slice(&input), &signature, NULL), ERRC_OK);
        expect(v, "signature", signature.ptr, signature.len);
        assert_int_equal(ops->load_public(port->context, buf_slice(&public), &half, NULL), ERRC_OK);
        assert_int_equal(verdict_of(ops, half, &scheme, buf_slice(&input), buf_slice(&signature)),
                         CRYPTO_VALID);
        assert_int_equal(ops->sign(half, &scheme, buf_slice(&input), &signature, NULL), ERRC_RANGE);
        ops->unload(key);
        ops->unload(half);
    }
}

static void test_crypto_vectors__ecdsa(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(vectors, "ecdsa"), i, v)
    {
        struct slice type = slice_of(json_string_value(json_object_get(v, "type")));
        const struct crypto_key_ops *ops = port->keys[keyring_traits_named(type)->crypto];
        const struct crypto_scheme scheme = {.hash = hash_of(v), .marshal = CRYPTO_MARSHAL_JWS};
        struct buf private CLEANUP(buf_done) = bytes(v, "private"),
                           signature CLEANUP(buf_done) = bytes(v, "r"),
                           s CLEANUP(buf_done) = bytes(v, "s");
        struct crypto_key *key = NULL;
        buf_add_slice(&signature, buf_slice(&s));
        assert_int_equal(ops->load(port->context, buf_slice(&private), &key, NULL), ERRC_OK);
        struct slice r_and_s = buf_slice(&signature);
        assert_int_equal(verdict_of(ops, key, &scheme, SLICE_LITERAL("sample"), r_and_s),
                         CRYPTO_VALID);
        assert_int_equal(verdict_of(ops, key, &scheme, SLICE_LITERAL("sampler"), r_and_s),
                         CRYPTO_WRONG);
        signature.ptr[0] ^= 1;
        assert_int_equal(verdict_of(ops, key, &scheme, SLICE_LITERAL("sample"), r_and_s),
                         CRYPTO_WRONG);
        ops->unload(key);
    }
}

static void test_crypto_vectors__wrap(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(vectors, "wrap"), i, v)
    {
        struct buf key CLEANUP(buf_done) = bytes(v, "key"),
                       plain CLEANUP(buf_done) = bytes(v, "plain"), wrapped CLEANUP(buf_done);
        struct secret out CLEANUP(secret_done) = {0}, none CLEANUP(secret_done) = {0};
        buf_init(&wrapped, BYTES_MAX);
        assert_int_equal(
            port->wrap(port->context, buf_slice(&key), buf_slice(&plain), &wrapped, NULL), ERRC_OK);
        expect(v, "wrapped", wrapped.ptr, wrapped.len);
        assert_int_equal(
            port->unwrap(port->context, buf_slice(&key), buf_slice(&wrapped), arena, &out, NULL),
            ERRC_OK);
        expect(v, "plain", out.ptr, out.len);
        wrapped.ptr[3] ^= 1;
        assert_int_equal(
            port->unwrap(port->context, buf_slice(&key), buf_slice(&wrapped), arena, &none, NULL),
            ERRC_CRYPTO);
    }
}

static struct crypto_key *load_rsa(const struct buf *private)
{
    struct crypto_key *key = NULL;
    const struct crypto_key_ops *ops = port->keys[CRYPTO_RSA_2048];
    assert_int_equal(ops->load(port->context, buf_slice(private), &key, NULL), ERRC_OK);
    return key;
}

/* The signature verifies with the scheme it was made by, with the salt's length known or not. */
static void check_rsa_signature(const struct crypto_key_ops *ops, const struct crypto_key *key,
                                const json_t *v)
{
    struct buf signature CLEANUP(buf_done) = bytes(v, "signature"), made CLEANUP(buf_done);
    bool pss = strcmp(json_string_value(json_object_get(v, "padding")), "pss") == 0;
    struct crypto_scheme scheme = {.hash = hash_of(v),
                                   .padding = pss ? CRYPTO_PADDING_PSS : CRYPTO_PADDING_PKCS1V15};
    struct slice s = buf_slice(&signature), sample = SLICE_LITERAL("sample");
    assert_int_equal(verdict_of(ops, key, &scheme, sample, s), CRYPTO_VALID);
    assert_int_equal(verdict_of(ops, key, &scheme, SLICE_LITERAL("other"), s), CRYPTO_WRONG);
    scheme.salt_length = json_integer_value(json_object_get(v, "salt"));
    assert_int_equal(verdict_of(ops, key, &scheme, sample, s), CRYPTO_VALID);
    buf_init(&made, BYTES_MAX);
    assert_int_equal(ops->sign(key, &scheme, sample, &made, NULL), ERRC_OK);
    assert_int_equal(verdict_of(ops, key, &scheme, sample, buf_slice(&made)), CRYPTO_VALID);
    if (!pss)
        assert_true(slice_equal(buf_slice(&made), s)); /* no salt: always the same */
    scheme.salt_length += pss ? 1 : 0;
    assert_int_equal(verdict_of(ops, key, &scheme, sample, s), pss ? CRYPTO_WRONG : CRYPTO_VALID);
}

static void test_crypto_vectors__rsa(void **state)
{
    (void)state;
    const struct crypto_key_ops *ops = port->keys[CRYPTO_RSA_2048];
    const json_t *rsa = json_object_get(vectors, "rsa");
    struct buf private CLEANUP(buf_done) = bytes(rsa, "private"),
                       sealed CLEANUP(buf_done) = bytes(rsa, "oaep_sha256");
    struct secret plain CLEANUP(secret_done) = {0}, none CLEANUP(secret_done) = {0};
    struct crypto_key *key = load_rsa(&private);
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(rsa, "signatures"), i, v) check_rsa_signature(ops, key, v);
    assert_int_equal(
        ops->decrypt(key, CRYPTO_HASH_SHA2_256, buf_slice(&sealed), arena, &plain, NULL), ERRC_OK);
    assert_true(slice_equal_text(secret_slice(&plain), "sample"));
    assert_int_equal(ops->decrypt(key, CRYPTO_HASH_SHA1, buf_slice(&sealed), arena, &none, NULL),
                     ERRC_CRYPTO);
    ops->unload(key);
}

/* What Go refuses, and its sentences. */
static void test_crypto_vectors__rsa_refuses_with_gos_sentences(void **state)
{
    (void)state;
    const struct crypto_key_ops *ops = port->keys[CRYPTO_RSA_2048];
    struct buf private CLEANUP(buf_done) = bytes(json_object_get(vectors, "rsa"), "private");
    struct crypto_key *key = load_rsa(&private);
    static const struct {
        struct crypto_scheme scheme;
        const char *sentence;
    } refused[] = {
        {{.hash = CRYPTO_HASH_SHA2_256, .salt_length = 999},
         "requested salt length 999 is invalid"},
        {{.hash = CRYPTO_HASH_SHA2_256, .salt_length = 223},
         "requested salt length 223 is invalid"},
        {{.hash = CRYPTO_HASH_SHA2_256, .salt_length = -2}, "requested salt length -2 is invalid"},
        {{.hash = CRYPTO_HASH_SHA2_256, .prehashed = true},
         "crypto/rsa: input must be hashed with given hash"},
        {{.hash = CRYPTO_HASH_SHA2_256, .prehashed = true, .padding = CRYPTO_PADDING_PKCS1V15},
         "crypto/rsa: input must be hashed message"},
        {{.hash = CRYPTO_HASH_SHA3_256, .padding = CRYPTO_PADDING_PKCS1V15},
         "crypto/rsa: unsupported hash function"},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct errc_why why = {{0}};
        struct buf out CLEANUP(buf_done);
        buf_init(&out, BYTES_MAX);
        assert_int_equal(ops->sign(key, &refused[i].scheme, SLICE_LITERAL("x"), &out, &why),
                         ERRC_RANGE);
        assert_string_equal(why.text, refused[i].sentence);
    }
    ops->unload(key);
}

int main(void)
{
    port = crypto_openssl();
    vectors = json_load_file(FIXTURES "/vectors/crypto.json", 0, NULL);
    if (vectors == NULL || secret_arena_new(1 << 16, &arena, NULL, NULL) != ERRC_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crypto_vectors__aead),
        cmocka_unit_test(test_crypto_vectors__hash),
        cmocka_unit_test(test_crypto_vectors__hmac),
        cmocka_unit_test(test_crypto_vectors__nothing_is_hashed_without_a_hash),
        cmocka_unit_test(test_crypto_vectors__hkdf),
        cmocka_unit_test(test_crypto_vectors__ed25519),
        cmocka_unit_test(test_crypto_vectors__ecdsa),
        cmocka_unit_test(test_crypto_vectors__wrap),
        cmocka_unit_test(test_crypto_vectors__rsa),
        cmocka_unit_test(test_crypto_vectors__rsa_refuses_with_gos_sentences),
    };
    int failed = cmocka_run_group_tests_name("crypto_vectors", tests, NULL, NULL);
    json_decref(vectors);
    secret_arena_free(arena);
    return failed;
}
