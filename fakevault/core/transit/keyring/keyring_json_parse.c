#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/transit/encoding/decimal.h"
#include "fakevault/core/transit/encoding/keyform.h"
#include "fakevault/core/transit/keyring/keyring_json.h"

/* What a restored keyring is made of, and where. */
struct reader {
    const struct crypto *crypto;
    struct secret_arena *arena;
    struct errc_why *why;
    const json_t *policy, *archive;
};

/* --- values ----------------------------------------------------------------------------------- */

static int64_t integer(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : 0;
}

static bool flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static struct slice text_of(const json_t *object, const char *name)
{
    struct slice text;
    const json_t *value = json_object_get(object, name);
    return value != NULL && gojson_string(value, &text) ? text : (struct slice){0};
}

static enum errc damaged(const struct reader *r, const char *what)
{
    return errc_fail(r->why, ERRC_SCHEMA, "the backup holds no usable \"%s\"", what);
}

/* Bytes in base64; none when they are missing. */
static enum errc read_bytes(const struct reader *r, const json_t *entry, const char *name,
                            struct secret *out)
{
    struct buf bytes CLEANUP(buf_done);
    size_t bad_at = 0;
    buf_init(&bytes, KEYFORM_BYTES_MAX);
    enum errc code = base64_parse(text_of(entry, name), BASE64_STANDARD, &bytes, &bad_at);
    if (code == ERRC_SYNTAX)
        return errc_fail(r->why, ERRC_SYNTAX, "illegal base64 data at input byte %zu", bad_at);
    if (code == ERRC_OK && bytes.len > 0)
        code = secret_copy(r->arena, buf_slice(&bytes), out);
    return code;
}

/* A number of any size, big-endian, in `width` bytes; 0: as many as its digits need. */
static enum errc read_number(const struct reader *r, const json_t *value, const char *name,
                             size_t width, struct secret *out)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice digits;
    if (value == NULL || !gojson_number(value, room, &digits))
        return damaged(r, name);
    size_t bytes = width == 0 ? decimal_bytes(digits.len) : width;
    if (bytes > DECIMAL_BYTES_MAX)
        return damaged(r, name);
    TRY(secret_new(r->arena, bytes, out));
    return decimal_parse(digits, out->ptr, out->len) == ERRC_OK ? ERRC_OK : damaged(r, name);
}

/* --- versions --------------------------------------------------------------------------------- */

static const json_t *rsa_part(const json_t *key, enum keyform_rsa_part part)
{
    static const char *const plain[] = {
        [KEYFORM_RSA_N] = "N", [KEYFORM_RSA_E] = "E", [KEYFORM_RSA_D] = "D"};
    static const char *const computed[] = {
        [KEYFORM_RSA_DP] = "Dp", [KEYFORM_RSA_DQ] = "Dq", [KEYFORM_RSA_QINV] = "Qinv"};
    if (part <= KEYFORM_RSA_D)
        return json_object_get(key, plain[part]);
    if (part <= KEYFORM_RSA_Q)
        return json_array_get(json_object_get(key, "Primes"), (size_t)(part - KEYFORM_RSA_P));
    return json_object_get(json_object_get(key, "Precomputed"), computed[part]);
}

static void parts_done(struct secret *parts)
{
    for (int i = 0; i < KEYFORM_RSA_PARTS; i++)
        secret_done(&parts[i]);
}

static enum errc read_rsa(const struct reader *r, const json_t *key, int count,
                          struct secret parts[static KEYFORM_RSA_PARTS], struct keyform_rsa *rsa)
{
    for (int i = 0; i < count; i++) {
        TRY(read_number(r, rsa_part(key, (enum keyform_rsa_part)i), "rsa_key", 0, &parts[i]));
        rsa->of[i] = secret_slice(&parts[i]);
    }
    return ERRC_OK;
}

static enum errc read_rsa_halves(const struct reader *r, const json_t *entry,
                                 struct secret *private, struct buf *public)
{
    struct secret parts[KEYFORM_RSA_PARTS] = {{0}};
    struct keyform_rsa rsa = {0};
    const json_t *key = json_object_get(entry, "rsa_key");
    bool pair = json_is_object(key);
    if (!pair)
        key = json_object_get(entry, "rsa_public_key");
    enum errc code = read_rsa(r, key, pair ? KEYFORM_RSA_PARTS : KEYFORM_RSA_D, parts, &rsa);
    if (code == ERRC_OK)
        code = pair ? keyform_write_pkcs1(&rsa, r->arena, private)
                    : keyform_write_rsa_spki(&rsa, public);
    parts_done(parts);
    return code;
}

/* A public half alone is read from its text. */
static enum errc read_public_text(const struct reader *r, const struct keyring_traits *traits,
                                  const json_t *entry, struct buf *public)
{
    struct keyform form CLEANUP(keyform_done) = {0};
    struct slice text = text_of(entry, "public_key");
    if (traits->crypto == CRYPTO_ED25519)
        return base64_parse(text, BASE64_STANDARD, public, NULL) == ERRC_OK
                   ? ERRC_OK
                   : damaged(r, "public_key");
    TRY(keyform_read_public(text, &form, r->why));
    buf_add_slice(public, buf_slice(&form.public));
    return buf_status(public, r->why);
}

static enum errc read_halves(const struct reader *r, const struct keyring_traits *traits,
                             const json_t *entry, struct secret *private, struct buf *public)
{
    size_t width = keyform_curve_bytes(traits->crypto);
    const json_t *scalar = json_object_get(entry, "ec_d");
    if (traits->signing && traits->encryption)
        return read_rsa_halves(r, entry, private, public);
    if (width > 0 && scalar != NULL && !json_is_null(scalar))
        return read_number(r, scalar, "ec_d", width, private);
    if (width == 0)
        TRY(read_bytes(r, entry, "key", private));
    if (private->len > 0)
        return ERRC_OK;
    return traits->signing ? read_public_text(r, traits, entry, public) : damaged(r, "key");
}

static int64_t created_of(const json_t *entry)
{
    int64_t created_ns = 0;
    if (stamp_parse(text_of(entry, "time"), &created_ns))
        return created_ns;
    return integer(entry, "creation_time") * NS_PER_S;
}

/* Checks what is read by loading it. */
static enum errc read_version(const struct reader *r, struct keyring *k, const json_t *entry)
{
    struct secret private CLEANUP(secret_done) = {0}, hmac CLEANUP(secret_done) = {0};
    struct buf public CLEANUP(buf_done);
    struct keyring_version *version = NULL;
    const struct crypto_key *key = NULL;
    buf_init(&public, KEYFORM_BYTES_MAX);
    TRY(read_halves(r, k->traits, entry, &private, &public));
    if (k->traits->crypto != CRYPTO_HMAC)
        TRY(read_bytes(r, entry, "hmac_key", &hmac));
    if (k->traits->crypto < CRYPTO_CIPHER_COUNT &&
        private.len != crypto_cipher_key_bytes(k->traits->crypto))
        return damaged(r, "key");
    TRY(keyring_version_new(k->traits, r->crypto, r->arena, &private, buf_slice(&public), &hmac,
                            created_of(entry), &version, r->why));
    version->public_given = json_is_object(json_object_get(entry, "rsa_public_key"));
    version->convergent_version = (int)integer(entry, "convergent_version");
    enum errc code = k->traits->signing ? keyring_version_key(version, &key, r->why) : ERRC_OK;
    if (code == ERRC_OK)
        code = keyring_add_version(k, version);
    if (code != ERRC_OK)
        keyring_version_drop(version);
    return code;
}

/* Where a version stands: among those in use, or in the archive. */
static const json_t *entry_of(const struct reader *r, const struct keyring *k, uint32_t number)
{
    char name[16];
    (void)snprintf(name, sizeof name, "%u", number);
    const json_t *entry = json_object_get(json_object_get(r->policy, "keys"), name);
    return entry != NULL ? entry : json_array_get(r->archive, number - k->min_available_version);
}

static enum errc read_versions(const struct reader *r, struct keyring *k, int64_t latest)
{
    for (uint32_t i = 1; i <= latest; i++) {
        const json_t *entry = entry_of(r, k, i);
        if (i < k->min_available_version)
            TRY(keyring_add_version(k, NULL));
        else if (json_is_object(entry))
            TRY(read_version(r, k, entry));
        else if (i < k->min_decryption_version)
            TRY(keyring_add_version(k, NULL));
        else
            return damaged(r, "keys");
    }
    return ERRC_OK;
}

/* --- the keyring ------------------------------------------------------------------------------ */

static void read_event(const json_t *object, struct keyring_event *event)
{
    if (!json_is_object(object))
        return;
    (void)stamp_parse(text_of(object, "time"), &event->wall_ns);
    event->version = (uint32_t)integer(object, "version");
}

static void read_settings(const json_t *policy, struct keyring *k)
{
    k->derived = flag(policy, "derived");
    k->kdf = integer(policy, "kdf") == 0 ? KEYRING_KDF_HMAC_COUNTER : KEYRING_KDF_HKDF;
    k->convergent = flag(policy, "convergent_encryption");
    k->convergent_version = (int)integer(policy, "convergent_version");
    k->exportable = flag(policy, "exportable");
    k->deletion_allowed = flag(policy, "deletion_allowed");
    k->allow_plaintext_backup = flag(policy, "allow_plaintext_backup");
    k->key_size = (uint32_t)integer(policy, "key_size");
    k->auto_rotate_s = integer(policy, "auto_rotate_period") / NS_PER_S;
    k->imported = flag(policy, "Imported");
    k->imported_rotation_allowed = flag(policy, "AllowImportedKeyRotation");
    read_event(json_object_get(policy, "backup_info"), &k->backup);
    read_event(json_object_get(policy, "restore_info"), &k->restore);
}

/* True when the lowest version in use is among the policy's keys, and not only in the archive. */
static bool has_lowest(const struct reader *r, int64_t lowest)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%lld", (long long)lowest);
    return json_object_get(json_object_get(r->policy, "keys"), name) != NULL;
}

/* Vault's own checks, in its order. */
static enum errc check_numbers(const struct reader *r, int latest)
{
    int decryption = (int)integer(r->policy, "min_decryption_version"),
        encryption = (int)integer(r->policy, "min_encryption_version"),
        archive = (int)integer(r->policy, "archive_version");
    if (decryption < 1)
        return errc_fail(r->why, ERRC_SCHEMA, "minimum decryption version of %d is less than 1",
                         decryption);
    if (latest < 1)
        return errc_fail(r->why, ERRC_SCHEMA, "latest version of %d is less than 1", latest);
    if (!has_lowest(r, decryption) && archive != latest)
        return errc_fail(r->why, ERRC_SCHEMA,
                         "need to move keys from archive but archive version not up-to-date");
    if (archive > latest)
        return errc_fail(r->why, ERRC_SCHEMA,
                         "archive version of %d is greater than the latest version %d", archive,
                         latest);
    if (encryption > 0 && encryption < decryption)
        return errc_fail(r->why, ERRC_SCHEMA,
                         "minimum decryption version of %d is greater than minimum encryption "
                         "version %d",
                         decryption, encryption);
    if (decryption > latest)
        return errc_fail(r->why, ERRC_SCHEMA,
                         "minimum decryption version of %d is greater than the latest version %d",
                         decryption, latest);
    return latest > (int)KEYRING_VERSIONS_MAX || encryption > latest ? damaged(r, "latest_version")
                                                                     : ERRC_OK;
}

static enum errc fill(const struct reader *r, struct keyring *k)
{
    int64_t latest = integer(r->policy, "latest_version"),
            available = integer(r->policy, "min_available_version");
    enum errc code = check_numbers(r, (int)latest);
    if (code != ERRC_OK)
        errc_prefix(r->why, "failed to restore the policy \"%s\"", k->name);
    TRY(code);
    if (available < 0 || available > integer(r->policy, "min_decryption_version"))
        return damaged(r, "min_available_version");
    read_settings(r->policy, k);
    k->min_available_version = (uint32_t)available;
    k->min_decryption_version = (uint32_t)integer(r->policy, "min_decryption_version");
    k->min_encryption_version = (uint32_t)integer(r->policy, "min_encryption_version");
    return read_versions(r, k, latest);
}

static enum errc read_keyring(const struct reader *r, const char *mount_uuid, struct slice name,
                              struct keyring **out)
{
    const struct keyring_traits *traits = keyring_traits_numbered(integer(r->policy, "type"));
    if (name.len == 0)
        name = text_of(r->policy, "name");
    if (traits == NULL || traits->hidden)
        return damaged(r, "type");
    if (name.len == 0 || name.len >= KEYRING_NAME_BYTES)
        return damaged(r, "name");
    struct keyring *k = keyring_new(mount_uuid, name, traits);
    if (k == NULL)
        return ERRC_NOMEM;
    enum errc code = fill(r, k);
    if (code == ERRC_OK)
        *out = k;
    else
        keyring_free(k);
    return code;
}

static const char *json_kind(const json_t *value)
{
    return json_is_array(value)     ? "array"
           : json_is_integer(value) ? "number"
           : json_is_boolean(value) ? "bool"
                                    : gojson_kind_name(value);
}

/* Go's sentences for what is no backup at all. */
static enum errc check_shape(const json_t *tree, struct errc_why *why)
{
    const json_t *policy = json_object_get(tree, "policy");
    if (!json_is_object(tree))
        return errc_fail(why, ERRC_SCHEMA,
                         "json: cannot unmarshal %s into Go value of type keysutil.KeyData",
                         json_kind(tree));
    if (policy == NULL || json_is_null(policy))
        return errc_fail(why, ERRC_SCHEMA, "the backup holds no policy");
    if (!json_is_object(policy))
        return errc_fail(why, ERRC_SCHEMA,
                         "json: cannot unmarshal %s into Go struct field KeyData.policy of type "
                         "keysutil.Policy",
                         json_kind(policy));
    return ERRC_OK;
}

enum errc keyring_json_parse(struct slice json, const char *mount_uuid, struct slice name,
                             const struct crypto *crypto, struct secret_arena *arena,
                             struct keyring **out, struct errc_why *why)
{
    json_t *tree = NULL;
    TRY(gojson_parse(json, &tree, why));
    struct reader r = {crypto, arena, why, json_object_get(tree, "policy"),
                       json_object_get(json_object_get(tree, "archived_keys"), "keys")};
    enum errc code = check_shape(tree, why);
    if (code == ERRC_OK)
        code = read_keyring(&r, mount_uuid, name, out);
    json_decref(tree);
    if (code == ERRC_NOMEM)
        return errc_fail(why, code, "out of memory for a key");
    return code;
}
