#include <stdio.h>

#include "fakevault/core/state.h"
#include "fakevault/core/store/pack.h"
#include "fakevault/core/transit/keys/transit_key.h"

#define CACHE_SIZE_MIN 10
#define CACHE_RECORD "config/cache"
#define UPSERT_RECORD "config/keys"

const struct field_spec transit_key_cache_fields[] = {
    {.name = "size", .type = FIELD_INT},
    {0},
};

const struct field_spec transit_key_upsert_fields[] = {
    {.name = "disable_upsert", .type = FIELD_BOOL},
    {0},
};

static void record_name(const struct vault_job *job, const char *record,
                        char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/%s", job->mount_uuid, record);
}

/* A setting of the mount, 0 while it was never written. Answers and returns false on trouble. */
static bool read_setting(struct vault_job *job, const char *record, int64_t *value)
{
    char name[STORE_NAME_MAX];
    struct secret bytes CLEANUP(secret_done) = {0};
    struct errc_why why = {{0}};
    record_name(job, record, name);
    *value = 0;
    enum errc code = barrier_get(&job->vault->barrier, name, &bytes, &why);
    if (code == ERRC_NOT_FOUND)
        return true;
    struct unpack u = pack_read_from(secret_slice(&bytes));
    if (code == ERRC_OK) {
        *value = pack_read_i64(&u);
        if (!pack_read_complete(&u))
            code = errc_fail(&why, ERRC_SCHEMA, "the stored \"%s\" is damaged", record);
    }
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

static bool write_setting(struct vault_job *job, const char *record, int64_t value)
{
    char name[STORE_NAME_MAX];
    uint8_t bytes[8];
    struct errc_why why = {{0}};
    struct pack p = pack_into(bytes, sizeof bytes);
    pack_i64(&p, value);
    record_name(job, record, name);
    enum errc code = barrier_put(&job->vault->barrier, name, slice_bytes(bytes, p.len), &why);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

static void answer_size(struct vault_job *job, int64_t size)
{
    jsonwrite_int(call_data(job), "size", size);
    call_answer(job, CALL_DATA);
}

void transit_key_cache_read_finish(struct vault_job *job)
{
    int64_t size;
    if (read_setting(job, CACHE_RECORD, &size))
        answer_size(job, size);
}

/* The size is only told back: this server's cache has a limit of its own. */
void transit_key_cache_write_finish(struct vault_job *job)
{
    int64_t size = field_number(&job->fields, "size");
    if (size != 0 && size < CACHE_SIZE_MIN)
        call_fail(job, 400, "size must be 0 or a value greater or equal to %d", CACHE_SIZE_MIN);
    else if (write_setting(job, CACHE_RECORD, size))
        answer_size(job, size);
}

static void answer_upsert(struct vault_job *job, bool disabled)
{
    jsonwrite_bool(call_data(job), "disable_upsert", disabled);
    call_answer(job, CALL_DATA);
}

bool transit_key_upsert_disabled(struct vault_job *job)
{
    int64_t disabled;
    return read_setting(job, UPSERT_RECORD, &disabled) && disabled != 0;
}

void transit_key_upsert_read_finish(struct vault_job *job)
{
    bool disabled = transit_key_upsert_disabled(job);
    if (!call_answered(job))
        answer_upsert(job, disabled);
}

void transit_key_upsert_write_finish(struct vault_job *job)
{
    bool disable = field_flag(&job->fields, "disable_upsert");
    if (write_setting(job, UPSERT_RECORD, disable))
        answer_upsert(job, disable);
}
