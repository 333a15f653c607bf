#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/state.h"
#include "fakevault/core/store/textorder.h"
#include "fakevault/core/transit/encoding/keyform.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/transit.h"

#define EXPORT_TEXT_MAX (2 * KEYFORM_BYTES_MAX)

bool transit_key_versions(struct vault_job *job, const struct keyring *k, struct slice wanted,
                          void (*each)(void *context, uint32_t number), void *context)
{
    int64_t number = k->latest_version;
    struct slice digits = slice_starts_with(wanted, "v") ? slice_from(wanted, 1) : wanted;
    if (wanted.len == 0)
        textorder_each(k->min_decryption_version, k->latest_version, each, context);
    else if (!slice_equal_text(wanted, "latest") &&
             gotext_int(digits, 10, &number, NULL) != ERRC_OK)
        call_fail(job, 400, "invalid key version");
    else if (number < k->min_decryption_version)
        call_fail(job, 400, "version for export is below minimum decryption version");
    else if (keyring_version_of(k, number) == NULL)
        call_fail(job, 400, "version does not exist or cannot be found");
    else
        each(context, (uint32_t)number);
    return !call_answered(job);
}

/* --- export ----------------------------------------------------------------------------------- */

/* Each appends one version; a key without a private half is an empty text. */
typedef enum errc export_function(const struct keyring *k, const struct keyring_version *v,
                                  struct secret_arena *arena, struct buf *out);

static enum errc export_bytes(const struct keyring *k, const struct keyring_version *v,
                              struct secret_arena *arena, struct buf *out)
{
    (void)k;
    (void)arena;
    base64_format(secret_slice(&v->private), BASE64_STANDARD, out);
    return ERRC_OK;
}

static enum errc export_hmac(const struct keyring *k, const struct keyring_version *v,
                             struct secret_arena *arena, struct buf *out)
{
    (void)k;
    (void)arena;
    base64_format(keyring_version_hmac_key(v), BASE64_STANDARD, out);
    return ERRC_OK;
}

static enum errc export_rsa(const struct keyring *k, const struct keyring_version *v,
                            struct secret_arena *arena, struct buf *out)
{
    (void)k;
    (void)arena;
    if (v->private.len > 0)
        keyform_write_pem("RSA PRIVATE KEY", secret_slice(&v->private), out);
    return ERRC_OK;
}

/* Without the newline at the end, other than an RSA key. */
static void drop_newline(struct buf *out)
{
    if (slice_ends_with(buf_slice(out), "\n"))
        out->ptr[--out->len] = '\0';
}

static enum errc export_ec(const struct keyring *k, const struct keyring_version *v,
                           struct secret_arena *arena, struct buf *out)
{
    struct secret der CLEANUP(secret_done) = {0};
    if (v->private.len == 0)
        return ERRC_OK;
    TRY(keyform_write_sec1(k->traits->crypto, secret_slice(&v->private), buf_slice(&v->public),
                           arena, &der));
    keyform_write_pem("EC PRIVATE KEY", secret_slice(&der), out);
    drop_newline(out);
    return ERRC_OK;
}

static enum errc export_public(const struct keyring *k, const struct keyring_version *v,
                               struct secret_arena *arena, struct buf *out)
{
    (void)arena;
    keyring_version_public_text(v, out);
    if (!k->traits->encryption)
        drop_newline(out);
    return ERRC_OK;
}

enum kind { ENCRYPTION, SIGNING, HMAC, PUBLIC, KINDS };

static const char *const kind_names[KINDS] = {
    [ENCRYPTION] = "encryption-key",
    [SIGNING] = "signing-key",
    [HMAC] = "hmac-key",
    [PUBLIC] = "public-key",
};

static export_function *function_of(enum kind kind, const struct keyring_traits *traits)
{
    bool pair = traits->signing, rsa = traits->signing && traits->encryption;
    if (kind == HMAC)
        return export_hmac;
    if (kind == PUBLIC)
        return pair ? export_public : NULL;
    return rsa ? export_rsa : keyform_curve_bytes(traits->crypto) > 0 ? export_ec : export_bytes;
}

struct export
{
    struct vault_job *job;
    const struct keyring *k;
    export_function *function;
};

static void write_version(void *context, uint32_t number)
{
    struct export *e = context;
    struct vault_job *job = e->job;
    struct buf text CLEANUP(buf_done);
    char name[16];
    buf_init(&text, EXPORT_TEXT_MAX);
    if (call_answered(job))
        return;
    if (e->function == NULL) {
        call_fault(job, "unknown key type %s for export type %.*s", e->k->traits->type,
                   SLICE_FMT(call_capture(job, "type")));
        return;
    }
    enum errc code = e->function(e->k, e->k->versions[number - 1], job->vault->ports.arena, &text);
    job->no_memory = job->no_memory || code != ERRC_OK || text.failed;
    (void)snprintf(name, sizeof name, "%u", number);
    jsonwrite_slice(&job->writer, name, buf_slice(&text));
}

static enum kind kind_named(struct slice name)
{
    int kind = 0;
    while (kind < KINDS && !slice_equal_text(name, kind_names[kind]))
        kind++;
    return (enum kind)kind;
}

/* Answers when the key cannot be exported as this. */
static bool may_export(struct vault_job *job, const struct keyring *k, enum kind kind)
{
    if (!k->exportable && kind != PUBLIC)
        call_fail(job, 400, "private key material is not exportable");
    else if (kind == ENCRYPTION && !k->traits->encryption)
        call_fail(job, 400, "encryption not supported for the key");
    else if (kind == SIGNING && !k->traits->signing)
        call_fail(job, 400, "signing not supported for the key");
    return !call_answered(job);
}

void transit_key_export_finish(struct vault_job *job)
{
    struct slice type = call_capture(job, "type");
    enum kind kind = kind_named(type);
    if (kind == KINDS) {
        call_fail(job, 400, "invalid export type: %.*s", SLICE_FMT(type));
        return;
    }
    const struct keyring *k = transit_key(job);
    if (call_answered(job))
        return;
    if (k == NULL) {
        call_fail_bare(job, 404);
        return;
    }
    if (!may_export(job, k, kind))
        return;
    struct export e = {job, k, function_of(kind, k->traits)};
    struct jsonwrite *w = call_data(job);
    jsonwrite_object(w, "keys");
    if (!transit_key_versions(job, k, call_capture(job, "version"), write_version, &e))
        return;
    jsonwrite_end(w);
    jsonwrite_string(w, "name", k->name);
    jsonwrite_string(w, "type", k->traits->type);
    call_answer(job, CALL_DATA);
}
