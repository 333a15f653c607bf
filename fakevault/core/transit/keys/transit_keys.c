#include <stdio.h>
#include <stdlib.h>

#include "base/bug.h"
#include "base/text/stamp.h"
#include "fakevault/core/state.h"
#include "fakevault/core/store/textorder.h"
#include "fakevault/core/transit/transit.h"

#define AUTO_ROTATE_MIN_S 3600
#define NS_PER_S 1000000000
#define PUBLIC_TEXT_MAX 2048u

const struct field_spec transit_keys_create_fields[] = {
    {.name = "type", .type = FIELD_STRING, .text = "aes256-gcm96"},
    {.name = "derived", .type = FIELD_BOOL},
    {.name = "convergent_encryption", .type = FIELD_BOOL},
    {.name = "exportable", .type = FIELD_BOOL},
    {.name = "allow_plaintext_backup", .type = FIELD_BOOL},
    {.name = "context", .type = FIELD_STRING},
    {.name = "auto_rotate_period", .type = FIELD_SECONDS},
    {.name = "key_size", .type = FIELD_INT},
    {.name = "managed_key_name", .type = FIELD_STRING},
    {.name = "managed_key_id", .type = FIELD_STRING},
    {0},
};

const struct field_spec transit_keys_config_fields[] = {
    {.name = "min_decryption_version", .type = FIELD_INT},
    {.name = "min_encryption_version", .type = FIELD_INT},
    {.name = "deletion_allowed", .type = FIELD_BOOL},
    {.name = "exportable", .type = FIELD_BOOL},
    {.name = "allow_plaintext_backup", .type = FIELD_BOOL},
    {.name = "auto_rotate_period", .type = FIELD_SECONDS},
    {0},
};

/* --- answering with a key --------------------------------------------------------------------- */

struct versions {
    struct vault_job *job;
    const struct keyring *k;
};

static void write_version(void *context, uint32_t number)
{
    const struct versions *v = context;
    const struct keyring_version *version = v->k->versions[number - 1];
    char name[16], created[STAMP_BYTES];
    (void)snprintf(name, sizeof name, "%u", number);
    if (v->k->traits->shown_name == NULL) {
        jsonwrite_int(&v->job->writer, name, version->created_ns / NS_PER_S);
        return;
    }
    struct buf public CLEANUP(buf_done);
    buf_init(&public, PUBLIC_TEXT_MAX);
    keyring_version_public_text(version, &public);
    v->job->no_memory = v->job->no_memory || public.failed;
    stamp_format(version->created_ns, STAMP_GO_NANO, created);
    jsonwrite_object(&v->job->writer, name);
    jsonwrite_string(&v->job->writer, "creation_time", created);
    jsonwrite_string(&v->job->writer, "name", v->k->traits->shown_name);
    jsonwrite_slice(&v->job->writer, "public_key", buf_slice(&public));
    jsonwrite_end(&v->job->writer);
}

/* Versions of an hmac key are not shown at all. */
static void write_versions(struct vault_job *job, const struct keyring *k)
{
    struct versions v = {job, k};
    if (k->traits->crypto == CRYPTO_HMAC)
        return;
    jsonwrite_object(&job->writer, "keys");
    textorder_each(k->min_decryption_version, k->latest_version, write_version, &v);
    jsonwrite_end(&job->writer);
}

static void write_derivation(struct jsonwrite *w, const struct keyring *k)
{
    if (!k->derived)
        return;
    bool old = k->kdf == KEYRING_KDF_HMAC_COUNTER;
    jsonwrite_string(w, "kdf", old ? "hmac-sha256-counter" : "hkdf_sha256");
    if (old)
        jsonwrite_string(w, "kdf_mode", "hmac-sha256-counter");
}

void transit_keys_answer(struct vault_job *job, const struct keyring *k)
{
    CHECK(k != NULL);
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "allow_plaintext_backup", k->allow_plaintext_backup);
    jsonwrite_int(w, "auto_rotate_period", k->auto_rotate_s);
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
    write_derivation(w, k);
    if (k->key_size != 0)
        jsonwrite_int(w, "key_size", k->key_size);
    write_versions(job, k);
    jsonwrite_int(w, "latest_version", k->latest_version);
    jsonwrite_int(w, "min_available_version", k->min_available_version);
    jsonwrite_int(w, "min_decryption_version", k->min_decryption_version);
    jsonwrite_int(w, "min_encryption_version", k->min_encryption_version);
    jsonwrite_string(w, "name", k->name);
    jsonwrite_bool(w, "supports_decryption", k->traits->encryption);
    jsonwrite_bool(w, "supports_derivation", k->traits->derivation);
    jsonwrite_bool(w, "supports_encryption", k->traits->encryption);
    jsonwrite_bool(w, "supports_signing", k->traits->signing);
    jsonwrite_string(w, "type", k->traits->type);
    call_answer(job, CALL_DATA);
}

void transit_keys_read_finish(struct vault_job *job)
{
    const struct keyring *k = transit_key(job);
    if (k != NULL)
        transit_keys_answer(job, k);
    else if (!call_answered(job))
        call_fail_bare(job, 404);
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

void transit_keys_list_finish(struct vault_job *job)
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

/* --- making keys ------------------------------------------------------------------------------ */

/* What create and rotate make without the lock. */
struct fresh {
    struct keyring_spec spec;
    struct keyring_version *version;
    int64_t created_ns;
    enum errc code;
    struct errc_why why;
};

static void fresh_free(void *ptr)
{
    struct fresh *f = ptr;
    keyring_version_drop(f->version);
    free(f);
}

static void prepare_fresh(struct vault_job *job, const struct keyring_spec *spec)
{
    struct fresh *f = calloc(1, sizeof *f);
    if (f == NULL) {
        job->no_memory = true;
        return;
    }
    f->spec = *spec;
    f->created_ns = job->now.wall_ns;
    job->state = (struct call_state){f, fresh_free};
}

void transit_keys_make(struct vault_job *job)
{
    struct fresh *f = job->state.ptr;
    const struct vault_ports *ports = &job->vault->ports;
    if (f != NULL)
        f->code = keyring_version_make(&f->spec, ports->crypto, ports->arena, f->created_ns,
                                       &f->version, &f->why);
}

static bool auto_rotate_fits(struct vault_job *job)
{
    int64_t period = field_number(&job->fields, "auto_rotate_period");
    if (period == 0 || period >= AUTO_ROTATE_MIN_S)
        return true;
    call_fail(job, 400, "auto rotate period must be 0 to disable or at least an hour");
    return false;
}

/* What is wrong whether or not the key is there. */
static void check_request(struct vault_job *job, const struct keyring_traits *traits)
{
    struct slice type = field_text(&job->fields, "type");
    int64_t key_size = field_number(&job->fields, "key_size");
    if (!auto_rotate_fits(job))
        return;
    if (field_flag(&job->fields, "convergent_encryption") && !field_flag(&job->fields, "derived"))
        call_fail(job, 400, "convergent encryption requires derivation to be enabled");
    else if (traits == NULL)
        call_fail(job, 400, "unknown key type %.*s", SLICE_FMT(type));
    else if (key_size != 0 && traits->crypto != CRYPTO_HMAC)
        call_fail(job, 400, "key_size is not valid for algorithm %s", traits->type);
    else if (key_size != 0 &&
             (key_size < KEYRING_HMAC_BYTES_MIN || key_size > KEYRING_HMAC_BYTES_MAX))
        call_fail(job, 400, "invalid key_size %lld", (long long)key_size);
    else if (traits->hidden)
        call_fault(job, "managed keys are supported within enterprise edition only");
}

/* What is wrong only for a new key. */
static void check_spec(struct vault_job *job, const struct keyring_spec *spec)
{
    const struct keyring_traits *traits = spec->traits;
    if (spec->derived && !traits->derivation)
        call_fault(job,
                   "key derivation and convergent encryption not supported for keys of type %s",
                   traits->type);
    else if (spec->convergent && !traits->encryption)
        call_fault(job, "convergent encryption not supported for keys of type %s", traits->type);
    else if (traits->crypto == CRYPTO_HMAC && spec->key_size == 0)
        call_fault(job, "invalid key size for HMAC key, must be between %u and %u bytes",
                   KEYRING_HMAC_BYTES_MIN, KEYRING_HMAC_BYTES_MAX);
}

/* A key that is there already is only read: whatever is asked for, it stays as it is. */
void transit_keys_create_prepare(struct vault_job *job)
{
    const struct field_set *fields = &job->fields;
    const struct keyring_traits *traits = keyring_traits_named(field_text(fields, "type"));
    check_request(job, traits);
    if (call_answered(job) || transit_key(job) != NULL || call_answered(job))
        return;
    struct keyring_spec spec = {
        .traits = traits,
        .derived = field_flag(fields, "derived"),
        .convergent = field_flag(fields, "convergent_encryption"),
        .exportable = field_flag(fields, "exportable"),
        .allow_plaintext_backup = field_flag(fields, "allow_plaintext_backup"),
        .auto_rotate_s = field_number(fields, "auto_rotate_period"),
        .key_size = (uint32_t)field_number(fields, "key_size"),
    };
    check_spec(job, &spec);
    if (!call_answered(job))
        prepare_fresh(job, &spec);
}

void transit_keys_create_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct fresh *f = job->state.ptr;
    struct errc_why why = {{0}};
    struct keyring *k = transit_key(job);
    if (call_answered(job))
        return;
    enum errc code = ERRC_OK;
    if (k == NULL && f == NULL)
        code = errc_fail(&why, ERRC_NOT_FOUND, "the key was deleted while it was created");
    else if (k == NULL && f->code != ERRC_OK)
        code = errc_fail(&why, f->code, "%s", f->why.text);
    else if (k == NULL)
        code = keyring_create(&v->keyrings, &v->barrier, job->mount_uuid, call_capture(job, "name"),
                              &f->spec, f->version, &k, &why);
    if (code == ERRC_OK && f != NULL && k->versions[0] == f->version)
        f->version = NULL;
    if (code == ERRC_OK)
        transit_keys_answer(job, k);
    else
        call_trouble(job, code, &why);
}

void transit_keys_rotate_prepare(struct vault_job *job)
{
    const struct keyring *k = transit_key(job);
    if (k == NULL) {
        if (!call_answered(job))
            call_fail(job, 400, "key not found");
        return;
    }
    if (k->imported && !k->imported_rotation_allowed) {
        call_fault(job, "imported key %s does not allow rotation within Vault", k->name);
        return;
    }
    struct keyring_spec spec = {
        .traits = k->traits, .convergent = k->convergent, .key_size = k->key_size};
    prepare_fresh(job, &spec);
}

static enum errc rotate(struct vault_job *job, struct keyring *k, struct fresh *f,
                        struct errc_why *why)
{
    TRY(keyring_add_version(k, f->version));
    f->version = NULL;
    bool imported = k->imported;
    k->imported = false;
    enum errc code = keyring_store(k, &job->vault->barrier, why);
    if (code != ERRC_OK) {
        keyring_remove_last(k);
        k->imported = imported;
    }
    return code;
}

void transit_keys_rotate_finish(struct vault_job *job)
{
    struct fresh *f = job->state.ptr;
    struct errc_why why = {{0}};
    struct keyring *k = transit_key(job);
    if (call_answered(job))
        return;
    /* The key may have been deleted, and made again with another type, since begin. */
    if (k == NULL || k->traits != f->spec.traits) {
        call_fail(job, 400, "key not found");
        return;
    }
    enum errc code = f->code;
    if (code != ERRC_OK)
        (void)errc_fail(&why, code, "%s", f->why.text);
    else
        code = rotate(job, k, f, &why);
    if (code == ERRC_OK)
        transit_keys_answer(job, k);
    else
        call_trouble(job, code, &why);
}

/* --- config and delete ------------------------------------------------------------------------ */

/* Reads one of the two minimum versions into *version. */
static bool read_minimum(struct vault_job *job, const char *field, const char *word,
                         uint32_t latest, uint32_t *version)
{
    const struct field_value *value = field_get(&job->fields, field);
    if (!value->present)
        return true;
    if (value->number < 0)
        call_fail(job, 400, "min %s version cannot be negative", word);
    else if (value->number > latest)
        call_fail(job, 400, "cannot set min %s version of %lld, latest key version is %u", word,
                  (long long)value->number, latest);
    else
        *version = (uint32_t)value->number;
    return !call_answered(job);
}

static bool read_minima(struct vault_job *job, struct keyring *k)
{
    if (!read_minimum(job, "min_decryption_version", "decryption", k->latest_version,
                      &k->min_decryption_version) ||
        !read_minimum(job, "min_encryption_version", "encryption", k->latest_version,
                      &k->min_encryption_version))
        return false;
    if (k->min_decryption_version == 0) {
        k->min_decryption_version = 1;
        call_warn(job, "since Vault 0.3, transit key numbering starts at 1; forcing minimum to 1");
    }
    if (k->min_encryption_version > 0 && k->min_encryption_version < k->min_decryption_version) {
        call_fail(job, 400,
                  "cannot set min encryption/decryption values; min encryption version of %u must "
                  "be greater than or equal to min decryption version of %u",
                  k->min_encryption_version, k->min_decryption_version);
        return false;
    }
    return true;
}

static bool configure(struct vault_job *job, struct keyring *k)
{
    const struct field_value *deletion = field_get(&job->fields, "deletion_allowed");
    const struct field_value *period = field_get(&job->fields, "auto_rotate_period");
    if (!read_minima(job, k) || !auto_rotate_fits(job))
        return false;
    if (deletion->present)
        k->deletion_allowed = deletion->number != 0;
    if (period->present)
        k->auto_rotate_s = period->number;
    k->exportable = k->exportable || field_flag(&job->fields, "exportable");
    k->allow_plaintext_backup =
        k->allow_plaintext_backup || field_flag(&job->fields, "allow_plaintext_backup");
    return true;
}

void transit_keys_config_finish(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    struct errc_why why = {{0}};
    if (k == NULL) {
        if (!call_answered(job))
            call_fail(job, 400, "no existing key named %.*s could be found",
                      SLICE_FMT(call_capture(job, "name")));
        return;
    }
    struct keyring changed = *k; /* shares the versions; put in place once it is stored */
    if (!configure(job, &changed))
        return;
    enum errc code = keyring_store(&changed, &job->vault->barrier, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    *k = changed;
    transit_keys_answer(job, k);
}

void transit_keys_delete_finish(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    struct errc_why why = {{0}};
    struct slice name = call_capture(job, "name");
    if (call_answered(job))
        return;
    if (k == NULL) {
        call_fail(job, 400, "error deleting policy %.*s: could not delete key; not found",
                  SLICE_FMT(name));
        return;
    }
    if (!k->deletion_allowed) {
        call_fail(job, 400, "error deleting policy %.*s: deletion is not allowed for this key",
                  SLICE_FMT(name));
        return;
    }
    enum errc code = keyring_erase(k, &job->vault->barrier, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    keyring_cache_remove(&job->vault->keyrings, k);
    call_empty(job);
}
