#include "fakevault/core/token/api/token_auth.h"

#include <string.h>

#include "base/units.h"
#include "fakevault/core/policy/acl.h"
#include "fakevault/core/policy/authorise.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/api/token_lookup.h"
#include "fakevault/core/token/token_batch.h"
#include "fakevault/core/token/token_cidr.h"
#include "fakevault/core/token/token_ttl.h"

bool token_auth_sudo(struct vault_job *job)
{
    if (token_is_root(job->token))
        return true;
    const struct acl *acl = authorise_acl(job, job->token);
    return acl != NULL && (acl_capabilities(acl, buf_slice(&job->path)) & POLICY_SUDO) != 0;
}

bool token_auth_place(const struct token *token, struct slice address)
{
    if (token->ttl_ns == 0 || token->bound_cidr_count == 0)
        return true;
    for (size_t i = 0; i < token->bound_cidr_count; i++)
        if (token_cidr_contains(token->bound_cidrs[i], address))
            return true;
    return false;
}

struct token *token_auth_find(struct vault_job *job, struct slice id)
{
    struct vault *v = job->vault;
    struct token *token = NULL;
    if (!token_batch_is(id)) {
        token = token_table_find(&v->tokens, id);
        return token == NULL ? NULL : token_keep(token);
    }
    enum errc code = token_batch_open(&v->barrier, &v->tokens, id, job->now.wall_ns, &token);
    job->no_memory = job->no_memory || code == ERRC_NOMEM;
    if (code != ERRC_OK || !token_expired(token, job->now.wall_ns))
        return code == ERRC_OK ? token : NULL;
    token_release(token);
    return NULL;
}

static void write_auth(struct jsonwrite *w, const struct token *t, struct slice id, int64_t ttl_ns)
{
    jsonwrite_object(w, NULL);
    jsonwrite_slice(w, "client_token", id);
    jsonwrite_string(w, "accessor", t->accessor);
    token_lookup_list(w, "policies", t->policies, t->policy_count);
    if (t->policy_count > 0)
        token_lookup_list(w, "token_policies", t->policies, t->policy_count);
    token_lookup_json(w, "metadata", t->meta);
    jsonwrite_int(w, "lease_duration", ttl_ns / NS_PER_S);
    jsonwrite_bool(w, "renewable", t->renewable);
    jsonwrite_string(w, "entity_id", "");
    jsonwrite_string(w, "token_type", token_type_name(t->type));
    jsonwrite_bool(w, "orphan", t->orphan);
    jsonwrite_null(w, "mfa_requirement");
    jsonwrite_int(w, "num_uses", t->uses_granted);
    jsonwrite_end(w);
}

void token_auth_answer(struct vault_job *job, const struct token *token, struct slice id,
                       int64_t ttl_ns)
{
    struct jsonwrite w;
    jsonwrite_init(&w, &job->auth_out, JSONWRITE_GO_HTML);
    write_auth(&w, token, id, ttl_ns);
    job->no_memory = job->no_memory || job->auth_out.failed;
    memcpy(job->auth_accessor, token->accessor, sizeof job->auth_accessor);
    call_answer_none(job, 200);
}
