#include "fakevault/core/sys/sys_seal.h"

#include "base/count.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/policy/acl.h"
#include "fakevault/core/policy/authorise.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/rekey/sys_share.h"
#include "fakevault/core/sys/sys_body.h"
#include "fakevault/core/vault.h"

static void write_status(struct vault_job *job)
{
    const struct vault *v = job->vault;
    bool sealed = state_sealed(v);
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "type", "shamir");
    jsonwrite_bool(w, "initialized", seal_initialized(&v->seal));
    jsonwrite_bool(w, "sealed", sealed);
    jsonwrite_int(w, "t", v->seal.threshold);
    jsonwrite_int(w, "n", v->seal.shares);
    jsonwrite_int(w, "progress", v->seal.given.count);
    jsonwrite_string(w, "nonce", v->seal.nonce);
    jsonwrite_string(w, "version", v->version);
    jsonwrite_string(w, "build_date", "");
    jsonwrite_bool(w, "migration", false);
    if (!sealed) {
        jsonwrite_string(w, "cluster_name", v->cluster_name);
        jsonwrite_string(w, "cluster_id", v->cluster_id);
    }
    jsonwrite_bool(w, "recovery_seal", false);
    jsonwrite_string(w, "storage_type", v->ports.store->kind);
    call_answer(job, CALL_BARE);
}

static const struct sys_body_field unseal_fields[] = {
    {"Key", SYS_BODY_STRING},
    {"Reset", SYS_BODY_BOOL},
    {"Migrate", SYS_BODY_BOOL},
};

static void unseal_prepare(struct vault_job *job)
{
    sys_body_read(job, "UnsealRequest", unseal_fields, COUNT(unseal_fields));
}

static void unseal_reset(struct vault_job *job)
{
    if (!state_sealed(job->vault)) {
        call_fail(job, 400, "vault is unsealed");
        return;
    }
    seal_reset(&job->vault->seal);
    write_status(job);
}

static void unseal_failed(struct vault_job *job, enum errc code, const struct errc_why *why)
{
    bool ours = errc_class(code) == ERRC_CLASS_FATAL || errc_class(code) == ERRC_CLASS_TRANSIENT;
    if (code == ERRC_NOMEM)
        call_trouble(job, code, why);
    else
        call_fail(job, ours ? 500 : 400, "%s", why->text);
}

static void unseal_finish(struct vault_job *job)
{
    if (sys_body_flag(job, "reset")) {
        unseal_reset(job);
        return;
    }
    struct errc_why why = {{0}};
    struct secret share CLEANUP(secret_done) = {0};
    if (!sys_share_read(job, ", or 'reset' set to true", &share))
        return;
    if (sys_body_flag(job, "migrate")) {
        call_fail(job, 500, "can't perform a seal migration, no migration seal found");
        return;
    }
    enum errc code = state_give_share(job->vault, secret_slice(&share), job->now, &why);
    if (code == ERRC_OK)
        write_status(job);
    else
        unseal_failed(job, code, &why);
}

bool sys_seal_body_is_sound(struct vault_job *job)
{
    json_t *value = NULL;
    enum errc code = gojson_parse(job->request.body, &value, NULL);
    bool other = value != NULL && !json_is_object(value) && !json_is_null(value);
    json_decref(value);
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (other || (code != ERRC_OK && code != ERRC_NOT_FOUND))
        call_fail(job, 400, "error parsing JSON");
    return !call_answered(job) && !job->no_memory;
}

/* Sealing takes "update" and "sudo". */
static bool may_seal(struct vault_job *job)
{
    const struct acl *acl = authorise_acl(job, job->token);
    struct acl_request request = {
        .operation = ROUTE_UPDATE, .path = buf_slice(&job->path), .sudo = true};
    return acl != NULL && acl_allows(acl, &request);
}

/* A vault that is sealed says yes without asking who wants it. */
static void seal_prepare(struct vault_job *job)
{
    if (!sys_seal_body_is_sound(job))
        return;
    if (state_sealed(job->vault))
        return;
    if (job->token == NULL)
        call_fail(job, 403, "permission denied");
    else if (!token_is_root(job->token) && !may_seal(job))
        call_wrapped(job, 403, "permission denied");
}

static void seal_finish(struct vault_job *job)
{
    vault_seal(job->vault);
    call_empty(job);
}

/* Without a cluster there is nobody to step down for, and nobody is asked for a token. */
static void step_down_finish(struct vault_job *job)
{
    if (sys_seal_body_is_sound(job))
        call_empty(job);
}

static void feature_flags_read(struct vault_job *job)
{
    jsonwrite_null(call_data(job), "feature_flags");
    call_answer(job, CALL_BARE);
}

static void leader_read(struct vault_job *job)
{
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "ha_enabled", false);
    jsonwrite_bool(w, "is_self", false);
    jsonwrite_string(w, "active_time", "0001-01-01T00:00:00Z");
    jsonwrite_string(w, "leader_address", "");
    jsonwrite_string(w, "leader_cluster_address", "");
    jsonwrite_bool(w, "performance_standby", false);
    jsonwrite_int(w, "performance_standby_last_remote_wal", 0);
    call_answer(job, CALL_BARE);
}

static const struct route_endpoint rows[] = {
    {.pattern = "sys/init", .operation = ROUTE_READ, .finish = sys_init_read},
    {.pattern = "sys/init",
     .operation = ROUTE_UPDATE,
     .prepare = sys_init_prepare,
     .finish = sys_init_finish},
    {.pattern = "sys/seal-status", .operation = ROUTE_READ, .finish = write_status},
    {.pattern = "sys/unseal",
     .operation = ROUTE_UPDATE,
     .prepare = unseal_prepare,
     .finish = unseal_finish},
    {.pattern = "sys/seal",
     .operation = ROUTE_UPDATE,
     .prepare = seal_prepare,
     .finish = seal_finish},
    {.pattern = "sys/health", .operation = ROUTE_READ, .finish = sys_health_read},
    {.pattern = "sys/health", .operation = ROUTE_HEADER, .finish = sys_health_read},
    {.pattern = "sys/step-down", .operation = ROUTE_UPDATE, .finish = step_down_finish},
    {.pattern = "sys/internal/ui/feature-flags",
     .operation = ROUTE_READ,
     .finish = feature_flags_read},
    {.pattern = "sys/leader", .operation = ROUTE_READ, .finish = leader_read},
};

const struct route_table sys_seal_table = ROUTE_TABLE(rows);
