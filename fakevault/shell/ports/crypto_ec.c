#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/shell/ports/crypto_inner.h"

#define SCALAR_BYTES_MAX 66u                         /* P-521 */
#define POINT_BYTES_MAX (1u + 2u * SCALAR_BYTES_MAX) /* uncompressed */
#define DER_BYTES_MAX 160u                           /* a signature: 139 bytes at most */

struct curve {
    const char *name;  /* as people know it */
    const char *group; /* as OpenSSL knows it */
    int nid;
    size_t bytes; /* of a scalar and of a coordinate */
};

static const struct curve p256 = {"P-256", "prime256v1", NID_X9_62_prime256v1, 32};
static const struct curve p384 = {"P-384", "secp384r1", NID_secp384r1, 48};
static const struct curve p521 = {"P-521", "secp521r1", NID_secp521r1, 66};

static enum errc generate(const struct curve *curve, struct secret_arena *arena,
                          struct secret *private, struct errc_why *why)
{
    BIGNUM *scalar = NULL;
    EVP_PKEY *pkey CLEANUP(crypto_inner_pkey_done) = EVP_EC_gen(curve->name);
    if (pkey == NULL || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1)
        return crypto_inner_failed(why, "cannot make an elliptic curve key");
    enum errc code = secret_new(arena, curve->bytes, private);
    if (code == ERRC_OK)
        CHECK(BN_bn2binpad(scalar, private->ptr, (int)curve->bytes) == (int)curve->bytes);
    BN_clear_free(scalar);
    crypto_inner_wipe_stack();
    return code == ERRC_OK ? ERRC_OK : errc_fail(why, code, "out of memory for secrets");
}

/* The public point; false also for a scalar that is 0 or not below the order. */
static bool public_point(const struct curve *curve, const BIGNUM *scalar,
                         unsigned char out[static POINT_BYTES_MAX])
{
    size_t want = 1 + 2 * curve->bytes;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    bool ok = point != NULL && !BN_is_zero(scalar) &&
              BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0 &&
              EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, POINT_BYTES_MAX,
                                 NULL) == want;
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return ok;
}

static EVP_PKEY *pkey_from(const struct curve *curve, const BIGNUM *scalar)
{
    char group[16] = "";
    unsigned char native[SCALAR_BYTES_MAX], point[POINT_BYTES_MAX];
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) =
        EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    CHECK(strlen(curve->group) < sizeof group);
    memcpy(group, curve->group, strlen(curve->group));
    if (c == NULL || !public_point(curve, scalar, point) ||
        BN_bn2nativepad(scalar, native, (int)curve->bytes) != (int)curve->bytes)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, curve->bytes),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * curve->bytes),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        pkey = NULL;
    OPENSSL_cleanse(native, sizeof native);
    crypto_inner_wipe_stack();
    return pkey;
}

/* Sets up what every operation copies, and gives the key to the caller. */
static enum errc finish_key(const struct curve *curve, struct crypto_key *key, bool private,
                            struct crypto_key **out, struct errc_why *why)
{
    key->bytes = curve->bytes;
    key->has_private = private;
    key->verifying = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool ok = key->verifying != NULL && EVP_PKEY_verify_init(key->verifying) == 1;
    if (ok && private) {
        key->signing = EVP_PKEY_CTX_new(key->pkey, NULL);
        ok = key->signing != NULL && EVP_PKEY_sign_init(key->signing) == 1;
    }
    if (!ok) {
        crypto_inner_key_unload(key);
        return crypto_inner_failed(why, "cannot set up an elliptic curve key");
    }
    *out = key;
    return ERRC_OK;
}

static enum errc load(const struct curve *curve, struct slice private, struct crypto_key **out,
                      struct errc_why *why)
{
    if (private.len != curve->bytes)
        return errc_fail(why, ERRC_CRYPTO, "a %s key has %zu bytes, not %zu", curve->name,
                         curve->bytes, private.len);
    struct crypto_key *key = crypto_inner_key_new();
    BIGNUM *scalar = BN_bin2bn(crypto_inner_octets(private), (int)private.len, NULL);
    if (key == NULL || scalar == NULL) {
        crypto_inner_key_unload(key);
        BN_clear_free(scalar);
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    }
    key->pkey = pkey_from(curve, scalar);
    BN_clear_free(scalar);
    if (key->pkey != NULL)
        return finish_key(curve, key, true, out, why);
    crypto_inner_key_unload(key);
    return crypto_inner_failed(why, "cannot load an elliptic curve key");
}

static bool is_on(const struct curve *curve, const EVP_PKEY *pkey)
{
    char group[64];
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
           strcmp(group, curve->group) == 0;
}

static enum errc load_public(const struct curve *curve, struct slice public,
                             struct crypto_key **out, struct errc_why *why)
{
    struct crypto_key *key = crypto_inner_key_new();
    if (key == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    enum errc code = crypto_inner_load_spki(public, key, why);
    if (code == ERRC_OK && !is_on(curve, key->pkey))
        code = errc_fail(why, ERRC_CRYPTO, "the public key is not on %s", curve->name);
    if (code == ERRC_OK)
        return finish_key(curve, key, false, out, why);
    crypto_inner_key_unload(key);
    return code;
}

/* DER to r and s of fixed width. */
static enum errc der_to_jws(size_t bytes, const unsigned char *der, size_t len, struct buf *out,
                            struct errc_why *why)
{
    unsigned char both[2 * SCALAR_BYTES_MAX];
    int width = (int)bytes;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    if (sig == NULL)
        return crypto_inner_failed(why, "cannot read a signature");
    bool ok = BN_bn2binpad(ECDSA_SIG_get0_r(sig), both, width) == width &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), both + bytes, width) == width;
    ECDSA_SIG_free(sig);
    if (!ok)
        return crypto_inner_failed(why, "cannot write a signature");
    buf_add(out, both, 2 * bytes);
    return buf_status(out, why);
}

static enum errc sign(const struct crypto_key *key, const struct crypto_scheme *scheme,
                      struct slice input, struct buf *out, struct errc_why *why)
{
    struct crypto_hashed h;
    unsigned char der[DER_BYTES_MAX];
    size_t len = sizeof der;
    TRY(crypto_inner_can_sign(key, why));
    TRY(crypto_inner_hash(scheme, input, &h, why));
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) = EVP_PKEY_CTX_dup(key->signing);
    if (c == NULL || EVP_PKEY_sign(c, der, &len, crypto_inner_octets(h.slice), h.slice.len) != 1)
        return crypto_inner_failed(why, "cannot sign");
    if (scheme->marshal == CRYPTO_MARSHAL_JWS)
        return der_to_jws(key->bytes, der, len, out, why);
    buf_add(out, der, len);
    return buf_status(out, why);
}

/* A number of any width; NULL when it is over the curve's, which no valid signature has. */
static BIGNUM *number(struct slice bytes, size_t width)
{
    while (bytes.len > 0 && bytes.ptr[0] == 0)
        bytes = slice_from(bytes, 1);
    return bytes.len > width ? NULL : BN_bin2bn(crypto_inner_octets(bytes), (int)bytes.len, NULL);
}

/* r and s, halves of the signature, to DER; returns its length, 0 when they are too big. */
static size_t jws_to_der(size_t width, struct slice signature,
                         unsigned char der[static DER_BYTES_MAX])
{
    size_t half = signature.len / 2;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = number(slice_bytes(signature.ptr, half), width);
    BIGNUM *s = number(slice_from(signature, half), width);
    unsigned char *to = der;
    int len = 0;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(sig, &to);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

/* Cuts the next value of this tag off *rest; false: there is none. No value here needs more than
 * one byte for its length. */
static bool cut_der(struct slice *rest, unsigned char tag, struct slice *value)
{
    const unsigned char *at = crypto_inner_octets(*rest);
    size_t head = rest->len > 2 && at[1] == 0x81 && at[2] >= 0x80 ? 3 : 2;
    if (rest->len < head || at[0] != tag || (head == 2 && at[1] >= 0x80) ||
        at[head - 1] > rest->len - head)
        return false;
    *value = (struct slice){rest->ptr + head, at[head - 1]};
    *rest = slice_from(*rest, head + value->len);
    return true;
}

static bool is_minimal(struct slice integer)
{
    const unsigned char *at = crypto_inner_octets(integer);
    if (integer.len < 2)
        return integer.len == 1;
    bool sign = (at[1] & 0x80) != 0;
    return !(at[0] == 0 && !sign) && !(at[0] == 0xff && sign);
}

/* What OpenSSL does not read may still be two numbers to Go, when one is negative: no signature
 * that could be right, but one. */
static enum crypto_verdict unread_verdict(struct slice signature)
{
    struct slice rest = signature, numbers, r, s;
    if (!cut_der(&rest, 0x30, &numbers) || !cut_der(&numbers, 0x02, &r) ||
        !cut_der(&numbers, 0x02, &s) || !is_minimal(r) || !is_minimal(s))
        return CRYPTO_MALFORMED;
    return rest.len > 0 ? CRYPTO_TRAILING : CRYPTO_WRONG;
}

/* The signature in DER, or a verdict that settles it. */
static enum crypto_verdict read_signature(size_t width, enum crypto_marshal marshal,
                                          struct slice signature,
                                          unsigned char converted[static DER_BYTES_MAX],
                                          struct slice *der)
{
    if (marshal == CRYPTO_MARSHAL_JWS) {
        *der = slice_bytes(converted, jws_to_der(width, signature, converted));
        return der->len == 0 ? CRYPTO_WRONG : CRYPTO_VALID;
    }
    const unsigned char *at = crypto_inner_octets(signature);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)signature.len);
    ERR_clear_error();
    if (sig == NULL)
        return unread_verdict(signature);
    ECDSA_SIG_free(sig);
    *der = signature;
    return at == crypto_inner_octets(signature) + signature.len ? CRYPTO_VALID : CRYPTO_TRAILING;
}

static enum errc verify(const struct crypto_key *key, const struct crypto_scheme *scheme,
                        struct slice input, struct slice signature, enum crypto_verdict *verdict,
                        struct errc_why *why)
{
    struct crypto_hashed h;
    struct slice der = {0};
    unsigned char converted[DER_BYTES_MAX];
    TRY(crypto_inner_hash(scheme, input, &h, why));
    *verdict = read_signature(key->bytes, scheme->marshal, signature, converted, &der);
    if (*verdict != CRYPTO_VALID)
        return ERRC_OK;
    EVP_PKEY_CTX *c CLEANUP(crypto_inner_context_done) = EVP_PKEY_CTX_dup(key->verifying);
    if (c == NULL)
        return crypto_inner_failed(why, "cannot verify");
    bool valid = EVP_PKEY_verify(c, crypto_inner_octets(der), der.len, crypto_inner_octets(h.slice),
                                 h.slice.len) == 1;
    ERR_clear_error();
    *verdict = valid ? CRYPTO_VALID : CRYPTO_WRONG;
    return ERRC_OK;
}

/* The port's functions know their curve by their name. */
#define CURVE_OPS(curve)                                                                           \
    static enum errc generate_##curve(void *context, struct secret_arena *arena, size_t bytes,     \
                                      struct secret *private, struct errc_why *why)                \
    {                                                                                              \
        (void)context;                                                                             \
        (void)bytes;                                                                               \
        return generate(&curve, arena, private, why);                                              \
    }                                                                                              \
    static enum errc load_##curve(void *context, struct slice private, struct crypto_key **out,    \
                                  struct errc_why *why)                                            \
    {                                                                                              \
        (void)context;                                                                             \
        return load(&curve, private, out, why);                                                    \
    }                                                                                              \
    static enum errc load_public_##curve(void *context, struct slice public,                       \
                                         struct crypto_key **out, struct errc_why *why)            \
    {                                                                                              \
        (void)context;                                                                             \
        return load_public(&curve, public, out, why);                                              \
    }                                                                                              \
    const struct crypto_key_ops crypto_ec_##curve = {                                              \
        .generate = generate_##curve,                                                              \
        .load = load_##curve,                                                                      \
        .load_public = load_public_##curve,                                                        \
        .public_half = crypto_inner_public_half,                                                   \
        .sign = sign,                                                                              \
        .verify = verify,                                                                          \
        .unload = crypto_inner_key_unload,                                                         \
    }

CURVE_OPS(p256);
CURVE_OPS(p384);
CURVE_OPS(p521);
