#include "fakevault/core/api.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/token/token_lookup.h"

static void lookup_self_finish(struct vault_job *job)
{
    token_lookup_answer(job, job->token, request_token(&job->request));
}

static const struct route_endpoint rows[] = {
    {.pattern = "lookup-self", .operation = ROUTE_READ, .finish = lookup_self_finish},
    {.pattern = "lookup-self", .operation = ROUTE_UPDATE, .finish = lookup_self_finish},
};

const struct route_table token_api_table = ROUTE_TABLE(rows);
