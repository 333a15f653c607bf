#include "fakevault/core/transit/encoding/keyform.h"

#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/text/base64.h"
#include "fakevault/core/transit/encoding/der.h"

#define SEED_BYTES CRYPTO_ED25519_SEED_BYTES

#define OBJECT_RSA SLICE_LITERAL("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OBJECT_RSA_PSS SLICE_LITERAL("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OBJECT_EC SLICE_LITERAL("\x2a\x86\x48\xce\x3d\x02\x01")
#define OBJECT_ED25519 SLICE_LITERAL("\x2b\x65\x70")

static const struct curve {
    enum crypto_key_type type;
    const char *name;
    size_t bytes;
    struct slice object;
} curves[] = {
    {CRYPTO_ECDSA_P256, "P-256", 32, {"\x2a\x86\x48\xce\x3d\x03\x01\x07", 8}},
    {CRYPTO_ECDSA_P384, "P-384", 48, {"\x2b\x81\x04\x00\x22", 5}},
    {CRYPTO_ECDSA_P521, "P-521", 66, {"\x2b\x81\x04\x00\x23", 5}},
};

static const struct curve *curve_of(enum crypto_key_type type)
{
    for (size_t i = 0; i < COUNT(curves); i++)
        if (curves[i].type == type)
            return &curves[i];
    return NULL;
}

static const struct curve *curve_named(struct slice object)
{
    for (size_t i = 0; i < COUNT(curves); i++)
        if (slice_equal(curves[i].object, object))
            return &curves[i];
    return NULL;
}

size_t keyform_curve_bytes(enum crypto_key_type type)
{
    const struct curve *curve = curve_of(type);
    return curve == NULL ? 0 : curve->bytes;
}

struct slice keyform_point(struct slice spki, enum crypto_key_type type)
{
    size_t len = 2 * keyform_curve_bytes(type);
    return spki.len < len ? (struct slice){0} : slice_from(spki, spki.len - len);
}

void keyform_done(struct keyform *f)
{
    secret_done(&f->private);
    buf_done(&f->public);
    *f = (struct keyform){0};
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum errc malformed(struct errc_why *why, const char *what)
{
    return errc_fail(why, ERRC_SYNTAX, "%s", what);
}

bool keyform_rsa_private(struct slice pkcs1, struct keyform_rsa *out)
{
    struct der whole = der_from(pkcs1), d = der_enter(&whole, DER_SEQUENCE);
    struct slice version = der_read_unsigned(&d);
    for (int i = 0; i < KEYFORM_RSA_PARTS; i++)
        out->of[i] = der_read_unsigned(&d);
    return version.len == 0 && der_complete(&d) && der_complete(&whole);
}

static enum errc read_rsa(struct slice pkcs1, struct secret_arena *arena, struct keyform *out,
                          struct errc_why *why)
{
    struct keyform_rsa rsa;
    if (!keyform_rsa_private(pkcs1, &rsa))
        return malformed(why, "x509: failed to parse private key: invalid RSA private key");
    out->kind = KEYFORM_RSA;
    out->bytes = rsa.of[KEYFORM_RSA_N].len;
    return secret_copy(arena, pkcs1, &out->private);
}

/* The scalar comes in any width: leading zeros may be missing, or be too many. */
static enum errc read_scalar(const struct curve *curve, struct slice scalar,
                             struct secret_arena *arena, struct keyform *out, struct errc_why *why)
{
    while (scalar.len > curve->bytes && scalar.ptr[0] == 0)
        scalar = slice_from(scalar, 1);
    if (scalar.len > curve->bytes)
        return malformed(why, "x509: invalid elliptic curve private key value");
    TRY(secret_new(arena, curve->bytes, &out->private));
    memcpy(out->private.ptr + curve->bytes - scalar.len, scalar.ptr, scalar.len);
    return ERRC_OK;
}

static enum errc read_sec1(struct slice sec1, struct slice curve_object, struct secret_arena *arena,
                           struct keyform *out, struct errc_why *why)
{
    struct der whole = der_from(sec1), d = der_enter(&whole, DER_SEQUENCE);
    struct slice version = der_read_unsigned(&d), scalar = der_read(&d, DER_OCTETS);
    if (der_next_is(&d, DER_EXPLICIT_0)) {
        struct der named = der_enter(&d, DER_EXPLICIT_0);
        curve_object = der_read(&named, DER_OBJECT);
    }
    if (d.failed || version.len != 1 || version.ptr[0] != 1)
        return malformed(why, "x509: failed to parse EC private key embedded in PKCS#8: x509: "
                              "failed to parse EC private key");
    const struct curve *curve = curve_named(curve_object);
    if (curve == NULL)
        return malformed(why, "x509: failed to parse EC private key embedded in PKCS#8: x509: "
                              "unknown elliptic curve");
    out->kind = KEYFORM_EC;
    out->curve = curve->name;
    return read_scalar(curve, scalar, arena, out, why);
}

static enum errc read_seed(struct slice octets, struct secret_arena *arena, struct keyform *out,
                           struct errc_why *why)
{
    struct der d = der_from(octets);
    struct slice seed = der_read(&d, DER_OCTETS);
    if (!der_complete(&d))
        return malformed(why, "x509: invalid Ed25519 private key: asn1: structure error");
    if (seed.len != SEED_BYTES)
        return errc_fail(why, ERRC_SYNTAX, "x509: invalid Ed25519 private key length: %zu",
                         seed.len);
    out->kind = KEYFORM_ED25519;
    return secret_copy(arena, seed, &out->private);
}

/* What Go says of an element that should have been a SEQUENCE. */
static enum errc no_sequence(struct slice element, const char *name, struct errc_why *why)
{
    if (element.len < 2)
        return malformed(why, "asn1: syntax error: sequence truncated");
    uint8_t tag = (uint8_t)element.ptr[0], len = (uint8_t)element.ptr[1];
    if (tag == DER_SEQUENCE || len >= 0x80)
        return malformed(why, "asn1: syntax error: sequence truncated");
    return errc_fail(why, ERRC_SYNTAX,
                     "asn1: structure error: tags don't match (16 vs {class:%d tag:%d length:%d "
                     "isCompound:%s}) {optional:false explicit:false application:false "
                     "private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false "
                     "omitEmpty:false} %s @2",
                     tag >> 6, tag & 0x1f, len, (tag & 0x20) != 0 ? "true" : "false", name);
}

enum errc keyform_read_private(struct slice pkcs8, struct secret_arena *arena, struct keyform *out,
                               struct errc_why *why)
{
    struct der whole = der_from(pkcs8), d = der_enter(&whole, DER_SEQUENCE);
    (void)der_read_unsigned(&d);
    struct der algorithm = der_enter(&d, DER_SEQUENCE);
    struct slice object = der_read(&algorithm, DER_OBJECT), key = der_read(&d, DER_OCTETS);
    if (d.failed || algorithm.failed)
        return no_sequence(pkcs8, "pkcs8", why);
    if (slice_equal(object, OBJECT_RSA) || slice_equal(object, OBJECT_RSA_PSS))
        return read_rsa(key, arena, out, why);
    if (slice_equal(object, OBJECT_EC))
        return read_sec1(key, der_read(&algorithm, DER_OBJECT), arena, out, why);
    if (slice_equal(object, OBJECT_ED25519))
        return read_seed(key, arena, out, why);
    return malformed(why, "x509: PKCS#8 wrapping contained private key with unknown algorithm");
}

/* Most often somebody sent a private key, whose first element is an INTEGER. */
static enum errc no_spki(struct slice spki, struct errc_why *why)
{
    struct der whole = der_from(spki), d = der_enter(&whole, DER_SEQUENCE);
    enum errc code = no_sequence(d.rest, "AlgorithmIdentifier", why);
    errc_prefix(why, "error parsing public key");
    return code;
}

/* The content of SPKI's bit string, and its algorithm. */
static bool open_spki(struct slice spki, struct der *algorithm, struct slice *bits)
{
    struct der whole = der_from(spki), d = der_enter(&whole, DER_SEQUENCE);
    *algorithm = der_enter(&d, DER_SEQUENCE);
    *bits = der_read(&d, DER_BITS);
    if (!der_complete(&d) || !der_complete(&whole) || bits->len == 0 || bits->ptr[0] != 0)
        return false;
    *bits = slice_from(*bits, 1);
    return true;
}

bool keyform_rsa_public(struct slice spki, struct keyform_rsa *out)
{
    struct der algorithm;
    struct slice bits;
    if (!open_spki(spki, &algorithm, &bits))
        return false;
    struct der whole = der_from(bits), d = der_enter(&whole, DER_SEQUENCE);
    out->of[KEYFORM_RSA_N] = der_read_unsigned(&d);
    out->of[KEYFORM_RSA_E] = der_read_unsigned(&d);
    return der_complete(&d) && der_complete(&whole);
}

static enum errc read_spki(struct slice spki, struct keyform *out, struct errc_why *why)
{
    struct der algorithm;
    struct slice bits;
    if (!open_spki(spki, &algorithm, &bits))
        return no_spki(spki, why);
    struct slice object = der_read(&algorithm, DER_OBJECT);
    if (slice_equal(object, OBJECT_RSA)) {
        struct keyform_rsa rsa;
        out->kind = KEYFORM_RSA;
        if (!keyform_rsa_public(spki, &rsa))
            return malformed(why, "error parsing public key: x509: invalid RSA public key");
        out->bytes = rsa.of[KEYFORM_RSA_N].len;
        buf_add_slice(&out->public, spki);
    } else if (slice_equal(object, OBJECT_EC)) {
        const struct curve *curve = curve_named(der_read(&algorithm, DER_OBJECT));
        out->kind = KEYFORM_EC;
        if (curve == NULL)
            return malformed(why, "error parsing public key: x509: unsupported elliptic curve");
        out->curve = curve->name;
        buf_add_slice(&out->public, spki);
    } else if (slice_equal(object, OBJECT_ED25519)) {
        out->kind = KEYFORM_ED25519;
        if (bits.len != SEED_BYTES)
            return malformed(why, "error parsing public key: x509: wrong Ed25519 public key size");
        buf_add_slice(&out->public, bits);
    } else {
        return malformed(why, "error parsing public key: x509: unknown public key algorithm");
    }
    return buf_status(&out->public, why);
}

enum errc keyform_read_public(struct slice pem, struct keyform *out, struct errc_why *why)
{
    struct buf der CLEANUP(buf_done);
    buf_init(&der, KEYFORM_BYTES_MAX);
    buf_init(&out->public, KEYFORM_BYTES_MAX);
    enum errc code = keyform_read_pem(pem, &der);
    if (code == ERRC_SYNTAX)
        return malformed(why, "error parsing public key: not in PEM format");
    if (code != ERRC_OK)
        return errc_fail(why, code, "the public key is too long");
    return read_spki(buf_slice(&der), out, why);
}

static const char *go_type(const struct keyform *f)
{
    static const char *const names[][2] = {
        [KEYFORM_RSA] = {"*rsa.PublicKey", "*rsa.PrivateKey"},
        [KEYFORM_EC] = {"*ecdsa.PublicKey", "*ecdsa.PrivateKey"},
        [KEYFORM_ED25519] = {"ed25519.PublicKey", "ed25519.PrivateKey"},
    };
    return names[f->kind][f->private.len > 0];
}

static size_t modulus_bytes(enum crypto_key_type type)
{
    return type == CRYPTO_RSA_2048 ? 256 : type == CRYPTO_RSA_3072 ? 384 : 512;
}

enum errc keyform_check(const struct keyform *f, enum crypto_key_type type, const char *wanted,
                        struct errc_why *why)
{
    const struct curve *curve = curve_of(type);
    enum keyform_kind kind = curve != NULL            ? KEYFORM_EC
                             : type == CRYPTO_ED25519 ? KEYFORM_ED25519
                                                      : KEYFORM_RSA;
    if (f->kind != kind)
        return errc_fail(why, ERRC_SCHEMA, "invalid key type: expected %s, got %s", wanted,
                         go_type(f));
    if (curve != NULL && strcmp(f->curve, curve->name) != 0)
        return errc_fail(why, ERRC_SCHEMA, "invalid curve: expected %s, got %s", curve->name,
                         f->curve);
    if (kind == KEYFORM_RSA && f->bytes != modulus_bytes(type))
        return errc_fail(why, ERRC_SCHEMA, "invalid key size: expected %zu bytes, got %zu bytes",
                         modulus_bytes(type), f->bytes);
    return ERRC_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Moves what was written to the begin of *out. */
static enum errc finish(const struct der_writer *w, struct secret *out)
{
    struct slice der = der_slice(w);
    CHECK(der.len > 0);
    memmove(out->ptr, der.ptr, der.len);
    secret_wipe(out->ptr + der.len, out->len - der.len);
    out->len = der.len;
    return ERRC_OK;
}

static void write_object(struct der_writer *w, struct slice object)
{
    der_element(w, DER_OBJECT, object);
}

static void write_sec1(struct der_writer *w, const struct curve *curve, struct slice private,
                       struct slice public, bool named)
{
    size_t end = der_end(w);
    der_raw(w, keyform_point(public, curve->type));
    der_raw(w, slice_bytes("\0\x04", 2)); /* no unused bits, an uncompressed point */
    der_wrap(w, DER_BITS, end);
    der_wrap(w, DER_EXPLICIT_1, end);
    size_t after_curve = der_end(w);
    if (named) {
        write_object(w, curve->object);
        der_wrap(w, DER_EXPLICIT_0, after_curve);
    }
    der_element(w, DER_OCTETS, private);
    der_integer(w, slice_bytes("\x01", 1));
    der_wrap(w, DER_SEQUENCE, end);
}

enum errc keyform_write_sec1(enum crypto_key_type type, struct slice private, struct slice public,
                             struct secret_arena *arena, struct secret *out)
{
    TRY(secret_new(arena, KEYFORM_BYTES_MAX, out));
    struct der_writer w = der_into(out->ptr, out->len);
    write_sec1(&w, curve_of(type), private, public, true);
    return finish(&w, out);
}

/* What stands in PKCS#8's octet string. */
static void write_inner(struct der_writer *w, enum crypto_key_type type, struct slice private,
                        struct slice public)
{
    const struct curve *curve = curve_of(type);
    if (curve != NULL)
        write_sec1(w, curve, private, public, false);
    else if (type == CRYPTO_ED25519)
        der_element(w, DER_OCTETS, (struct slice){private.ptr, SEED_BYTES});
    else
        der_raw(w, private);
}

static void write_algorithm(struct der_writer *w, enum crypto_key_type type)
{
    const struct curve *curve = curve_of(type);
    size_t end = der_end(w);
    if (curve != NULL) {
        write_object(w, curve->object);
        write_object(w, OBJECT_EC);
    } else if (type == CRYPTO_ED25519) {
        write_object(w, OBJECT_ED25519);
    } else {
        der_element(w, DER_NULL, (struct slice){0});
        write_object(w, OBJECT_RSA);
    }
    der_wrap(w, DER_SEQUENCE, end);
}

enum errc keyform_write_pkcs8(enum crypto_key_type type, struct slice private, struct slice public,
                              struct secret_arena *arena, struct secret *out)
{
    TRY(secret_new(arena, KEYFORM_BYTES_MAX, out));
    struct der_writer w = der_into(out->ptr, out->len);
    write_inner(&w, type, private, public);
    der_wrap(&w, DER_OCTETS, 0);
    write_algorithm(&w, type);
    der_integer(&w, (struct slice){0});
    der_wrap(&w, DER_SEQUENCE, 0);
    return finish(&w, out);
}

enum errc keyform_write_pkcs1(const struct keyform_rsa *rsa, struct secret_arena *arena,
                              struct secret *out)
{
    TRY(secret_new(arena, KEYFORM_BYTES_MAX, out));
    struct der_writer w = der_into(out->ptr, out->len);
    for (int i = KEYFORM_RSA_PARTS; i > 0; i--)
        der_integer(&w, rsa->of[i - 1]);
    der_integer(&w, (struct slice){0});
    der_wrap(&w, DER_SEQUENCE, 0);
    return finish(&w, out);
}

enum errc keyform_write_rsa_spki(const struct keyform_rsa *rsa, struct buf *out)
{
    uint8_t bytes[1024];
    struct der_writer w = der_into(bytes, sizeof bytes);
    der_integer(&w, rsa->of[KEYFORM_RSA_E]);
    der_integer(&w, rsa->of[KEYFORM_RSA_N]);
    der_wrap(&w, DER_SEQUENCE, 0);
    der_raw(&w, slice_bytes("", 1));
    der_wrap(&w, DER_BITS, 0);
    write_algorithm(&w, CRYPTO_RSA_2048);
    der_wrap(&w, DER_SEQUENCE, 0);
    if (w.failed)
        return ERRC_TOO_BIG;
    buf_add_slice(out, der_slice(&w));
    return buf_status(out, NULL);
}

/* --- PEM -------------------------------------------------------------------------------------- */

#define PEM_COLUMNS 64u
#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "
#define PEM_DASHES "-----"

void keyform_write_pem(const char *label, struct slice der, struct buf *out)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * KEYFORM_BYTES_MAX);
    base64_format(der, BASE64_STANDARD, &text);
    buf_addf(out, PEM_BEGIN "%s" PEM_DASHES "\n", label);
    for (size_t at = 0; at < text.len; at += PEM_COLUMNS) {
        size_t len = text.len - at < PEM_COLUMNS ? text.len - at : PEM_COLUMNS;
        buf_add(out, text.ptr + at, len);
        buf_add_char(out, '\n');
    }
    buf_addf(out, PEM_END "%s" PEM_DASHES "\n", label);
    out->failed = out->failed || text.failed;
}

/* Skips lines up to the one that begins a block. */
static bool skip_to_block(struct slice *pem)
{
    while (pem->len > 0) {
        struct slice line = slice_trim(slice_cut(pem, '\n'));
        if (slice_starts_with(line, PEM_BEGIN) && slice_ends_with(line, PEM_DASHES))
            return true;
    }
    return false;
}

enum errc keyform_read_pem(struct slice pem, struct buf *der)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * KEYFORM_BYTES_MAX);
    if (!skip_to_block(&pem))
        return ERRC_SYNTAX;
    for (;;) {
        if (pem.len == 0)
            return ERRC_SYNTAX;
        struct slice line = slice_trim(slice_cut(&pem, '\n'));
        if (slice_starts_with(line, PEM_END))
            break;
        buf_add_slice(&text, line);
    }
    TRY(buf_status(&text, NULL));
    return base64_parse(buf_slice(&text), BASE64_STANDARD, der, NULL);
}
