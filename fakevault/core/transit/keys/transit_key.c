#include "fakevault/core/transit/keys/transit_key.h"

#include <stdlib.h>

#include "base/bug.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/transit.h"

#define AUTO_ROTATE_MIN_S 3600

static const struct field_spec create_fields[] = {
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

static const struct field_spec rotate_fields[] = {
    {.name = "managed_key_name", .type = FIELD_STRING},
    {.name = "managed_key_id", .type = FIELD_STRING},
    {0},
};

/* --- making versions -------------------------------------------------------------------------- */

/* What a step of work makes without the lock, for finish to store. */
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

/* Leaves one for make. */
static void prepare(struct vault_job *job, const struct keyring_spec *spec)
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

static void make(struct vault_job *job)
{
    struct fresh *f = job->state.ptr;
    const struct vault_ports *ports = &job->vault->ports;
    if (f != NULL)
        f->code = keyring_version_make(&f->spec, ports->crypto, ports->arena, f->created_ns,
                                       &f->version, &f->why);
}

bool transit_key_period_fits(struct vault_job *job)
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
    if (!transit_key_period_fits(job))
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
    CHECK(traits != NULL);
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
static void create_prepare(struct vault_job *job)
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
        prepare(job, &spec);
}

/* Somebody else may have made the key, or ended it, while this one was made. */
static void create_finish(struct vault_job *job)
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
    else if (k == NULL) {
        code = keyring_create(&v->keyrings, &v->barrier, job->mount_uuid, call_capture(job, "name"),
                              &f->spec, f->version, &k, &why);
        f->version = code == ERRC_OK ? NULL : f->version;
    }
    if (code == ERRC_OK)
        transit_key_answer(job, k);
    else
        call_trouble(job, code, &why);
}

static void rotate_prepare(struct vault_job *job)
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
    prepare(job, &spec);
}

enum errc transit_key_append(struct vault_job *job, struct keyring *k, bool imported,
                             struct keyring_version *version, struct errc_why *why)
{
    bool was_imported = k->imported;
    TRY(keyring_add_version(k, version));
    k->imported = imported;
    enum errc code = keyring_store(k, &job->vault->barrier, why);
    if (code == ERRC_OK)
        return ERRC_OK;
    k->imported = was_imported;
    (void)keyring_version_take(version); /* for the caller */
    keyring_remove_last(k);
    return code;
}

static void rotate_finish(struct vault_job *job)
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
        code = transit_key_append(job, k, false, f->version, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    f->version = NULL;
    transit_key_answer(job, k);
}

/* --- the table -------------------------------------------------------------------------------- */

#define READ(path, function)                                                                       \
    {                                                                                              \
        .pattern = (path), .operation = ROUTE_READ, .finish = (function)                           \
    }
#define STEPS(group)                                                                               \
    .prepare = transit_key_##group##_prepare, .work = transit_key_##group##_work,                  \
    .finish = transit_key_##group##_finish

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "keys/?", .operation = ROUTE_LIST, .finish = transit_key_list_finish},
    {.pattern = "keys/:name", .operation = ROUTE_READ,
     .fields = transit_key_read_fields, .finish = transit_key_read_finish},
    {.pattern = "keys/:name", .operation = ROUTE_UPDATE,
     .fields = create_fields, .prepare = create_prepare, .work = make,
     .finish = create_finish},
    {.pattern = "keys/:name", .operation = ROUTE_DELETE, .finish = transit_key_delete_finish},
    {.pattern = "keys/:name/rotate", .operation = ROUTE_UPDATE,
     .fields = rotate_fields, .prepare = rotate_prepare, .work = make,
     .finish = rotate_finish},
    {.pattern = "keys/:name/config", .operation = ROUTE_UPDATE,
     .fields = transit_key_config_fields, .finish = transit_key_config_finish},
    {.pattern = "keys/:name/trim", .operation = ROUTE_UPDATE,
     .fields = transit_key_trim_fields, .finish = transit_key_trim_finish},
    {.pattern = "keys/:name/import", .operation = ROUTE_UPDATE,
     .fields = transit_key_import_fields, STEPS(import)},
    {.pattern = "keys/:name/import_version", .operation = ROUTE_UPDATE,
     .fields = transit_key_import_version_fields, STEPS(import_version)},
    {.pattern = "wrapping_key", .operation = ROUTE_READ, STEPS(wrapping)},
    READ("export/:type/:name!version", transit_key_export_finish),
    READ("export/:type/:name/+version", transit_key_export_finish),
    {.pattern = "byok-export/:destination/:source!version", .operation = ROUTE_READ,
     .fields = transit_key_byok_fields, .finish = transit_key_byok_finish},
    {.pattern = "byok-export/:destination/:source/+version", .operation = ROUTE_READ,
     .fields = transit_key_byok_fields, .finish = transit_key_byok_finish},
    READ("backup/:name", transit_key_backup_finish),
    {.pattern = "restore!name", .operation = ROUTE_UPDATE,
     .fields = transit_key_restore_fields, .finish = transit_key_restore_finish},
    {.pattern = "restore/+name", .operation = ROUTE_UPDATE,
     .fields = transit_key_restore_fields, .finish = transit_key_restore_finish},
    READ("cache-config", transit_key_cache_read_finish),
    {.pattern = "cache-config", .operation = ROUTE_UPDATE,
     .fields = transit_key_cache_fields, .finish = transit_key_cache_write_finish},
    READ("config/keys", transit_key_upsert_read_finish),
    {.pattern = "config/keys", .operation = ROUTE_UPDATE,
     .fields = transit_key_upsert_fields, .finish = transit_key_upsert_write_finish},
};
/* clang-format on */

const struct route_table transit_key_table = ROUTE_TABLE(rows);
