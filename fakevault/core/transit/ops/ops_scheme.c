#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/ops/ops.h"

#define DEFAULT_HASH "sha2-256"

static const struct {
    const char *name;
    enum crypto_hash hash;
} hashes[] = {
    {"none", CRYPTO_HASH_NONE},         {"sha1", CRYPTO_HASH_SHA1},
    {"sha2-224", CRYPTO_HASH_SHA2_224}, {"sha2-256", CRYPTO_HASH_SHA2_256},
    {"sha2-384", CRYPTO_HASH_SHA2_384}, {"sha2-512", CRYPTO_HASH_SHA2_512},
    {"sha3-224", CRYPTO_HASH_SHA3_224}, {"sha3-256", CRYPTO_HASH_SHA3_256},
    {"sha3-384", CRYPTO_HASH_SHA3_384}, {"sha3-512", CRYPTO_HASH_SHA3_512},
};

static const struct {
    const char *name;
    enum crypto_marshal marshal;
} marshals[] = {{"asn1", CRYPTO_MARSHAL_ASN1}, {"jws", CRYPTO_MARSHAL_JWS}};

bool ops_scheme_hash(struct slice name, enum crypto_hash *out)
{
    for (size_t i = 0; i < COUNT(hashes); i++)
        if (slice_equal_text(name, hashes[i].name)) {
            *out = hashes[i].hash;
            return true;
        }
    return false;
}

struct slice ops_scheme_algorithm(const struct vault_job *job, const char *field)
{
    struct slice in_path = call_capture(job, "urlalgorithm");
    return in_path.len > 0 ? in_path : field_text(&job->fields, field);
}

/* The deprecated name of the parameter counts when the other one is there, but empty. */
static bool read_hash(struct vault_job *job, struct crypto_scheme *out)
{
    struct slice name = ops_scheme_algorithm(job, "hash_algorithm");
    if (name.len == 0)
        name = field_text(&job->fields, "algorithm");
    if (name.len == 0)
        name = SLICE_LITERAL(DEFAULT_HASH);
    if (ops_scheme_hash(name, &out->hash))
        return true;
    call_fail(job, 400, "invalid hash algorithm \"%.*s\"", SLICE_FMT(name));
    return false;
}

static bool read_marshal(struct vault_job *job, struct crypto_scheme *out)
{
    struct slice name = field_text(&job->fields, "marshaling_algorithm");
    for (size_t i = 0; i < COUNT(marshals); i++)
        if (slice_equal_text(name, marshals[i].name)) {
            out->marshal = marshals[i].marshal;
            return true;
        }
    call_fail(job, 400, "invalid marshaling type \"%.*s\"", SLICE_FMT(name));
    return false;
}

static bool equal_any_case(struct slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

static bool read_salt(struct vault_job *job, struct crypto_scheme *out)
{
    struct slice text = field_text(&job->fields, "salt_length");
    if (equal_any_case(text, "auto")) {
        out->salt_length = CRYPTO_SALT_AUTO;
    } else if (equal_any_case(text, "hash")) {
        out->salt_length = CRYPTO_SALT_HASH;
    } else if (gotext_int(text, 10, &out->salt_length, NULL) != ERRC_OK) {
        call_fail(job, 400, "salt length neither 'auto', 'hash', nor an int: %.*s",
                  SLICE_FMT(text));
        return false;
    }
    if (out->salt_length >= CRYPTO_SALT_HASH)
        return true;
    call_fail(job, 400, "salt length is invalid: %lld", (long long)out->salt_length);
    return false;
}

bool ops_scheme_read(struct vault_job *job, struct crypto_scheme *out)
{
    if (!read_hash(job, out) || !read_marshal(job, out))
        return false;
    out->prehashed = field_flag(&job->fields, "prehashed");
    return read_salt(job, out);
}

bool ops_scheme_check(struct vault_job *job, struct ops_list *list, const char *does)
{
    struct slice padding = field_text(&job->fields, "signature_algorithm");
    bool pkcs = slice_equal_text(padding, "pkcs1v15");
    struct crypto_scheme *scheme = &list->scheme;
    scheme->padding = pkcs ? CRYPTO_PADDING_PKCS1V15 : CRYPTO_PADDING_PSS;
    list->padding_unknown = !pkcs && padding.len > 0 && !slice_equal_text(padding, "pss");
    if (!list->key.traits->signing)
        call_fail(job, 400, "key type %s does not support %s", list->key.traits->type, does);
    else if (scheme->hash == CRYPTO_HASH_NONE && !(scheme->prehashed && pkcs))
        call_fail(job, 400,
                  "hash_algorithm=none requires both prehashed=true and "
                  "signature_algorithm=pkcs1v15");
    return !call_answered(job);
}

bool ops_scheme_padding(struct vault_job *job, const struct ops_list *list, struct ops_item *item)
{
    enum crypto_key_type type = list->key.traits->crypto;
    bool rsa = type == CRYPTO_RSA_2048 || type == CRYPTO_RSA_3072 || type == CRYPTO_RSA_4096;
    if (!rsa || !list->padding_unknown)
        return true;
    ops_list_failf(job, item, OPS_INTERNAL, "unsupported rsa signature algorithm %.*s",
                   SLICE_FMT(field_text(&job->fields, "signature_algorithm")));
    return false;
}

/* --- items --------------------------------------------------------------------------------------
 */

bool ops_scheme_message(struct vault_job *job, struct ops_item *item, const char *missing,
                        struct buf *out)
{
    if (ops_has(item, OPS_INPUT))
        return ops_list_decode(job, item, OPS_USER,
                               "unable to decode input as base64: ", item->member[OPS_INPUT], out);
    ops_list_fail(item, OPS_USER, missing);
    return false;
}

bool ops_scheme_context(struct vault_job *job, struct ops_item *item, struct buf *out)
{
    enum errc code = base64_parse(item->member[OPS_CONTEXT], BASE64_STANDARD, out, NULL);
    job->no_memory = job->no_memory || (code != ERRC_OK && code != ERRC_SYNTAX);
    if (code != ERRC_OK)
        ops_list_fail(item, OPS_USER, "failed to base64-decode context");
    return code == ERRC_OK;
}

/* The answer of sign has the public half of a derived key. */
static void note_public(struct vault_job *job, struct ops_item *item,
                        const struct ops_scheme_signer *signer)
{
    struct buf raw CLEANUP(buf_done);
    struct errc_why why = {{0}};
    buf_init(&raw, OPS_SIGNATURE_BYTES);
    buf_init(&item->extra, OPS_SIGNATURE_BYTES);
    enum errc code = signer->ops->public_half(signer->key, &raw, &why);
    base64_format(buf_slice(&raw), BASE64_STANDARD, &item->extra);
    job->no_memory = job->no_memory || raw.failed || item->extra.failed;
    if (code != ERRC_OK)
        ops_list_trouble(job, item, OPS_INTERNAL, code, &why);
}

static bool load_derived(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                         struct slice context, struct ops_scheme_signer *out)
{
    const struct crypto *crypto = job->vault->ports.crypto;
    struct errc_why why = {{0}};
    if (!ops_cipher_derive(job, list, item, item->version, context, CRYPTO_ED25519_SEED_BYTES,
                           &out->private)) {
        ops_list_failf(job, item, OPS_INTERNAL, "error deriving key: %s", item->error);
        return false;
    }
    out->ops = item->version->ops;
    enum errc code =
        out->ops->load(crypto->context, secret_slice(&out->private), &out->derived, &why);
    out->key = out->derived;
    if (code != ERRC_OK)
        ops_list_trouble(job, item, OPS_INTERNAL, code, &why);
    else
        note_public(job, item, out);
    return item->error == NULL;
}

bool ops_scheme_load(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     struct slice context, struct ops_scheme_signer *out)
{
    struct errc_why why = {{0}};
    if (list->key.derived)
        return load_derived(job, list, item, context, out);
    enum errc code = keyring_version_key(item->version, &out->key, &why);
    if (code != ERRC_OK)
        ops_list_trouble(job, item, OPS_INTERNAL, code, &why);
    return code == ERRC_OK;
}

void ops_scheme_unload(struct ops_scheme_signer *signer)
{
    if (signer->derived != NULL)
        signer->ops->unload(signer->derived);
    secret_done(&signer->private);
}
