#include "fakevault/core/cubbyhole/cubbyhole.h"

#include <stdio.h>

#include "base/limits.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

#define DEPRECATED                                                                                 \
    "Reading from 'cubbyhole/response' is deprecated. Please use sys/wrapping/unwrap to unwrap "   \
    "responses, as it provides additional security checks and other benefits."

bool cubbyhole_name(const struct token *token, struct slice path, char out[static STORE_NAME_MAX])
{
    int len = snprintf(out, STORE_NAME_MAX, TOKEN_STORE_CUBBYHOLE "%s/%.*s", token->accessor,
                       SLICE_FMT(path));
    return len < (int)STORE_NAME_MAX;
}

static bool check_type(struct vault_job *job)
{
    if (job->token->type != TOKEN_SERVICE)
        call_fail(job, 400, "cubbyhole operations are only supported by \"service\" type tokens");
    return !call_answered(job);
}

/* Reads what is there; false when nothing is (or trouble, answered). */
static bool load(struct vault_job *job, struct secret *out)
{
    struct errc_why why = {{0}};
    char name[STORE_NAME_MAX];
    if (!cubbyhole_name(job->token, call_capture(job, "path"), name))
        return false;
    enum errc code = barrier_get(&job->vault->barrier, name, out, &why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

static bool exists(struct vault_job *job)
{
    struct secret value CLEANUP(secret_done) = {0};
    return check_type(job) && load(job, &value);
}

static void read_finish(struct vault_job *job)
{
    struct secret value CLEANUP(secret_done) = {0};
    struct slice path = call_capture(job, "path");
    if (!check_type(job))
        return;
    if (path.len == 0) {
        call_fault(job, "missing path");
        return;
    }
    if (load(job, &value)) {
        if (slice_equal_text(path, "response") && token_has_policy(job->token, "response-wrapping"))
            call_warn(job, DEPRECATED);
        call_answer_json(job, secret_slice(&value));
    } else if (!call_answered(job)) {
        call_fail_bare(job, 404);
    }
}

static void store(struct vault_job *job, const char *name)
{
    struct errc_why why = {{0}};
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    jsonwrite_value(&w, NULL, job->data);
    enum errc code = buf_status(&text, &why);
    if (code == ERRC_OK)
        code = barrier_put(&job->vault->barrier, name, buf_slice(&text), &why);
    call_done(job, code, &why);
}

static void write_finish(struct vault_job *job)
{
    struct slice path = call_capture(job, "path");
    char name[STORE_NAME_MAX];
    if (!check_type(job))
        return;
    if (json_object_size(job->data) == 0)
        call_fault(job, "missing data fields");
    else if (path.len == 0)
        call_fault(job, "missing path");
    else if (!cubbyhole_name(job->token, path, name))
        call_fault(job, "failed to write: the path is too long");
    else
        store(job, name);
}

static void delete_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    char name[STORE_NAME_MAX];
    if (!check_type(job))
        return;
    if (!cubbyhole_name(job->token, call_capture(job, "path"), name)) {
        call_empty(job);
        return;
    }
    enum errc code = store_erase(job->vault->ports.store, slice_of(name), &why);
    call_done(job, code, &why);
}

static void list_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    char prefix[STORE_NAME_MAX];
    if (!check_type(job))
        return;
    if (!cubbyhole_name(job->token, call_capture(job, "path"), prefix)) {
        call_fail_bare(job, 404);
        return;
    }
    struct jsonwrite *w = call_data(job);
    jsonwrite_array(w, "keys");
    size_t empty = job->data_out.len;
    enum errc code =
        store_list_level(job->vault->ports.store, slice_of(prefix), call_list_name, w, &why);
    bool any = job->data_out.len > empty;
    jsonwrite_end(w);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else if (!any && !job->data_out.failed)
        call_fail_bare(job, 404);
    else
        call_answer(job, CALL_DATA);
}

static const struct route_endpoint rows[] = {
    {.pattern = "*path", .operation = ROUTE_READ, .finish = read_finish},
    {.pattern = "*path", .operation = ROUTE_LIST, .finish = list_finish},
    {.pattern = "*path", .operation = ROUTE_UPDATE, .exists = exists, .finish = write_finish},
    {.pattern = "*path", .operation = ROUTE_DELETE, .finish = delete_finish},
};

const struct route_table cubbyhole_table = ROUTE_TABLE(rows);
