/* sys/wrapping/: wrap, lookup, unwrap, rewrap (vault-api.md 2.16). */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/api.h"
#include "fakevault/core/cubbyhole/cubbyhole.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/state.h"
#include "fakevault/core/wrapping/wrapping.h"

static const struct field_spec token_fields[] = {{.name = "token", .type = FIELD_STRING}, {0}};

/* --- the wrapping token ----------------------------------------------------------------------- */

static const json_t *sent_token(const struct vault_job *job)
{
    const json_t *sent = json_object_get(job->data, "token");
    return json_is_null(sent) ? NULL : sent;
}

/* The id in the body, else the client token. */
static struct slice wrapping_id(const struct vault_job *job)
{
    const json_t *sent = sent_token(job);
    return sent == NULL ? request_token(&job->request)
                        : slice_bytes(json_string_value(sent), json_string_length(sent));
}

static struct token *find_wrapping(const struct vault_job *job)
{
    return token_table_find(&job->vault->tokens, wrapping_id(job));
}

static const char *fault_of_token(const struct vault_job *job)
{
    const json_t *sent = sent_token(job);
    struct slice text;
    if (sent != NULL && !gojson_string(sent, &text))
        return "could not decode token in request body";
    if (sent != NULL && json_string_length(sent) == 0)
        return "empty token in request body";
    return wrapping_id(job).len == 0 ? "token is empty" : NULL;
}

/* Vault looks at the wrapping token before it looks at who asks. */
static void admit(struct vault_job *job)
{
    const char *fault = fault_of_token(job);
    if (fault != NULL) {
        call_fail(job, 403, "error validating wrapping token: %s", fault);
        return;
    }
    const struct token *token = find_wrapping(job);
    if (token == NULL || !token_usable(token, job->now.wall_ns) || !wrapping_is_token(token))
        call_fail(job, 400, WRAPPING_INVALID);
}

/* Reads a record of the token's cubbyhole. False: answered. */
static bool load(struct vault_job *job, const struct token *token, const char *path, json_t **out)
{
    struct secret record CLEANUP(secret_done) = {0};
    struct errc_why why = {{0}};
    char name[STORE_NAME_MAX];
    (void)cubbyhole_name(token, slice_of(path), name);
    enum errc code = barrier_get(&job->vault->barrier, name, &record, &why);
    if (code == ERRC_OK)
        code = gojson_parse(secret_slice(&record), out, &why);
    if (code == ERRC_NOT_FOUND)
        call_fail(job, 400,
                  "no information found; wrapping token may be from a previous Vault version");
    else if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

static struct slice member(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_bytes(json_string_value(text), json_string_length(text));
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* The token that a finish works on: another request may have been faster. */
static struct token *take_token(struct vault_job *job)
{
    struct token *token = sent_token(job) == NULL ? job->token : find_wrapping(job);
    if (token != NULL && (token == job->token || token_usable(token, job->now.wall_ns)))
        return token;
    call_fail(job, 400, WRAPPING_INVALID);
    return NULL;
}

/* A token of the body is used up by this; the client's own is by the request itself. */
static enum errc use_up(struct vault_job *job, struct token *token, struct errc_why *why)
{
    struct vault *v = job->vault;
    return token == job->token ? ERRC_OK : token_store_revoke(&v->tokens, &v->barrier, token, why);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static void wrap_prepare(struct vault_job *job)
{
    if (job->wrap_ttl_ns == 0)
        call_fail(job, 400, "endpoint requires response wrapping to be used");
}

static void wrap_finish(struct vault_job *job)
{
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    if (job->data == NULL)
        buf_add_text(&text, "{}");
    else
        jsonwrite_value(&w, NULL, job->data);
    job->no_memory = job->no_memory || text.failed;
    call_answer_json(job, buf_slice(&text));
}

static void write_seconds(struct jsonwrite *w, const char *key, int64_t ns)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.15g", (double)ns / NS_PER_S);
    jsonwrite_raw(w, key, slice_of(text));
}

static void lookup_finish(struct vault_job *job)
{
    json_t *info CLEANUP(jsonread_done) = NULL;
    const struct token *token = find_wrapping(job);
    if (token == NULL)
        call_fail(job, 400, WRAPPING_INVALID);
    if (call_answered(job) || !load(job, token, "wrapinfo", &info))
        return;
    struct jsonwrite *w = call_data(job);
    jsonwrite_slice(w, "creation_path", member(info, "creation_path"));
    jsonwrite_slice(w, "creation_time", member(info, "creation_time"));
    write_seconds(w, "creation_ttl", number(info, "creation_ttl"));
    call_answer(job, CALL_DATA);
}

/* Answers with a stored body; false when the envelope holds none. */
static bool answer_raw(struct vault_job *job, struct slice envelope)
{
    static const char mark[] = "http_raw_body";
    json_t *tree CLEANUP(jsonread_done) = NULL;
    struct buf body CLEANUP(buf_done);
    buf_init(&body, LIMIT_REPLY_BODY_BYTES);
    if (memmem(envelope.ptr, envelope.len, mark, sizeof mark - 1) == NULL ||
        gojson_parse(envelope, &tree, NULL) != ERRC_OK)
        return false;
    const json_t *data = json_object_get(tree, "data");
    if (json_object_get(data, mark) == NULL ||
        base64_parse(member(data, mark), BASE64_STANDARD, &body, NULL) != ERRC_OK)
        return false;
    call_answer_stored(job, (int)number(data, "http_status_code"), buf_slice(&body));
    return true;
}

static void unwrap_finish(struct vault_job *job)
{
    json_t *stored CLEANUP(jsonread_done) = NULL;
    struct errc_why why = {{0}};
    struct token *token = take_token(job);
    if (token == NULL || !load(job, token, "response", &stored))
        return;
    enum errc code = use_up(job, token, &why);
    struct slice envelope = member(stored, "response");
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else if (envelope.len == 0)
        call_empty(job);
    else if (!answer_raw(job, envelope))
        call_answer_stored(job, 200, envelope);
}

static int64_t shorter(int64_t wanted_ns, int64_t given_ns)
{
    return given_ns > 0 && given_ns < wanted_ns ? given_ns : wanted_ns;
}

/* Makes the new token, then drops the old one; fails as a whole. */
static enum errc replace(struct vault_job *job, struct token *token,
                         const struct wrapping_content *content, struct errc_why *why)
{
    struct vault *v = job->vault;
    struct token *made;
    TRY(wrapping_make(job, content, &made, why));
    enum errc code = use_up(job, token, why);
    if (code != ERRC_OK && token_store_revoke(&v->tokens, &v->barrier, made, NULL) != ERRC_OK)
        made->uses_left = TOKEN_SPENT; /* nobody is told of it */
    return code;
}

static void rewrap_finish(struct vault_job *job)
{
    json_t *stored CLEANUP(jsonread_done) = NULL, *info CLEANUP(jsonread_done) = NULL;
    struct errc_why why = {{0}};
    struct token *token = take_token(job);
    if (token == NULL || !load(job, token, "wrapinfo", &info) ||
        !load(job, token, "response", &stored))
        return;
    struct wrapping_content content = {.response = member(stored, "response"),
                                       .creation_path = member(info, "creation_path"),
                                       .ttl_ns =
                                           shorter(number(info, "creation_ttl"), job->wrap_ttl_ns)};
    enum errc code = replace(job, token, &content, &why);
    if (code == ERRC_OK)
        wrapping_hide(job);
    else
        call_trouble(job, code, &why);
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "wrapping/wrap", .operation = ROUTE_UPDATE,
     .any_fields = true, .prepare = wrap_prepare, .finish = wrap_finish},
    {.pattern = "wrapping/lookup", .operation = ROUTE_READ,
     .fields = token_fields, .public = true, .admit = admit, .finish = lookup_finish},
    {.pattern = "wrapping/lookup", .operation = ROUTE_UPDATE,
     .fields = token_fields, .public = true, .admit = admit, .finish = lookup_finish},
    {.pattern = "wrapping/unwrap", .operation = ROUTE_UPDATE,
     .fields = token_fields, .admit = admit, .finish = unwrap_finish},
    {.pattern = "wrapping/rewrap", .operation = ROUTE_UPDATE,
     .fields = token_fields, .admit = admit, .finish = rewrap_finish},
};
/* clang-format on */

const struct route_table wrapping_table = ROUTE_TABLE(rows);
