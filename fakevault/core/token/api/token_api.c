/* auth/token/: the endpoints that look at, renew and revoke tokens (vault-api.md 3.1). */
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/api/token_auth.h"
#include "fakevault/core/token/api/token_create.h"
#include "fakevault/core/token/api/token_lookup.h"
#include "fakevault/core/token/api/token_role.h"
#include "fakevault/core/token/token_ttl.h"

static const struct field_spec token_fields[] = {{.name = "token", .type = FIELD_STRING}, {0}};

static const struct field_spec accessor_fields[] = {{.name = "accessor", .type = FIELD_STRING},
                                                    {0}};

static const struct field_spec renew_fields[] = {
    {.name = "increment", .type = FIELD_SECONDS},
    {.name = "token", .type = FIELD_STRING},
    {0},
};

static const struct field_spec renew_accessor_fields[] = {
    {.name = "accessor", .type = FIELD_STRING},
    {.name = "increment", .type = FIELD_SECONDS},
    {0},
};

static int64_t wall(const struct vault_job *job)
{
    return job->now.wall_ns;
}

/* --- which token ------------------------------------------------------------------------------ */

/* An id in the body that says to be signed and is not is turned down by all of these. */
static void token_prepare(struct vault_job *job)
{
    uint8_t digest[DIGEST_BYTES];
    const json_t *sent = json_object_get(job->data, "token");
    struct slice text;
    if (sent != NULL && !gojson_string(sent, &text))
        call_fail(job, 403, "invalid token");
    else if (!token_id_digest(field_text(&job->fields, "token"), &job->vault->tokens.keys, digest))
        call_fail(job, 403, "bad token");
}

/* The token of an accessor, spent or expired perhaps. A request without one is answered. */
static struct token *find_accessor(struct vault_job *job)
{
    struct slice accessor = field_text(&job->fields, "accessor");
    if (accessor.len == 0) {
        call_wrapped(job, 400, "missing accessor");
        return NULL;
    }
    return token_table_find_accessor(&job->vault->tokens, accessor);
}

static bool is_live(const struct vault_job *job, const struct token *token)
{
    return token != NULL && token_usable(token, wall(job));
}

/* --- lookup ----------------------------------------------------------------------------------- */

static void lookup_self_finish(struct vault_job *job)
{
    token_lookup_answer(job, job->token, request_token(&job->request));
}

/* Without a token in the body the caller's own, by its short id. */
static void lookup_own(struct vault_job *job)
{
    char inner[TOKEN_ID_BYTES];
    struct slice id;
    (void)token_id_open(request_token(&job->request), &job->vault->tokens.keys, inner, &id);
    token_lookup_answer(job, job->token, id);
    secret_wipe(inner, sizeof inner);
}

static void lookup_finish(struct vault_job *job)
{
    struct slice id = field_text(&job->fields, "token");
    if (id.len == 0) {
        lookup_own(job);
        return;
    }
    struct token *token = token_auth_find(job, id);
    if (token == NULL)
        call_fail(job, 403, "bad token");
    else
        token_lookup_answer(job, token, id);
    token_release(token);
}

static void lookup_accessor_finish(struct vault_job *job)
{
    struct token *token = find_accessor(job);
    if (call_answered(job))
        return;
    if (token == NULL)
        call_wrapped(job, 400, "invalid accessor");
    else
        token_lookup_answer(job, token, (struct slice){0});
}

static void accessors_list(struct vault_job *job)
{
    const struct token_table *t = &job->vault->tokens;
    struct jsonwrite *w = call_data(job);
    jsonwrite_array(w, "keys");
    for (struct token *x = token_table_next(t, NULL); x != NULL; x = token_table_next(t, x))
        jsonwrite_string(w, NULL, x->accessor);
    jsonwrite_end(w);
    call_answer(job, CALL_DATA);
}

/* --- renewal ---------------------------------------------------------------------------------- */

static const char *why_not_renewable(const struct token *token)
{
    if (token->type == TOKEN_BATCH)
        return "batch tokens cannot be renewed";
    if (token->issued_ns == 0)
        return "invalid lease ID";
    return token->expires_ns == 0 || !token->renewable ? "lease is not renewable" : NULL;
}

/* The limits of a token that was made by a role are the role's of today. False: answered. */
static bool read_limits(struct vault_job *job, const struct token *token, struct token_ttl_ask *ask)
{
    json_t *role CLEANUP(jsonread_done) = NULL;
    struct errc_why why = {{0}};
    ask->period_ns = token->period_ns;
    ask->explicit_max_ns = token->explicit_max_ttl_ns;
    if (token->role.len == 0)
        return true;
    enum errc code = token_role_load(job->vault, token->role, &role, &why);
    if (code == ERRC_NOT_FOUND)
        call_fault(job,
                   "failed to renew entry: original token role \"%.*s\" could not be found, not "
                   "renewing",
                   SLICE_FMT(token->role));
    else if (code != ERRC_OK)
        call_trouble(job, code, &why);
    ask->period_ns = token_role_ns(role, "token_period");
    ask->explicit_max_ns = token_role_ns(role, "token_explicit_max_ttl");
    return code == ERRC_OK;
}

static void renew(struct vault_job *job, struct token *token, struct slice id)
{
    struct vault *v = job->vault;
    const char *refusal = why_not_renewable(token);
    struct errc_why why = {{0}};
    if (refusal != NULL) {
        call_fail(job, 400, "%s", refusal);
        return;
    }
    int64_t increment_s = field_number(&job->fields, "increment"), ttl_ns;
    struct token_ttl_ask ask = {.increment_ns = increment_s * NS_PER_S,
                                .ttl_ns = token->lease_ns,
                                .start_ns = token->issued_ns};
    if (!read_limits(job, token, &ask) || !token_ttl_calculate(job, &ask, &ttl_ns))
        return;
    enum errc code = token_store_renew(&v->tokens, &v->barrier, token, ttl_ns, wall(job), &why);
    if (code == ERRC_OK)
        token_auth_answer(job, token, id, ttl_ns);
    else
        call_trouble(job, code, &why);
}

static void renew_finish(struct vault_job *job)
{
    struct slice id = field_text(&job->fields, "token");
    if (id.len == 0) {
        call_fail(job, 400, "missing token ID");
        return;
    }
    struct token *token = token_auth_find(job, id);
    if (is_live(job, token))
        renew(job, token, id);
    else
        call_fail(job, 400, "token not found");
    token_release(token);
}

static void renew_self_finish(struct vault_job *job)
{
    if (is_live(job, job->token))
        renew(job, job->token, request_token(&job->request));
    else
        call_fail(job, 400, "token not found");
}

static void renew_accessor_finish(struct vault_job *job)
{
    struct token *token = find_accessor(job);
    if (call_answered(job))
        return;
    if (token == NULL)
        call_wrapped(job, 400, "invalid accessor");
    else if (!is_live(job, token))
        call_fail(job, 400, "token not found");
    else
        renew(job, token, (struct slice){0});
}

/* --- revocation ------------------------------------------------------------------------------- */

static void revoke(struct vault_job *job, struct token *token, bool alone)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    if (token->type == TOKEN_BATCH) {
        call_fail(job, 400, "batch tokens cannot be revoked");
        return;
    }
    enum errc code = alone ? token_store_revoke_alone(&v->tokens, &v->barrier, token, &why)
                           : token_store_revoke(&v->tokens, &v->barrier, token, &why);
    call_done(job, code, &why);
}

static void revoke_finish(struct vault_job *job)
{
    struct slice id = field_text(&job->fields, "token");
    if (id.len == 0) {
        call_fail(job, 400, "missing token ID");
        return;
    }
    struct token *token = token_auth_find(job, id);
    if (is_live(job, token))
        revoke(job, token, false);
    else
        call_empty(job);
    token_release(token);
}

static void revoke_self_finish(struct vault_job *job)
{
    if (is_live(job, job->token))
        revoke(job, job->token, false);
    else
        call_empty(job);
}

static void revoke_orphan_finish(struct vault_job *job)
{
    struct slice id = field_text(&job->fields, "token");
    if (id.len == 0) {
        call_fail(job, 400, "missing token ID");
        return;
    }
    if (!token_auth_sudo(job)) {
        call_fail(job, 400, "root or sudo privileges required to revoke and orphan");
        return;
    }
    struct token *token = token_auth_find(job, id);
    if (is_live(job, token))
        revoke(job, token, true);
    else
        call_fail(job, 400, "token to revoke not found");
    token_release(token);
}

static void revoke_accessor_finish(struct vault_job *job)
{
    struct token *token = find_accessor(job);
    if (call_answered(job))
        return;
    if (token == NULL) {
        call_warn(job, "No token found with this accessor");
        call_answer_none(job, 200);
    } else if (!is_live(job, token)) {
        call_fail(job, 400, "token not found");
    } else {
        revoke(job, token, false);
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

/* There is little to find: what a crash leaves is cleared away at the next unseal. */
static void tidy_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    enum errc code = token_store_tidy(&v->tokens, &v->barrier, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    call_answer_none(job, 202);
    call_make_raw(job, 202);
    call_warn(job,
              "Tidy operation successfully started. Any information from the operation will be "
              "printed to Vault's server logs.");
}

static void write_counter(struct vault_job *job, const char *what, size_t total)
{
    struct jsonwrite *w = call_data(job);
    jsonwrite_object(w, "counters");
    jsonwrite_object(w, what);
    jsonwrite_int(w, "total", (int64_t)total);
    jsonwrite_end(w);
    jsonwrite_end(w);
    call_answer(job, CALL_DATA);
}

static void count_tokens_finish(struct vault_job *job)
{
    write_counter(job, "service_tokens", job->vault->tokens.count);
}

static void count_entities_finish(struct vault_job *job)
{
    write_counter(job, "entities", 0);
}

static void count_requests_finish(struct vault_job *job)
{
    call_fail(job, 404, "The functionality has been removed on this path");
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "create", .operation = ROUTE_UPDATE,
     .fields = token_create_fields, .finish = token_create_finish},
    {.pattern = "create-orphan", .operation = ROUTE_UPDATE,
     .fields = token_create_fields, .finish = token_create_orphan_finish},
    {.pattern = "create/:role_name", .operation = ROUTE_UPDATE,
     .fields = token_create_fields, .finish = token_create_by_role_finish},
    {.pattern = "lookup-self", .operation = ROUTE_READ,
     .fields = token_fields, .finish = lookup_self_finish},
    {.pattern = "lookup-self", .operation = ROUTE_UPDATE,
     .fields = token_fields, .finish = lookup_self_finish},
    {.pattern = "lookup", .operation = ROUTE_READ,
     .fields = token_fields, .prepare = token_prepare, .finish = lookup_finish},
    {.pattern = "lookup", .operation = ROUTE_UPDATE,
     .fields = token_fields, .prepare = token_prepare, .finish = lookup_finish},
    {.pattern = "lookup-accessor", .operation = ROUTE_UPDATE,
     .fields = accessor_fields, .finish = lookup_accessor_finish},
    {.pattern = "accessors/?", .operation = ROUTE_LIST, .finish = accessors_list},
    {.pattern = "renew", .operation = ROUTE_UPDATE,
     .fields = renew_fields, .prepare = token_prepare, .finish = renew_finish},
    {.pattern = "renew-self", .operation = ROUTE_UPDATE,
     .fields = renew_fields, .finish = renew_self_finish},
    {.pattern = "renew-accessor", .operation = ROUTE_UPDATE,
     .fields = renew_accessor_fields, .finish = renew_accessor_finish},
    {.pattern = "revoke", .operation = ROUTE_UPDATE,
     .fields = token_fields, .prepare = token_prepare, .finish = revoke_finish},
    {.pattern = "revoke-self", .operation = ROUTE_UPDATE, .finish = revoke_self_finish},
    {.pattern = "revoke-orphan", .operation = ROUTE_UPDATE,
     .fields = token_fields, .prepare = token_prepare, .finish = revoke_orphan_finish},
    {.pattern = "revoke-accessor", .operation = ROUTE_UPDATE,
     .fields = accessor_fields, .finish = revoke_accessor_finish},
    {.pattern = "tidy", .operation = ROUTE_UPDATE, .finish = tidy_finish},
};
/* clang-format on */

static const struct route_endpoint counter_rows[] = {
    {.pattern = "internal/counters/entities",
     .operation = ROUTE_READ,
     .finish = count_entities_finish},
    {.pattern = "internal/counters/requests",
     .operation = ROUTE_READ,
     .finish = count_requests_finish},
    {.pattern = "internal/counters/tokens", .operation = ROUTE_READ, .finish = count_tokens_finish},
};

const struct route_table token_counter_table = ROUTE_TABLE(counter_rows);

const struct route_table token_api_table = ROUTE_TABLE(rows);
