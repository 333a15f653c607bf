#include "fakevault/core/wrapping/wrapping.h"

#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/cubbyhole/cubbyhole.h"
#include "fakevault/core/envelope.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/token_ttl.h"

static const struct slice policies[] = {{WRAPPING_POLICY, sizeof WRAPPING_POLICY - 1}};

bool wrapping_is_token(const struct token *token)
{
    return token->policy_count == 1 && slice_equal(token->policies[0], policies[0]);
}

/* --- token and cubbyhole ---------------------------------------------------------------------- */

static struct token draft_token(const struct vault_job *job, int64_t ttl_ns)
{
    int64_t now = job->now.wall_ns;
    return (struct token){.policies = policies,
                          .policy_count = 1,
                          .path = buf_slice(&job->path),
                          .orphan = true,
                          .created_s = now / NS_PER_S,
                          .ttl_ns = ttl_ns,
                          .explicit_max_ttl_ns = ttl_ns,
                          .uses_granted = 1,
                          .uses_left = 1,
                          .issued_ns = now,
                          .lease_ns = ttl_ns,
                          .expires_ns = token_end(now, ttl_ns)};
}

static void put(struct vault_job *job, struct barrier_batch *batch, const struct token *token,
                const char *path, const struct buf *json)
{
    char name[STORE_NAME_MAX];
    (void)cubbyhole_name(token, slice_of(path), name); /* short enough */
    if (json->failed && batch->status == ERRC_OK)
        batch->status = buf_status(json, NULL);
    barrier_batch_put(&job->vault->barrier, batch, name, buf_slice(json));
}

static void put_response(struct vault_job *job, struct barrier_batch *batch,
                         const struct token *token, struct slice response)
{
    struct buf json CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&json, LIMIT_REPLY_BODY_BYTES);
    jsonwrite_init(&w, &json, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    jsonwrite_slice(&w, "response", response);
    jsonwrite_end(&w);
    put(job, batch, token, "response", &json);
}

static void put_info(struct vault_job *job, struct barrier_batch *batch, const struct token *token,
                     const struct wrapping_content *content)
{
    struct buf json CLEANUP(buf_done);
    struct jsonwrite w;
    char created[STAMP_BYTES];
    stamp_format(token->issued_ns, STAMP_GO_NANO, created);
    buf_init(&json, LIMIT_REQUEST_BODY_BYTES);
    jsonwrite_init(&w, &json, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    jsonwrite_slice(&w, "creation_path", content->creation_path);
    jsonwrite_string(&w, "creation_time", created);
    jsonwrite_int(&w, "creation_ttl", content->ttl_ns);
    jsonwrite_end(&w);
    put(job, batch, token, "wrapinfo", &json);
}

static void write_wrap_info(struct vault_job *job, const struct token *token, const char *id,
                            const struct wrapping_content *content)
{
    struct jsonwrite w;
    char created[STAMP_BYTES];
    stamp_format(token->issued_ns, STAMP_GO_NANO, created);
    jsonwrite_init(&w, &job->wrap_out, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "token", id);
    jsonwrite_string(&w, "accessor", token->accessor);
    jsonwrite_int(&w, "ttl", content->ttl_ns / NS_PER_S);
    jsonwrite_string(&w, "creation_time", created);
    jsonwrite_slice(&w, "creation_path", content->creation_path);
    if (job->auth_accessor[0] != '\0')
        jsonwrite_string(&w, "wrapped_accessor", job->auth_accessor);
    jsonwrite_end(&w);
    job->no_memory = job->no_memory || job->wrap_out.failed;
}

/* Token and content are one batch: there is never the one without the other. */
enum errc wrapping_make(struct vault_job *job, const struct wrapping_content *content,
                        struct token **out, struct errc_why *why)
{
    struct vault *v = job->vault;
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    struct token draft = draft_token(job, content->ttl_ns), *token = NULL;
    char id[TOKEN_ID_BYTES];
    barrier_batch_init(&batch);
    token_id_service(&v->ports.entropy, &v->tokens.keys, id);
    enum errc code =
        token_store_draw(&v->tokens, &v->barrier, &draft, slice_of(id), &batch, &token);
    if (code == ERRC_OK) {
        put_response(job, &batch, token, content->response);
        put_info(job, &batch, token, content);
        code = barrier_commit(&v->barrier, &batch, why);
    }
    if (code == ERRC_OK) {
        token_store_adopt(&v->tokens, token);
        write_wrap_info(job, token, id, content);
        *out = token;
    } else {
        token_release(token);
    }
    secret_wipe(id, sizeof id);
    return code;
}

void wrapping_hide(struct vault_job *job)
{
    buf_done(&job->data_out);
    buf_done(&job->auth_out);
    buf_reset(&job->warnings);
    call_answer_none(job, 200);
}

/* --- which answers ---------------------------------------------------------------------------- */

/* Answers that are no plain envelope are kept with what else is needed to send them again. */
static void keep_raw(struct vault_job *job, struct slice body)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REPLY_BODY_BYTES);
    base64_format(body, BASE64_STANDARD, &text);
    int status = job->status;
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "http_content_type", "application/json");
    jsonwrite_slice(w, "http_raw_body", buf_slice(&text));
    jsonwrite_int(w, "http_status_code", status);
    job->no_memory = job->no_memory || text.failed;
    call_answer(job, CALL_DATA);
}

static void make_plain(struct vault_job *job)
{
    struct buf body CLEANUP(buf_done);
    buf_init(&body, LIMIT_REPLY_BODY_BYTES);
    if (job->shape == CALL_BARE)
        buf_add_slice(&body, buf_slice(&job->data_out));
    else
        envelope_plain(job, &body);
    if (!body.failed)
        keep_raw(job, buf_slice(&body));
    job->no_memory = job->no_memory || body.failed;
}

static bool wraps(const struct vault_job *job)
{
    bool shape = job->shape == CALL_DATA || job->shape == CALL_INJECTED ||
                 (job->shape == CALL_BARE && job->raw);
    return job->wrap_ttl_ns > 0 && shape && !job->bare_protocol && !job->no_memory &&
           job->wrap_out.len == 0 && !state_sealed(job->vault);
}

/* Nothing is no answer to wrap. */
static bool is_empty_list(const struct vault_job *job)
{
    return job->wrap_ttl_ns > 0 && job->operation == ROUTE_LIST && job->shape == CALL_ERROR &&
           job->status == 404 && !job->with_errors;
}

void wrapping_apply(struct vault_job *job)
{
    struct buf envelope CLEANUP(buf_done);
    struct errc_why why = {{0}};
    struct token *token;
    buf_init(&envelope, LIMIT_REPLY_BODY_BYTES);
    if (is_empty_list(job))
        call_fail(job, 404, "unsupported path");
    if (!wraps(job))
        return;
    if (job->raw)
        make_plain(job);
    envelope_plain(job, &envelope);
    struct wrapping_content content = {.response = buf_slice(&envelope),
                                       .creation_path = buf_slice(&job->path),
                                       .ttl_ns = job->wrap_ttl_ns};
    enum errc code = buf_status(&envelope, &why);
    if (code == ERRC_OK)
        code = wrapping_make(job, &content, &token, &why);
    if (code == ERRC_OK)
        wrapping_hide(job);
    else
        call_trouble(job, code, &why);
}
