#include "fakevault/core/state.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/transit.h"

const struct field_spec transit_key_config_fields[] = {
    {.name = "min_decryption_version", .type = FIELD_INT},
    {.name = "min_encryption_version", .type = FIELD_INT},
    {.name = "deletion_allowed", .type = FIELD_BOOL},
    {.name = "exportable", .type = FIELD_BOOL},
    {.name = "allow_plaintext_backup", .type = FIELD_BOOL},
    {.name = "auto_rotate_period", .type = FIELD_SECONDS},
    {0},
};

const struct field_spec transit_key_trim_fields[] = {
    {.name = "min_available_version", .type = FIELD_INT},
    {0},
};

/* Stores what a changed copy of a keyring says, then makes it true, and answers. The copy shares
 * the versions. */
static void commit(struct vault_job *job, struct keyring *k, const struct keyring *changed)
{
    struct errc_why why = {{0}};
    enum errc code = keyring_store(changed, &job->vault->barrier, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    *k = *changed;
    transit_key_answer(job, k);
}

/* --- config ----------------------------------------------------------------------------------- */

/* Reads one of the two minimum versions into *version; 0 means `zero`. */
static bool read_minimum(struct vault_job *job, const char *field, const char *word,
                         uint32_t latest, uint32_t zero, uint32_t *version)
{
    const struct field_value *value = field_get(&job->fields, field);
    if (!value->present)
        return true;
    int64_t wanted = value->number == 0 ? zero : value->number;
    if (wanted < 0)
        call_fail(job, 400, "min %s version cannot be negative", word);
    else if (wanted > latest && wanted != *version)
        call_fail(job, 400, "cannot set min %s version of %lld, latest key version is %u", word,
                  (long long)wanted, latest);
    else
        *version = (uint32_t)wanted;
    return !call_answered(job);
}

static bool read_minima(struct vault_job *job, struct keyring *k)
{
    if (!read_minimum(job, "min_decryption_version", "decryption", k->latest_version, 1,
                      &k->min_decryption_version) ||
        !read_minimum(job, "min_encryption_version", "encryption", k->latest_version, 0,
                      &k->min_encryption_version))
        return false;
    if (k->min_encryption_version == 0 || k->min_encryption_version >= k->min_decryption_version)
        return true;
    call_fail(job, 400,
              "cannot set min encryption/decryption values; min encryption version of %u must be "
              "greater than or equal to min decryption version of %u",
              k->min_encryption_version, k->min_decryption_version);
    return false;
}

/* What is exportable once stays so. */
static void read_switches(struct vault_job *job, struct keyring *k)
{
    const struct field_value *deletion = field_get(&job->fields, "deletion_allowed");
    if (deletion->present)
        k->deletion_allowed = deletion->number != 0;
    k->exportable = k->exportable || field_flag(&job->fields, "exportable");
    k->allow_plaintext_backup =
        k->allow_plaintext_backup || field_flag(&job->fields, "allow_plaintext_backup");
}

static bool differ(const struct keyring *a, const struct keyring *b)
{
    return a->min_decryption_version != b->min_decryption_version ||
           a->min_encryption_version != b->min_encryption_version ||
           a->deletion_allowed != b->deletion_allowed || a->exportable != b->exportable ||
           a->allow_plaintext_backup != b->allow_plaintext_backup ||
           a->auto_rotate_s != b->auto_rotate_s;
}

/* A trimmed key refuses any change, unless both minima are at what it still has or above. */
static bool keeps_trimmed(struct vault_job *job, const struct keyring *k)
{
    if (k->min_available_version > k->min_encryption_version)
        call_fail(job, 400, "min encryption version should not be less than min available version");
    else if (k->min_available_version > k->min_decryption_version)
        call_fail(job, 400, "min decryption version should not be less then min available version");
    return !call_answered(job);
}

static void warn_about_zero(struct vault_job *job)
{
    const struct field_value *value = field_get(&job->fields, "min_decryption_version");
    if (value->present && value->number == 0)
        call_warn(job, "since Vault 0.3, transit key numbering starts at 1; forcing minimum to 1");
}

void transit_key_config_finish(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    if (k == NULL) {
        if (!call_answered(job))
            call_fail(job, 400, "no existing key named %.*s could be found",
                      SLICE_FMT(call_capture(job, "name")));
        return;
    }
    const struct field_value *period = field_get(&job->fields, "auto_rotate_period");
    struct keyring changed = *k;
    if (!read_minima(job, &changed))
        return;
    read_switches(job, &changed);
    if (period->present) {
        if (!transit_key_period_fits(job))
            return;
        changed.auto_rotate_s = period->number;
    }
    bool changes = differ(k, &changed);
    if (changes && !keeps_trimmed(job, &changed))
        return;
    warn_about_zero(job);
    if (changes)
        commit(job, k, &changed);
    else
        transit_key_answer(job, k);
}

/* --- trim ------------------------------------------------------------------------------------- */

static const char *trim_refusal(const struct keyring *k, int64_t wanted)
{
    if (wanted < k->min_available_version)
        return "minimum available version cannot be decremented";
    if (k->min_encryption_version == 0)
        return "minimum available version cannot be set when minimum encryption version is not set";
    if (wanted > k->min_encryption_version)
        return "minimum available version cannot be greater than minmum encryption version";
    if (wanted > k->min_decryption_version)
        return "minimum available version cannot be greater than minimum decryption version";
    return wanted == 0 ? "minimum available version should be positive" : NULL;
}

/* Stores the keyring without its old versions, then lets go of them. */
static void trim(struct vault_job *job, struct keyring *k, uint32_t lowest)
{
    struct errc_why why = {{0}};
    uint32_t before = k->min_available_version;
    k->min_available_version = lowest;
    enum errc code = keyring_store(k, &job->vault->barrier, &why);
    if (code != ERRC_OK) {
        k->min_available_version = before;
        call_trouble(job, code, &why);
        return;
    }
    for (uint32_t i = 0; i + 1 < lowest; i++) {
        keyring_version_drop(k->versions[i]);
        k->versions[i] = NULL;
    }
    transit_key_answer(job, k);
}

void transit_key_trim_finish(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    const struct field_value *lowest = field_get(&job->fields, "min_available_version");
    if (call_answered(job))
        return;
    const char *refusal = k == NULL          ? "invalid key name"
                          : !lowest->present ? "missing min_available_version"
                                             : trim_refusal(k, lowest->number);
    if (refusal != NULL)
        call_fail(job, 400, "%s", refusal);
    else
        trim(job, k, (uint32_t)lowest->number);
}

/* --- delete ----------------------------------------------------------------------------------- */

void transit_key_delete_finish(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    struct errc_why why = {{0}};
    if (call_answered(job))
        return;
    if (k == NULL || !k->deletion_allowed) {
        call_fail(job, 400, "error deleting policy %.*s: %s", SLICE_FMT(call_capture(job, "name")),
                  k == NULL ? "could not delete key; not found"
                            : "deletion is not allowed for this key");
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
