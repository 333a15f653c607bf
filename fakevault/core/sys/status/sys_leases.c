/* sys_leases: there are no leases yet, and this is what Vault says then. */
#include "fakevault/core/api.h"

static const struct field_spec lease_fields[] = {
    {.name = "lease_id", .type = FIELD_STRING},
    {.name = "url_lease_id", .type = FIELD_STRING},
    {.name = "increment", .type = FIELD_SIGNED_SECONDS},
    {.name = "sync", .type = FIELD_BOOL},
    {0},
};

/* The id may stand in the path as well. Answers and returns false when there is none. */
static bool names_lease(struct vault_job *job, bool in_path)
{
    bool named = field_text(&job->fields, "lease_id").len > 0 ||
                 field_text(&job->fields, "url_lease_id").len > 0 ||
                 (in_path && call_capture(job, "id").len > 0);
    if (!named)
        call_fail(job, 400, "lease_id must be specified");
    return named;
}

static void lookup(struct vault_job *job)
{
    if (names_lease(job, false))
        call_fail(job, 400, "invalid lease");
}

static void lookup_list(struct vault_job *job)
{
    call_fail_bare(job, 404);
}

static void renew(struct vault_job *job)
{
    if (names_lease(job, false))
        call_fail(job, 400, "lease not found");
}

static void renew_path(struct vault_job *job)
{
    if (names_lease(job, true))
        call_fail(job, 400, "lease not found");
}

static void revoke(struct vault_job *job)
{
    if (names_lease(job, false))
        call_empty(job);
}

static void revoke_path(struct vault_job *job)
{
    if (names_lease(job, true))
        call_empty(job);
}

static void tidy(struct vault_job *job)
{
    call_answer_none(job, 200);
    call_make_raw(job, 202);
    call_warn(job,
              "Tidy operation successfully started. Any information from the operation will be "
              "printed to Vault's server logs.");
}

static const struct field_spec count_fields[] = {
    {.name = "type", .type = FIELD_STRING},
    {.name = "include_child_namespaces", .type = FIELD_BOOL},
    {.name = "limit", .type = FIELD_STRING},
    {0},
};

/* Only leases that cannot be revoked are counted and listed. */
static bool irrevocable(struct vault_job *job)
{
    bool asked = slice_equal_text(field_text(&job->fields, "type"), "irrevocable");
    if (!asked)
        call_fail_bare(job, 404);
    return asked;
}

static void count(struct vault_job *job)
{
    if (irrevocable(job))
        call_answer_tree(job, CALL_DATA, json_pack("{s:{},s:i}", "counts", "lease_count", 0));
}

static void list(struct vault_job *job)
{
    if (irrevocable(job))
        call_answer_tree(job, CALL_DATA, json_pack("{s:[],s:i}", "leases", "lease_count", 0));
}

#define ROW(path, last)                                                                            \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_UPDATE, .fields = lease_fields, .finish = last         \
    }

static const struct route_endpoint rows[] = {
    {.pattern = "leases/lookup/*prefix", .operation = ROUTE_LIST, .finish = lookup_list},
    ROW("leases/lookup", lookup),
    ROW("leases/renew", renew),
    ROW("leases/renew/*id", renew_path),
    ROW("renew", renew),
    ROW("renew/*id", renew_path),
    ROW("leases/revoke", revoke),
    ROW("leases/revoke/*id", revoke_path),
    ROW("revoke", revoke),
    ROW("revoke/*id", revoke_path),
    ROW("leases/revoke-force/+prefix", call_empty),
    ROW("revoke-force/+prefix", call_empty),
    ROW("leases/revoke-prefix/+prefix", call_empty),
    ROW("revoke-prefix/+prefix", call_empty),
    ROW("leases/tidy", tidy),
    {.pattern = "leases/count", .operation = ROUTE_READ, .fields = count_fields, .finish = count},
    {.pattern = "leases", .operation = ROUTE_READ, .fields = count_fields, .finish = list},
};

const struct route_table sys_leases_table = ROUTE_TABLE(rows);
