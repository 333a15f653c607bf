#include "fakevault/core/http/request.h"

#include <string.h>

#include "base/limits.h"
#include "base/text/hex.h"
#include "base/text/jsonread.h"
#include "fakevault/core/http/gojson.h"

#define API_PREFIX "/v1/"

static const struct {
    const char *method;
    enum route_operation operation;
} methods[] = {
    {"GET", ROUTE_READ},      {"LIST", ROUTE_LIST},   {"POST", ROUTE_UPDATE}, {"PUT", ROUTE_UPDATE},
    {"DELETE", ROUTE_DELETE}, {"PATCH", ROUTE_PATCH}, {"HEAD", ROUTE_HEADER},
};

static int hex_pair(struct slice s)
{
    struct buf byte CLEANUP(buf_done);
    buf_init(&byte, 1);
    if (s.len < 2 || hex_parse((struct slice){s.ptr, 2}, &byte) != ERRC_OK)
        return -1;
    return (unsigned char)byte.ptr[0];
}

/* Percent-decoding; a broken escape is false. `form` also reads '+' as a blank. */
static bool decode_percent(struct slice text, bool form, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int byte = hex_pair(slice_from(text, i + 1));
            if (byte < 0)
                return false;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        buf_add_char(out, c);
    }
    return true;
}

bool request_query(const struct vault_request *request, const char *name, struct buf *value)
{
    struct slice rest = request->query;
    while (rest.len > 0) {
        struct slice pair = slice_cut(&rest, '&');
        struct slice key = slice_cut(&pair, '=');
        if (!slice_equal_text(key, name))
            continue;
        buf_reset(value);
        return decode_percent(pair, true, value);
    }
    return false;
}

struct slice request_token(const struct vault_request *request)
{
    if (request->token.len > 0)
        return request->token;
    if (!slice_starts_with(request->authorization, "Bearer "))
        return (struct slice){0};
    return slice_trim(slice_from(request->authorization, strlen("Bearer ")));
}

static bool printable(struct slice path)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < 0x20 || path.ptr[i] == 0x7f)
            return false;
    return true;
}

/* Writes the path as Go's ServeMux cleans it: no "//", "." and ".." resolved. */
static void clean_path(struct slice path, struct buf *out)
{
    bool slash = slice_ends_with(path, "/");
    struct slice rest = path;
    while (rest.len > 0) {
        struct slice segment = slice_cut(&rest, '/');
        if (segment.len == 0 || slice_equal_text(segment, "."))
            continue;
        if (slice_equal_text(segment, "..")) {
            while (out->len > 0 && out->ptr[--out->len] != '/')
                ;
            continue;
        }
        buf_add_char(out, '/');
        buf_add_slice(out, segment);
    }
    if (slash || out->len == 0)
        buf_add_char(out, '/');
}

static bool check_clean(struct vault_job *job, struct slice whole)
{
    struct buf clean CLEANUP(buf_done);
    buf_init(&clean, LIMIT_PATH_BYTES);
    clean_path(whole, &clean);
    if (clean.failed || slice_equal(buf_slice(&clean), whole))
        return !clean.failed;
    call_redirect(job, 301, buf_slice(&clean));
    return false;
}

static void read_path(struct vault_job *job)
{
    struct buf whole CLEANUP(buf_done);
    buf_init(&whole, LIMIT_PATH_BYTES);
    if (!decode_percent(job->request.path, false, &whole) || !printable(buf_slice(&whole))) {
        call_fail_bare(job, 400);
        return;
    }
    if (whole.failed) {
        call_fail_bare(job, 414);
        return;
    }
    if (!check_clean(job, buf_slice(&whole)))
        return;
    if (!slice_starts_with(buf_slice(&whole), API_PREFIX)) {
        call_fail_bare(job, 404);
        return;
    }
    buf_add_slice(&job->path, slice_from(buf_slice(&whole), strlen(API_PREFIX)));
    job->no_memory = job->path.failed;
}

/* GET with list=true is a list; what is no bool is an error. */
static void read_list_query(struct vault_job *job)
{
    struct buf value CLEANUP(buf_done);
    buf_init(&value, 64);
    bool list = false;
    if (!request_query(&job->request, "list", &value))
        return;
    if (!field_parse_bool(buf_slice(&value), &list) && value.len > 0)
        call_fail_bare(job, 400);
    else if (list)
        job->operation = ROUTE_LIST;
}

void request_read_line(struct vault_job *job)
{
    job->operation = ROUTE_OTHER;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (slice_equal_text(job->request.method, methods[i].method))
            job->operation = methods[i].operation;
    read_path(job);
    if (!call_answered(job) && job->operation == ROUTE_READ)
        read_list_query(job);
    if (job->operation == ROUTE_LIST && !slice_ends_with(buf_slice(&job->path), "/"))
        buf_add_char(&job->path, '/');
    job->no_memory = job->no_memory || job->path.failed;
}

/* "a=1&b=2" into an object of strings; repeats are joined with ','. */
static enum errc read_pairs(struct slice rest, const char *skipped, json_t *object)
{
    struct buf key CLEANUP(buf_done), value CLEANUP(buf_done);
    buf_init(&key, LIMIT_PATH_BYTES);
    buf_init(&value, LIMIT_REQUEST_BODY_BYTES);
    while (rest.len > 0) {
        struct slice pair = slice_cut(&rest, '&');
        struct slice name = slice_cut(&pair, '=');
        buf_reset(&key);
        buf_reset(&value);
        if (!decode_percent(name, true, &key) || key.len == 0 ||
            strcmp(buf_text(&key), skipped) == 0)
            continue;
        const char *before = json_string_value(json_object_get(object, buf_text(&key)));
        if (before != NULL)
            buf_addf(&value, "%s,", before);
        if (!decode_percent(pair, true, &value))
            return ERRC_SYNTAX;
        TRY(buf_status(&key, NULL));
        TRY(buf_status(&value, NULL));
        json_t *text = json_stringn(buf_text(&value), value.len);
        if (text != NULL && json_object_set_new(object, buf_text(&key), text) != 0)
            return ERRC_NOMEM;
    }
    return ERRC_OK;
}

static void read_query_data(struct vault_job *job)
{
    if (job->request.query.len == 0)
        return;
    job->data = json_object();
    if (job->data == NULL || read_pairs(job->request.query, "list", job->data) == ERRC_NOMEM)
        job->no_memory = true;
}

static bool is_form(const struct vault_request *request)
{
    if (!slice_starts_with(request->content_type, "application/x-www-form-urlencoded"))
        return false;
    struct slice body = slice_trim(request->body);
    return body.len > 0 && body.ptr[0] != '{' && body.ptr[0] != '[';
}

static void read_form(struct vault_job *job)
{
    job->data = json_object();
    enum errc code = job->data == NULL ? ERRC_NOMEM : read_pairs(job->request.body, "", job->data);
    if (code == ERRC_SYNTAX || code == ERRC_TOO_BIG)
        call_fail(job, 400, "error parsing form data");
    else
        job->no_memory = job->no_memory || code != ERRC_OK;
}

static void read_json(struct vault_job *job)
{
    json_t *value CLEANUP(jsonread_done) = NULL;
    enum errc code = gojson_parse(job->request.body, &value, NULL);
    if (code == ERRC_NOT_FOUND || (code == ERRC_OK && json_is_null(value)))
        return;
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (code != ERRC_OK || !json_is_object(value))
        call_fail(job, 400, "error parsing JSON");
    else
        job->data = json_incref(value);
}

void request_read_data(struct vault_job *job)
{
    if (job->operation == ROUTE_PATCH) {
        if (job->request.content_type.len == 0)
            call_fail(job, 400, "mime: no media type");
        else if (!slice_starts_with(job->request.content_type, "application/merge-patch+json"))
            call_fail(job, 415,
                      "PATCH requires Content-Type of application/merge-patch+json, provided %.*s",
                      SLICE_FMT(job->request.content_type));
        if (call_answered(job))
            return;
    }
    if (job->operation != ROUTE_UPDATE && job->operation != ROUTE_PATCH)
        read_query_data(job);
    else if (job->request.body_too_large)
        call_fail(job, 413, "error parsing JSON");
    else if (is_form(&job->request))
        read_form(job);
    else
        read_json(job);
}

void request_read_sys_body(struct vault_job *job)
{
    if (job->request.body_too_large) {
        call_fail(job, 413, "failed to parse JSON input: http: request body too large");
        return;
    }
    struct errc_why why = {{0}};
    json_t *value CLEANUP(jsonread_done) = NULL;
    enum errc code = gojson_parse(job->request.body, &value, &why);
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (code != ERRC_OK)
        call_fail(job, 400, "failed to parse JSON input: %s", why.text);
    else if (json_is_object(value))
        job->data = json_incref(value);
    else if (!json_is_null(value))
        call_fail(job, 400, "failed to parse JSON input: json: cannot unmarshal %s into Go value",
                  json_is_array(value)     ? "array"
                  : json_is_string(value)  ? "string"
                  : json_is_boolean(value) ? "bool"
                                           : "number");
}

void request_check_wrap(struct vault_job *job)
{
    struct errc_why why = {{0}};
    int64_t seconds = 0;
    if (job->request.wrap_ttl.len == 0)
        return;
    if (field_parse_seconds(job->request.wrap_ttl, &seconds, &why) != ERRC_OK)
        call_fail(job, 400, "error parsing X-Vault-Wrap-TTL header: %s", why.text);
    else if (seconds < 0)
        call_fail(job, 400,
                  "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative");
    else if (seconds > 0)
        call_fail(job, 400, "response wrapping is not offered by this server");
}
