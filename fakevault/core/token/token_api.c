#include "base/text/stamp.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/request.h"

static void write_policies(struct jsonwrite *w, const struct token *token)
{
    struct slice rest = slice_of(token->policies);
    jsonwrite_array(w, "policies");
    while (rest.len > 0)
        jsonwrite_slice(w, NULL, slice_cut(&rest, ','));
    jsonwrite_end(w);
}

static void lookup_self_finish(struct vault_job *job)
{
    const struct token *t = &job->token;
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "accessor", t->accessor);
    jsonwrite_int(w, "creation_time", t->created_ns / 1000000000);
    jsonwrite_int(w, "creation_ttl", 0);
    jsonwrite_string(w, "display_name", t->display_name);
    jsonwrite_string(w, "entity_id", "");
    jsonwrite_null(w, "expire_time");
    jsonwrite_int(w, "explicit_max_ttl", 0);
    jsonwrite_slice(w, "id", request_token(&job->request));
    if (t->issued) {
        char issued[STAMP_BYTES];
        stamp_format(t->created_ns, STAMP_GO_NANO, issued);
        jsonwrite_string(w, "issue_time", issued);
    }
    jsonwrite_null(w, "meta");
    jsonwrite_int(w, "num_uses", 0);
    jsonwrite_bool(w, "orphan", t->orphan);
    jsonwrite_string(w, "path", t->path);
    write_policies(w, t);
    if (t->issued)
        jsonwrite_bool(w, "renewable", false);
    jsonwrite_int(w, "ttl", 0);
    jsonwrite_string(w, "type", "service");
    call_answer(job, CALL_DATA);
}

static const struct route_endpoint rows[] = {
    {.pattern = "lookup-self", .operation = ROUTE_READ, .finish = lookup_self_finish},
    {.pattern = "lookup-self", .operation = ROUTE_UPDATE, .finish = lookup_self_finish},
};

const struct route_table token_api_table = ROUTE_TABLE(rows);
