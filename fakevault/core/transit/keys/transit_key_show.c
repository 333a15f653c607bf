#include <stdio.h>

#include "base/bug.h"
#include "base/text/base64.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/state.h"
#include "fakevault/core/store/textorder.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/transit.h"

#define PUBLIC_TEXT_MAX 2048u

const struct field_spec transit_key_read_fields[] = {
    {.name = "context", .type = FIELD_STRING},
    {0},
};

struct versions {
    struct vault_job *job;
    const struct keyring *k;
    struct slice context; /* of a derived key; empty: none */
};

/* The public half of the key that is derived for a context. */
static enum errc derived_public(const struct versions *v, const struct keyring_version *version,
                                struct buf *out, struct errc_why *why)
{
    struct secret private CLEANUP(secret_done) = {0};
    if (v->context.len == 0)
        return ERRC_OK;
    TRY(keyring_version_derive(version, v->k->kdf, v->context, CRYPTO_ED25519_SEED_BYTES,
                               v->job->vault->ports.arena, &private, why));
    base64_format(slice_from(secret_slice(&private), CRYPTO_ED25519_SEED_BYTES), BASE64_STANDARD,
                  out);
    return ERRC_OK;
}

static void add_public(const struct versions *v, const struct keyring_version *version,
                       struct buf *out)
{
    struct errc_why why = {{0}};
    if (!v->k->derived)
        keyring_version_public_text(version, out);
    else if (derived_public(v, version, out, &why) != ERRC_OK)
        v->job->no_memory = true;
    v->job->no_memory = v->job->no_memory || out->failed;
}

static void write_version(void *context, uint32_t number)
{
    const struct versions *v = context;
    struct jsonwrite *w = &v->job->writer;
    const struct keyring_version *version = v->k->versions[number - 1];
    char name[16], created[STAMP_BYTES];
    (void)snprintf(name, sizeof name, "%u", number);
    if (v->k->traits->shown_name == NULL) {
        jsonwrite_int(w, name, version->created_ns / NS_PER_S);
        return;
    }
    struct buf public CLEANUP(buf_done);
    buf_init(&public, PUBLIC_TEXT_MAX);
    add_public(v, version, &public);
    stamp_format(version->created_ns, STAMP_GO_NANO, created);
    jsonwrite_object(w, name);
    jsonwrite_string(w, "creation_time", created);
    jsonwrite_string(w, "name", v->k->traits->shown_name);
    jsonwrite_slice(w, "public_key", buf_slice(&public));
    jsonwrite_end(w);
}

/* Versions of an hmac key are not shown at all. */
static void write_versions(struct versions *v)
{
    struct jsonwrite *w = &v->job->writer;
    if (v->k->traits->crypto == CRYPTO_HMAC)
        return;
    jsonwrite_object(w, "keys");
    textorder_each(v->k->min_decryption_version, v->k->latest_version, write_version, v);
    jsonwrite_end(w);
}

static void write_kdf(struct jsonwrite *w, const struct keyring *k)
{
    bool old = k->kdf == KEYRING_KDF_HMAC_COUNTER;
    if (!k->derived)
        return;
    jsonwrite_string(w, "kdf", old ? "hmac-sha256-counter" : "hkdf_sha256");
    if (old)
        jsonwrite_string(w, "kdf_mode", "hmac-sha256-counter");
}

static void write_event(struct jsonwrite *w, const char *name, const struct keyring_event *event)
{
    char time[STAMP_BYTES];
    if (event->wall_ns == 0)
        return;
    stamp_format(event->wall_ns, STAMP_GO_NANO, time);
    jsonwrite_object(w, name);
    jsonwrite_string(w, "time", time);
    jsonwrite_int(w, "version", event->version);
    jsonwrite_end(w);
}

/* A map of Go's: the names are sorted. */
static void answer(struct versions *v)
{
    const struct keyring *k = v->k;
    struct jsonwrite *w = call_data(v->job);
    jsonwrite_bool(w, "allow_plaintext_backup", k->allow_plaintext_backup);
    jsonwrite_int(w, "auto_rotate_period", k->auto_rotate_s);
    write_event(w, "backup_info", &k->backup);
    if (k->derived)
        jsonwrite_bool(w, "convergent_encryption", k->convergent);
    if (k->convergent)
        jsonwrite_int(w, "convergent_encryption_version", k->convergent_version);
    jsonwrite_bool(w, "deletion_allowed", k->deletion_allowed);
    jsonwrite_bool(w, "derived", k->derived);
    jsonwrite_bool(w, "exportable", k->exportable);
    jsonwrite_bool(w, "imported_key", k->imported);
    if (k->imported)
        jsonwrite_bool(w, "imported_key_allow_rotation", k->imported_rotation_allowed);
    write_kdf(w, k);
    if (k->key_size != 0)
        jsonwrite_int(w, "key_size", k->key_size);
    write_versions(v);
    jsonwrite_int(w, "latest_version", k->latest_version);
    jsonwrite_int(w, "min_available_version", k->min_available_version);
    jsonwrite_int(w, "min_decryption_version", k->min_decryption_version);
    jsonwrite_int(w, "min_encryption_version", k->min_encryption_version);
    jsonwrite_string(w, "name", k->name);
    write_event(w, "restore_info", &k->restore);
    jsonwrite_bool(w, "supports_decryption", k->traits->encryption);
    jsonwrite_bool(w, "supports_derivation", k->traits->derivation);
    jsonwrite_bool(w, "supports_encryption", k->traits->encryption);
    jsonwrite_bool(w, "supports_signing", k->traits->signing);
    jsonwrite_string(w, "type", k->traits->type);
    call_answer(v->job, CALL_DATA);
}

void transit_key_answer(struct vault_job *job, const struct keyring *k)
{
    CHECK(k != NULL);
    struct versions v = {.job = job, .k = k};
    answer(&v);
}

void transit_key_read_finish(struct vault_job *job)
{
    struct buf context CLEANUP(buf_done);
    buf_init(&context, LIMIT_REQUEST_BODY_BYTES);
    const struct keyring *k = transit_key(job);
    if (k == NULL) {
        if (!call_answered(job))
            call_fail_bare(job, 404);
        return;
    }
    enum errc code =
        base64_parse(field_text(&job->fields, "context"), BASE64_STANDARD, &context, NULL);
    struct versions v = {.job = job, .k = k, .context = buf_slice(&context)};
    if (code == ERRC_OK)
        answer(&v);
    else if (code == ERRC_SYNTAX)
        call_fail(job, 400, "failed to base64-decode context");
    else
        job->no_memory = true;
}

struct listing {
    struct jsonwrite *w;
    size_t count;
};

static enum errc add_name(void *context, struct slice name)
{
    struct listing *l = context;
    jsonwrite_slice(l->w, NULL, name);
    l->count++;
    return ERRC_OK;
}

void transit_key_list_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    struct listing l = {call_data(job), 0};
    jsonwrite_array(l.w, "keys");
    enum errc code = keyring_list(&job->vault->barrier, job->mount_uuid, add_name, &l, &why);
    jsonwrite_end(l.w);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else if (l.count == 0)
        call_fail_bare(job, 404);
    else
        call_answer(job, CALL_DATA);
}
