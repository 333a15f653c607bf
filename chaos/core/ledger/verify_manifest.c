#include "chaos/core/ledger/verify_manifest.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"

#define SPKI_BYTES_MAX 1024

/* --- canonical JSON --- */

static void add_string(struct slice text, struct buf *out)
{
    static const char short_form[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < sizeof short_form && short_form[c] != 0)
            buf_addf(out, "\\%c", short_form[c]);
        else if (c < 0x20)
            buf_addf(out, "\\u%04x", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

static int by_bytes(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

static enum errc add_value(const json_t *value, const char *except, struct buf *out,
                           struct errc_why *why);

/* Fills keys with the member names but `except`, sorted; returns how many. */
static size_t sorted_keys(const json_t *object, const char *except, const char **keys)
{
    size_t count = 0;
    json_t *all = (json_t *)(uintptr_t)object; /* jansson iterates without changing */
    for (void *at = json_object_iter(all); at != NULL; at = json_object_iter_next(all, at))
        if (except == NULL || strcmp(json_object_iter_key(at), except) != 0)
            keys[count++] = json_object_iter_key(at);
    qsort(keys, count, sizeof *keys, by_bytes);
    return count;
}

static void free_keys(const char ***keys)
{
    free((void *)(uintptr_t)*keys);
}

static enum errc add_object(const json_t *object, const char *except, struct buf *out,
                            struct errc_why *why)
{
    const char **keys CLEANUP(free_keys) = calloc(json_object_size(object) + 1, sizeof *keys);
    if (keys == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    size_t count = sorted_keys(object, except, keys);
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        add_string(slice_of(keys[i]), out);
        buf_add_char(out, ':');
        TRY(add_value(json_object_get(object, keys[i]), NULL, out, why));
    }
    buf_add_char(out, '}');
    return ERRC_OK;
}

static enum errc add_array(const json_t *array, struct buf *out, struct errc_why *why)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            buf_add_char(out, ',');
        TRY(add_value(json_array_get(array, i), NULL, out, why));
    }
    buf_add_char(out, ']');
    return ERRC_OK;
}

/* The depth is bounded by whoever parsed the tree (LIMIT_JSON_DEPTH). */
static enum errc add_value(const json_t *value, const char *except, struct buf *out,
                           struct errc_why *why)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return add_object(value, except, out, why);
    case JSON_ARRAY:
        return add_array(value, out, why);
    case JSON_STRING:
        add_string(slice_bytes(json_string_value(value), json_string_length(value)), out);
        return ERRC_OK;
    case JSON_INTEGER:
        buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return ERRC_OK;
    case JSON_TRUE:
        buf_add_text(out, "true");
        return ERRC_OK;
    case JSON_FALSE:
        buf_add_text(out, "false");
        return ERRC_OK;
    case JSON_NULL:
        buf_add_text(out, "null");
        return ERRC_OK;
    case JSON_REAL:
        return errc_fail(why, ERRC_SCHEMA, "a number with a fraction has no canonical text");
    }
    return ERRC_INTERNAL;
}

enum errc verify_manifest_canonical(const json_t *value, const char *except, struct buf *out,
                                    struct errc_why *why)
{
    TRY(add_value(value, except, out, why));
    return buf_status(out, why);
}

void verify_manifest_pae(struct slice type, struct slice body, struct buf *out)
{
    buf_addf(out, "DSSEv1 %zu ", type.len);
    buf_add_slice(out, type);
    buf_addf(out, " %zu ", body.len);
    buf_add_slice(out, body);
}

/* --- keys --- */

static void pkey_done(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_done(BIO **bio)
{
    BIO_free(*bio);
}

static void context_done(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static enum errc read_key(const char *pem, EVP_PKEY **out, struct errc_why *why)
{
    BIO *bio CLEANUP(bio_done) = BIO_new_mem_buf(pem, -1);
    if (bio == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    *out = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    ERR_clear_error();
    return *out != NULL ? ERRC_OK : errc_fail(why, ERRC_SYNTAX, "not a public key in PEM");
}

static enum errc fingerprint_of(const EVP_PKEY *key, char *out, struct errc_why *why)
{
    unsigned char der[SPKI_BYTES_MAX], *end = der;
    if (i2d_PUBKEY(key, NULL) > (int)sizeof der || i2d_PUBKEY(key, &end) <= 0)
        return errc_fail(why, ERRC_SYNTAX, "a public key that cannot be encoded");
    char hex[DIGEST_HEX_BYTES];
    digest_sha256_hex(slice_bytes(der, (size_t)(end - der)), hex);
    (void)snprintf(out, VERIFY_MANIFEST_FINGERPRINT_BYTES, "sha256:%s", hex);
    return ERRC_OK;
}

enum errc verify_manifest_fingerprint(const char *pem,
                                      char out[static VERIFY_MANIFEST_FINGERPRINT_BYTES],
                                      struct errc_why *why)
{
    EVP_PKEY *key CLEANUP(pkey_done) = NULL;
    TRY(read_key(pem, &key, why));
    return fingerprint_of(key, out, why);
}

enum errc verify_manifest_public_of_seed(struct slice seed, struct buf *pem, struct errc_why *why)
{
    if (seed.len != 32)
        return errc_fail(why, ERRC_SCHEMA, "the seed has %zu bytes, want 32", seed.len);
    EVP_PKEY *key CLEANUP(pkey_done) = EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.ptr, seed.len);
    BIO *bio CLEANUP(bio_done) = BIO_new(BIO_s_mem());
    if (key == NULL || bio == NULL || PEM_write_bio_PUBKEY(bio, key) != 1)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    buf_add(pem, text, (size_t)len);
    return buf_status(pem, why);
}

/* The algorithm follows from the key, never from what the manifest says. */
static bool key_verifies(EVP_PKEY *key, bool fallback, struct slice message, struct slice signature)
{
    bool ed25519 = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    bool p256 = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 256;
    if (fallback ? !ed25519 : !p256)
        return false;
    EVP_MD_CTX *context CLEANUP(context_done) = EVP_MD_CTX_new();
    bool good =
        context != NULL &&
        EVP_DigestVerifyInit(context, NULL, fallback ? NULL : EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                         (const unsigned char *)message.ptr, message.len) == 1;
    ERR_clear_error();
    return good;
}

/* --- the manifest --- */

struct signature {
    bool fallback;
    int version; /* that the prefix names; 0 for fallback */
    struct buf bytes;
};

static void signature_done(struct signature *s)
{
    buf_done(&s->bytes);
}

/* Takes "vault:vN:…" or "ed25519:…" apart. False when it is neither. */
static bool parse_signature(struct slice text, struct signature *out)
{
    uint64_t version = 0;
    if (slice_starts_with(text, "ed25519:")) {
        out->fallback = true;
        text = slice_from(text, strlen("ed25519:"));
    } else if (slice_starts_with(text, "vault:v")) {
        text = slice_from(text, strlen("vault:v"));
        if (!slice_to_u64(slice_cut(&text, ':'), &version) || version == 0 || version > INT32_MAX)
            return false;
        out->version = (int)version;
    } else {
        return false;
    }
    return base64_parse(text, BASE64_STANDARD, &out->bytes, NULL) == ERRC_OK;
}

static enum errc try_key(const struct world_key *key, const struct signature *signature,
                         struct slice pae, struct verify_manifest *out, struct errc_why *why)
{
    if (key->fallback != signature->fallback || key->version != signature->version)
        return ERRC_OK;
    EVP_PKEY *public_key CLEANUP(pkey_done) = NULL;
    TRY(read_key(key->pem, &public_key, why));
    if (!key_verifies(public_key, key->fallback, pae, buf_slice(&signature->bytes)))
        return ERRC_OK;
    out->good = true;
    out->fallback = key->fallback;
    out->version = key->version;
    out->pem = key->pem;
    return fingerprint_of(public_key, out->fingerprint, why);
}

static enum errc try_keys(const char *text, const struct world_key *keys, size_t key_count,
                          struct slice pae, struct verify_manifest *out, struct errc_why *why)
{
    struct signature signature CLEANUP(signature_done) = {0};
    buf_init(&signature.bytes, LIMIT_FILE_BYTES);
    bool known = parse_signature(slice_of(text), &signature);
    if (signature.bytes.failed)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    if (!known) {
        (void)snprintf(out->trouble, sizeof out->trouble, "signature \"%.24s…\" has no known form",
                       text);
        return ERRC_OK;
    }
    for (size_t i = 0; i < key_count && !out->good; i++)
        TRY(try_key(&keys[i], &signature, pae, out, why));
    if (!out->good)
        (void)snprintf(out->trouble, sizeof out->trouble,
                       "signature \"%.24s…\" is verified by none of the known %s keys", text,
                       signature.fallback ? "fallback" : "Vault");
    return ERRC_OK;
}

static void take_claims(const json_t *manifest, struct verify_manifest *out)
{
    const json_t *signing = json_object_get(json_object_get(manifest, "metadata"), "signing");
    (void)snprintf(out->said_mode, sizeof out->said_mode, "%s",
                   jsonread_string_or(signing, "mode", ""));
    (void)snprintf(out->said_fingerprint, sizeof out->said_fingerprint, "%s",
                   jsonread_string_or(signing, "keyFingerprint", ""));
    (void)snprintf(out->said_reason, sizeof out->said_reason, "%s",
                   jsonread_string_or(signing, "reason", ""));
    (void)snprintf(out->bundle, sizeof out->bundle, "%s",
                   jsonread_string_or(manifest, "bundleRunId", ""));
    (void)snprintf(out->id, sizeof out->id, "%s", jsonread_string_or(manifest, "id", ""));
    (void)snprintf(out->created_at, sizeof out->created_at, "%s",
                   jsonread_string_or(manifest, "createdAt", ""));
    (void)snprintf(out->signing_key_id, sizeof out->signing_key_id, "%s",
                   jsonread_string_or(manifest, "signingKeyId", ""));
}

enum errc verify_manifest(struct slice text, const struct world_key *keys, size_t key_count,
                          struct verify_manifest *out, struct errc_why *why)
{
    *out = (struct verify_manifest){0};
    json_t *manifest CLEANUP(jsonread_done) = NULL;
    TRY(jsonread_parse(text, &manifest, why));
    if (!json_is_object(manifest))
        return errc_fail(why, ERRC_SCHEMA, "the manifest is not an object");
    take_claims(manifest, out);
    struct buf body CLEANUP(buf_done), pae CLEANUP(buf_done);
    buf_init(&body, LIMIT_FILE_BYTES);
    buf_init(&pae, LIMIT_FILE_BYTES + 256);
    TRY(verify_manifest_canonical(manifest, "signature", &body, why));
    verify_manifest_pae(SLICE_LITERAL(VERIFY_MANIFEST_TYPE), buf_slice(&body), &pae);
    TRY(buf_status(&pae, why));
    digest_sha256_hex(buf_slice(&pae), out->input_sha256);
    const char *signature = jsonread_string_or(manifest, "signature", "");
    digest_sha256_hex(slice_of(signature), out->signature_sha256);
    return try_keys(signature, keys, key_count, buf_slice(&pae), out, why);
}
