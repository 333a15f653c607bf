/* What a mount of version 2 says about all its secrets: one record, "logical/<uuid>/config". */
#include <stdio.h>

#include "fakevault/core/kv/kv.h"
#include "fakevault/core/state.h"
#include "fakevault/core/store/pack.h"

#define RECORD_BYTES (4u + 1u + 8u)

const struct field_spec kv_config_fields[] = {
    {.name = "max_versions", .type = FIELD_INT},
    {.name = "cas_required", .type = FIELD_BOOL},
    {.name = "delete_version_after", .type = FIELD_SIGNED_SECONDS},
    {0},
};

static void record_name(const struct vault_job *job, char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/config", job->mount_uuid);
}

bool kv_config_load(struct vault_job *job, struct kv_config *out)
{
    char name[STORE_NAME_MAX];
    struct errc_why why = {{0}};
    struct secret record CLEANUP(secret_done) = {0};
    *out = (struct kv_config){0};
    record_name(job, name);
    enum errc code = barrier_get(&job->vault->barrier, name, &record, &why);
    if (code == ERRC_NOT_FOUND)
        return true;
    if (code == ERRC_OK) {
        struct unpack u = pack_read_from(secret_slice(&record));
        out->max_versions = pack_read_u32(&u);
        out->cas_required = pack_read_u8(&u) != 0;
        out->delete_after_s = pack_read_i64(&u);
        if (!pack_read_complete(&u))
            code = errc_fail(&why, ERRC_SCHEMA, "the stored \"%s\" is damaged", name);
    }
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

void kv_config_read_finish(struct vault_job *job)
{
    struct kv_config config;
    if (!kv_config_load(job, &config))
        return;
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "cas_required", config.cas_required);
    kv_write_duration(w, "delete_version_after", config.delete_after_s);
    jsonwrite_int(w, "max_versions", config.max_versions);
    call_answer(job, CALL_DATA);
}

void kv_config_write_finish(struct vault_job *job)
{
    const struct field_value *versions = field_get(&job->fields, "max_versions");
    const struct field_value *cas = field_get(&job->fields, "cas_required");
    const struct field_value *after = field_get(&job->fields, "delete_version_after");
    struct kv_config config;
    if (!kv_config_load(job, &config))
        return;
    if (versions->present)
        config.max_versions = (uint32_t)versions->number;
    if (cas->present)
        config.cas_required = cas->number != 0;
    if (after->present)
        config.delete_after_s = after->number < 0 ? -1 : after->number;
    char name[STORE_NAME_MAX];
    uint8_t bytes[RECORD_BYTES];
    struct errc_why why = {{0}};
    struct pack p = pack_into(bytes, sizeof bytes);
    pack_u32(&p, config.max_versions);
    pack_u8(&p, config.cas_required);
    pack_i64(&p, config.delete_after_s);
    record_name(job, name);
    enum errc code = barrier_put(&job->vault->barrier, name, slice_bytes(bytes, p.len), &why);
    call_done(job, code, &why);
}
