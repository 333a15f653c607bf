#include "fakevault/core/token/api/token_use.h"

#include "fakevault/core/state.h"

static bool is_limited(const struct vault_job *job)
{
    return job->token_counts && job->token != NULL && job->token->uses_left != 0 &&
           !state_sealed(job->vault);
}

void token_use_begin(struct vault_job *job)
{
    struct vault *v = job->vault;
    if (!is_limited(job))
        return;
    if (job->token->dead || job->token->uses_left == TOKEN_SPENT) {
        job->token_counts = false;
        call_wrapped(job, 403, "permission denied");
        return;
    }
    if (token_store_use(&v->tokens, &v->barrier, job->token, NULL) == ERRC_OK)
        return;
    job->token_counts = false;
    call_fault(job, "internal error");
}

void token_use_end(struct vault_job *job)
{
    struct vault *v = job->vault;
    if (!is_limited(job) || job->token->dead || job->token->uses_left != TOKEN_SPENT)
        return;
    /* Spent is as good as gone: what fails here is cleared away at the next unseal. */
    if (token_store_revoke(&v->tokens, &v->barrier, job->token, NULL) != ERRC_OK)
        job->token_counts = false;
}
