#include "fakevault/core/transit/keyring/keyring_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text/base64.h"
#include "base/text/jsonwrite.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/store/textorder.h"
#include "fakevault/core/transit/encoding/decimal.h"
#include "fakevault/core/transit/encoding/keyform.h"

#define TEXT_MAX (2 * KEYFORM_BYTES_MAX)

struct writer {
    struct jsonwrite w;
    const struct keyring *k;
    bool failed;
};

static void write_base64(struct writer *out, const char *name, struct slice bytes)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TEXT_MAX);
    if (bytes.len == 0) {
        jsonwrite_null(&out->w, name);
        return;
    }
    base64_format(bytes, BASE64_STANDARD, &text);
    jsonwrite_slice(&out->w, name, buf_slice(&text));
    out->failed = out->failed || text.failed;
}

static void write_number(struct writer *out, const char *name, struct slice big_endian)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TEXT_MAX);
    decimal_format(big_endian, &text);
    jsonwrite_raw(&out->w, name, buf_slice(&text));
    out->failed = out->failed || text.failed;
}

static void write_point(struct writer *out, const struct keyring_version *v)
{
    struct slice point = {0};
    size_t width = keyform_curve_bytes(out->k->traits->crypto);
    if (v != NULL)
        point = keyform_point(buf_slice(&v->public), out->k->traits->crypto);
    if (point.len == 0) {
        jsonwrite_null(&out->w, "ec_x");
        jsonwrite_null(&out->w, "ec_y");
        jsonwrite_null(&out->w, "ec_d");
        return;
    }
    write_number(out, "ec_x", (struct slice){point.ptr, width});
    write_number(out, "ec_y", slice_from(point, width));
    if (v->private.len > 0)
        write_number(out, "ec_d", secret_slice(&v->private));
    else
        jsonwrite_null(&out->w, "ec_d");
}

static void write_rsa_private(struct writer *out, const struct keyform_rsa *rsa)
{
    struct jsonwrite *w = &out->w;
    jsonwrite_object(w, "rsa_key");
    write_number(out, "N", rsa->of[KEYFORM_RSA_N]);
    write_number(out, "E", rsa->of[KEYFORM_RSA_E]);
    write_number(out, "D", rsa->of[KEYFORM_RSA_D]);
    jsonwrite_array(w, "Primes");
    write_number(out, NULL, rsa->of[KEYFORM_RSA_P]);
    write_number(out, NULL, rsa->of[KEYFORM_RSA_Q]);
    jsonwrite_end(w);
    jsonwrite_object(w, "Precomputed");
    write_number(out, "Dp", rsa->of[KEYFORM_RSA_DP]);
    write_number(out, "Dq", rsa->of[KEYFORM_RSA_DQ]);
    write_number(out, "Qinv", rsa->of[KEYFORM_RSA_QINV]);
    jsonwrite_array(w, "CRTValues");
    jsonwrite_end(w);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

static void write_rsa(struct writer *out, const struct keyring_version *v)
{
    struct keyform_rsa rsa;
    if (v != NULL && keyform_rsa_private(secret_slice(&v->private), &rsa))
        write_rsa_private(out, &rsa);
    else
        jsonwrite_null(&out->w, "rsa_key");
    if (v == NULL || !v->public_given || !keyform_rsa_public(buf_slice(&v->public), &rsa)) {
        jsonwrite_null(&out->w, "rsa_public_key");
        return;
    }
    jsonwrite_object(&out->w, "rsa_public_key");
    write_number(out, "N", rsa.of[KEYFORM_RSA_N]);
    write_number(out, "E", rsa.of[KEYFORM_RSA_E]);
    jsonwrite_end(&out->w);
}

/* True for a key that Vault holds as plain bytes. */
static bool is_bytes(const struct keyring_traits *traits)
{
    return !traits->signing || traits->crypto == CRYPTO_ED25519;
}

static void write_public_text(struct writer *out, const struct keyring_version *v)
{
    struct buf text CLEANUP(buf_done);
    bool rsa = out->k->traits->signing && out->k->traits->encryption; /* Vault leaves it out */
    buf_init(&text, TEXT_MAX);
    if (v != NULL && !rsa)
        keyring_version_public_text(v, &text);
    jsonwrite_slice(&out->w, "public_key", buf_slice(&text));
    out->failed = out->failed || text.failed;
}

/* A version; NULL is the empty entry that the archive begins with. */
static void write_version(struct writer *out, const char *name, const struct keyring_version *v)
{
    struct jsonwrite *w = &out->w;
    char time[STAMP_BYTES] = "0001-01-01T00:00:00Z";
    struct slice bytes = {0}, hmac = {0};
    if (v != NULL) {
        stamp_format(v->created_ns, STAMP_GO_NANO, time);
        bytes = is_bytes(out->k->traits) ? secret_slice(&v->private) : bytes;
        hmac = keyring_version_hmac_key(v);
    }
    jsonwrite_object(w, name);
    write_base64(out, "key", bytes);
    write_base64(out, "hmac_key", hmac);
    jsonwrite_string(w, "time", time);
    write_point(out, v);
    write_rsa(out, v);
    write_public_text(out, v);
    jsonwrite_int(w, "convergent_version", v == NULL ? 0 : v->convergent_version);
    jsonwrite_int(w, "creation_time", v == NULL ? 0 : v->created_ns / NS_PER_S);
    jsonwrite_end(w);
}

static void write_numbered(void *context, uint32_t number)
{
    struct writer *out = context;
    char name[16];
    (void)snprintf(name, sizeof name, "%u", number);
    write_version(out, name, out->k->versions[number - 1]);
}

static void write_event(struct jsonwrite *w, const char *name, const struct keyring_event *event)
{
    char time[STAMP_BYTES];
    if (event->wall_ns == 0) {
        jsonwrite_null(w, name);
        return;
    }
    stamp_format(event->wall_ns, STAMP_GO_NANO, time);
    jsonwrite_object(w, name);
    jsonwrite_string(w, "time", time);
    jsonwrite_int(w, "version", event->version);
    jsonwrite_end(w);
}

/* Vault's archive has every version, so its numbers follow from the others. */
static void write_numbers(struct jsonwrite *w, const struct keyring *k)
{
    jsonwrite_int(w, "min_decryption_version", k->min_decryption_version);
    jsonwrite_int(w, "min_encryption_version", k->min_encryption_version);
    jsonwrite_int(w, "latest_version", k->latest_version);
    jsonwrite_int(w, "archive_version", k->latest_version);
    jsonwrite_int(w, "archive_min_version", k->min_available_version);
    jsonwrite_int(w, "min_available_version", k->min_available_version);
}

/* The order is that of a struct of Go's. */
static void write_policy(struct writer *out)
{
    const struct keyring *k = out->k;
    struct jsonwrite *w = &out->w;
    jsonwrite_object(w, "policy");
    jsonwrite_string(w, "name", k->name);
    if (k->key_size != 0)
        jsonwrite_int(w, "key_size", k->key_size);
    jsonwrite_object(w, "keys");
    textorder_each(k->min_decryption_version, k->latest_version, write_numbered, out);
    jsonwrite_end(w);
    jsonwrite_bool(w, "derived", k->derived);
    jsonwrite_int(w, "kdf", k->kdf);
    jsonwrite_bool(w, "convergent_encryption", k->convergent);
    jsonwrite_bool(w, "exportable", k->exportable);
    write_numbers(w, k);
    jsonwrite_bool(w, "deletion_allowed", k->deletion_allowed);
    jsonwrite_int(w, "convergent_version", k->convergent_version);
    jsonwrite_int(w, "type", k->traits->number);
    write_event(w, "backup_info", &k->backup);
    write_event(w, "restore_info", &k->restore);
    jsonwrite_bool(w, "allow_plaintext_backup", k->allow_plaintext_backup);
    jsonwrite_string(w, "version_template", "");
    jsonwrite_string(w, "storage_prefix", "");
    jsonwrite_int(w, "auto_rotate_period", k->auto_rotate_s * NS_PER_S);
    jsonwrite_bool(w, "Imported", k->imported);
    jsonwrite_bool(w, "AllowImportedKeyRotation", k->imported_rotation_allowed);
    jsonwrite_end(w);
}

/* Its index is the version, less the lowest that is left. */
static void write_archive(struct writer *out)
{
    struct jsonwrite *w = &out->w;
    jsonwrite_object(w, "archived_keys");
    jsonwrite_array(w, "keys");
    for (uint32_t i = out->k->min_available_version; i <= out->k->latest_version; i++)
        write_version(out, NULL, i == 0 ? NULL : out->k->versions[i - 1]);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

enum errc keyring_json_format(const struct keyring *k, struct buf *out)
{
    struct writer writer = {.k = k};
    jsonwrite_init(&writer.w, out, JSONWRITE_GO_HTML);
    jsonwrite_object(&writer.w, NULL);
    write_policy(&writer);
    write_archive(&writer);
    jsonwrite_end(&writer.w);
    buf_add_char(out, '\n');
    TRY(buf_status(out, NULL));
    return writer.failed ? ERRC_NOMEM : ERRC_OK;
}
