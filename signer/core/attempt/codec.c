#include "signer/core/attempt/codec.h"

#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "signer/core/keys/keyport.h"

static enum errc make_path(const char *prefix, const char *name, char out[static CODEC_PATH_BYTES],
                           struct errc_why *why)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t used = strlen(prefix);
    memcpy(out, prefix, used);
    for (const char *c = name; *c != '\0'; c++) {
        bool keep = strchr(plain, *c) != NULL;
        if (used + 4 > CODEC_PATH_BYTES)
            return errc_fail(why, ERRC_TOO_BIG, "the key's name \"%.40s\" is too long", name);
        if (keep)
            out[used++] = *c;
        else
            used += (size_t)snprintf(out + used, 4, "%%%02X", (unsigned char)*c);
    }
    out[used] = '\0';
    return ERRC_OK;
}

enum errc codec_sign_path(const char *key, char out[static CODEC_PATH_BYTES], struct errc_why *why)
{
    return make_path("/v1/transit/sign/", key, out, why);
}

enum errc codec_key_path(const char *key, char out[static CODEC_PATH_BYTES], struct errc_why *why)
{
    return make_path("/v1/transit/keys/", key, out, why);
}

void codec_sign_request(struct slice message, int64_t key_version, struct buf *out)
{
    /* hash and marshaling are Vault's defaults, said aloud: a signature of another shape would
     * be a 200 that fails verification (failures.md D15). */
    buf_add_text(out, "{\"input\":\"");
    base64_format(message, BASE64_STANDARD, out);
    buf_addf(out,
             "\",\"key_version\":%lld,\"hash_algorithm\":\"sha2-256\","
             "\"marshaling_algorithm\":\"asn1\"}",
             (long long)key_version);
}

static enum errc read_data(struct slice body, json_t **document, json_t **data,
                           struct errc_why *why)
{
    TRY(jsonread_parse(body, document, why));
    if (!json_is_object(*document))
        return errc_fail(why, ERRC_SCHEMA, "the reply is not a JSON object");
    return jsonread_object(*document, "data", data, why);
}

enum errc codec_sign_reply(struct slice body, int64_t key_version, struct buf *text,
                           struct buf *raw, struct errc_why *why)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    json_t *data = NULL;
    const char *signature = NULL;
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = 0, said = key_version;
    TRY(read_data(body, &document, &data, why));
    TRY(jsonread_string(data, "signature", &signature, why));
    TRY(keyport_parse_signature(slice_of(signature), &kind, &version, raw, why));
    if (jsonread_has(data, "key_version"))
        TRY(jsonread_int(data, "key_version", 0, INT32_MAX, &said, why));
    if (kind != KEYPORT_ECDSA_P256)
        return errc_fail(why, ERRC_SCHEMA, "the signature is not of Vault's form");
    if (version != key_version || said != key_version)
        return errc_fail(
            why, ERRC_SCHEMA, "the signature is of key version %lld, version %lld was asked for",
            (long long)(version != key_version ? version : said), (long long)key_version);
    buf_add_text(text, signature);
    return buf_status(text, why);
}

enum errc codec_key_reply(struct slice body, int64_t *version, struct buf *pem,
                          struct errc_why *why)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    json_t *data = NULL, *keys = NULL, *key = NULL;
    const char *type = NULL, *text = NULL;
    char latest[24];
    TRY(read_data(body, &document, &data, why));
    TRY(jsonread_string(data, "type", &type, why));
    if (strcmp(type, "ecdsa-p256") != 0)
        return errc_fail(why, ERRC_SCHEMA, "the key's type is \"%.*s\", it must be \"ecdsa-p256\"",
                         CODEC_TYPE_BYTES, type);
    TRY(jsonread_int(data, "latest_version", 1, INT32_MAX, version, why));
    TRY(jsonread_object(data, "keys", &keys, why));
    (void)snprintf(latest, sizeof latest, "%lld", (long long)*version);
    TRY(jsonread_object(keys, latest, &key, why));
    TRY(jsonread_string(key, "public_key", &text, why));
    buf_add_text(pem, text);
    return buf_status(pem, why);
}

/* Vault's multierror text has line ends and tabs; as one line it fits logs and audit entries. */
static void add_one_line(const char *text, struct buf *out)
{
    bool blank = true;
    size_t start = out->len;
    for (const char *c = text; *c != '\0'; c++) {
        bool is_blank = (unsigned char)*c <= ' ' || *c == 0x7f;
        if (is_blank && !blank)
            buf_add_char(out, ' ');
        else if (!is_blank)
            buf_add_char(out, *c);
        blank = is_blank;
    }
    if (out->len > start && out->ptr[out->len - 1] == ' ')
        out->ptr[--out->len] = '\0';
}

enum errc codec_errors(struct slice body, struct buf *out)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    enum errc code = jsonread_parse(body, &document, NULL);
    if (code != ERRC_OK)
        return code == ERRC_NOMEM ? ERRC_NOMEM : ERRC_SCHEMA;
    const json_t *errors = json_object_get(document, "errors");
    if (!json_is_array(errors))
        return ERRC_SCHEMA;
    for (size_t i = 0; i < json_array_size(errors); i++)
        if (!json_is_string(json_array_get(errors, i)))
            return ERRC_SCHEMA;
    for (size_t i = 0; i < json_array_size(errors); i++) {
        if (i > 0)
            buf_add_text(out, "; ");
        add_one_line(json_string_value(json_array_get(errors, i)), out);
    }
    return ERRC_OK;
}
