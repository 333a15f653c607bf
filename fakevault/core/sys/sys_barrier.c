/* sys_barrier: the terms of the barrier: key-status, rotate (vault-api.md 2.14). */
#include <inttypes.h>
#include <stdio.h>

#include "base/text/stamp.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/config/sys_config.h"

static void key_status_finish(struct vault_job *job)
{
    const struct barrier *b = &job->vault->barrier;
    char installed[STAMP_BYTES];
    stamp_format(b->terms[b->term_count - 1].installed_ns, STAMP_GO_NANO, installed);
    struct jsonwrite *w = call_data(job);
    jsonwrite_int(w, "encryptions", (int64_t)b->encryptions);
    jsonwrite_string(w, "install_time", installed);
    jsonwrite_int(w, "term", (int64_t)b->term_count);
    call_answer(job, CALL_INJECTED);
}

static void rotate_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    enum errc code = barrier_rotate(&job->vault->barrier, job->now.wall_ns, &why);
    call_done(job, code, &why);
}

/* --- when to rotate by itself: kept and told, though nothing rotates by itself here ------------
 */

#define ROTATION "rotation"
#define OPERATIONS_MIN 1000000
#define OPERATIONS_MAX 3865470566
#define INTERVAL_MIN_S (24 * 3600)

static const struct field_spec rotation_fields[] = {
    {.name = "max_operations", .type = FIELD_INT},
    {.name = "interval", .type = FIELD_SECONDS},
    {.name = "enabled", .type = FIELD_BOOL}, /* without effect in Vault 1.14.9, too */
    {0},
};

static int64_t rotation_member(const struct vault_job *job, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(settings_get(&job->vault->settings, ROTATION), name);
    return value == NULL ? fallback : json_integer_value(value);
}

static void rotation_read(struct vault_job *job)
{
    int64_t interval_s = rotation_member(job, "interval", 0);
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "enabled", true);
    if (interval_s == 0) {
        jsonwrite_int(w, "interval", 0);
    } else {
        char text[64];
        (void)snprintf(text, sizeof text, "%" PRId64 "h%" PRId64 "m%" PRId64 "s", interval_s / 3600,
                       interval_s / 60 % 60, interval_s % 60);
        jsonwrite_string(w, "interval", text);
    }
    jsonwrite_int(w, "max_operations", rotation_member(job, "max_operations", OPERATIONS_MAX));
    call_answer(job, CALL_DATA);
}

static void rotation_update(struct vault_job *job)
{
    int64_t operations = rotation_member(job, "max_operations", OPERATIONS_MAX);
    int64_t interval_s = rotation_member(job, "interval", 0);
    if (field_get(&job->fields, "max_operations")->present)
        operations = field_number(&job->fields, "max_operations");
    if (field_get(&job->fields, "interval")->present)
        interval_s = field_number(&job->fields, "interval");
    if (interval_s != 0 && interval_s < INTERVAL_MIN_S)
        call_fail(job, 400, "interval must be greater or equal to 24h0m0s");
    else if (operations < OPERATIONS_MIN || operations > OPERATIONS_MAX)
        call_fail(job, 400, "max_operations must be in the range [%d,%" PRId64 "]", OPERATIONS_MIN,
                  (int64_t)OPERATIONS_MAX);
    else
        sys_config_set(job, ROTATION,
                       json_pack("{s:I,s:I}", "max_operations", (json_int_t)operations, "interval",
                                 (json_int_t)interval_s));
}

static const struct route_endpoint rows[] = {
    {.pattern = "rotate/config", .operation = ROUTE_READ, .finish = rotation_read},
    {.pattern = "rotate/config",
     .operation = ROUTE_UPDATE,
     .fields = rotation_fields,
     .finish = rotation_update},
    {.pattern = "key-status", .operation = ROUTE_READ, .finish = key_status_finish},
    {.pattern = "rotate", .operation = ROUTE_UPDATE, .finish = rotate_finish},
};

const struct route_table sys_barrier_table = ROUTE_TABLE(rows);
