#include "fakevault/core/http/request.h"

#include <string.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"

#define API_PREFIX "/v1/"

static const struct {
    const char *method;
    enum route_operation operation;
} methods[] = {
    {"GET", ROUTE_READ},      {"LIST", ROUTE_LIST},   {"POST", ROUTE_UPDATE}, {"PUT", ROUTE_UPDATE},
    {"DELETE", ROUTE_DELETE}, {"PATCH", ROUTE_PATCH}, {"HEAD", ROUTE_HEADER},
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two digits stand for, or -1. */
static int hex_pair(struct slice s)
{
    int high = s.len < 2 ? -1 : hex_digit(s.ptr[0]);
    int low = s.len < 2 ? -1 : hex_digit(s.ptr[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
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

void request_clean_path(struct slice path, struct buf *out)
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

/* The bufs here have room for all: a failure is memory. True when there was enough. */
static bool holds(struct vault_job *job, const struct buf *text)
{
    job->no_memory = job->no_memory || text->failed;
    return !text->failed;
}

static bool check_clean(struct vault_job *job, struct slice whole)
{
    struct buf clean CLEANUP(buf_done);
    buf_init(&clean, whole.len + 1);
    request_clean_path(whole, &clean);
    if (!holds(job, &clean))
        return false;
    if (slice_equal(buf_slice(&clean), whole))
        return true;
    call_redirect(job, 301, buf_slice(&clean));
    return false;
}

static void read_decoded(struct vault_job *job, struct slice whole)
{
    if (!printable(whole))
        call_fail_bare(job, 400);
    else if (!check_clean(job, whole))
        return;
    else if (!slice_starts_with(whole, API_PREFIX))
        call_fail_bare(job, 404);
    else
        buf_add_slice(&job->path, slice_from(whole, strlen(API_PREFIX)));
    job->no_memory = job->no_memory || job->path.failed;
}

static void read_path(struct vault_job *job)
{
    struct buf whole CLEANUP(buf_done);
    buf_init(&whole, LIMIT_PATH_BYTES);
    if (job->request.path.len > LIMIT_PATH_BYTES) {
        call_fail_bare(job, 414);
        return;
    }
    bool decoded = decode_percent(job->request.path, false, &whole);
    if (!decoded)
        call_fail_bare(job, 400);
    else if (holds(job, &whole))
        read_decoded(job, buf_slice(&whole));
}

/* GET with list=true is a list; what is no bool is an error. */
static void read_list_query(struct vault_job *job)
{
    char text[64] = "";
    struct buf value = {.ptr = text, .cap = sizeof text, .max = sizeof text - 1};
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

/* Sets object[name] to value, or to "before,value" when it is there already. Both are made valid.
 */
static enum errc put_pair(json_t *object, struct slice name, struct slice value)
{
    struct buf key CLEANUP(buf_done), text CLEANUP(buf_done);
    buf_init(&key, 3 * name.len);
    gojson_valid_utf8(name, &key);
    const json_t *before = json_object_get(object, buf_text(&key));
    buf_init(&text, json_string_length(before) + 1 + 3 * value.len);
    if (before != NULL) {
        buf_add(&text, json_string_value(before), json_string_length(before));
        buf_add_char(&text, ',');
    }
    gojson_valid_utf8(value, &text);
    json_t *string = json_stringn_nocheck(buf_text(&text), text.len);
    if (key.failed || text.failed || string == NULL) {
        json_decref(string);
        return ERRC_NOMEM;
    }
    return json_object_set_new_nocheck(object, buf_text(&key), string) == 0 ? ERRC_OK : ERRC_NOMEM;
}

/* "a=1&b=2" into an object of strings; repeats are joined with ','. */
static enum errc read_pairs(struct slice rest, const char *skipped, json_t *object)
{
    struct buf key CLEANUP(buf_done), value CLEANUP(buf_done);
    buf_init(&key, rest.len);
    buf_init(&value, rest.len);
    while (rest.len > 0) {
        struct slice pair = slice_cut(&rest, '&');
        struct slice name = slice_cut(&pair, '=');
        buf_reset(&key);
        buf_reset(&value);
        bool sound = decode_percent(name, true, &key) && decode_percent(pair, true, &value);
        if (key.failed || value.failed)
            return ERRC_NOMEM;
        if (!sound)
            return ERRC_SYNTAX;
        if (key.len > 0 && strcmp(buf_text(&key), skipped) != 0)
            TRY(put_pair(object, buf_slice(&key), buf_slice(&value)));
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
    if (code == ERRC_SYNTAX)
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

void request_read_sys_body(struct vault_job *job, const char *go_struct)
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
    else if (code == ERRC_NOT_FOUND)
        call_fail(job, 400, "EOF");
    else if (code != ERRC_OK)
        call_fail(job, 400, "failed to parse JSON input: %s", why.text);
    else if (json_is_object(value))
        job->data = json_incref(value);
    else if (!json_is_null(value))
        call_fail(job, 400,
                  "failed to parse JSON input: json: cannot unmarshal %s into Go value of type "
                  "http.%s",
                  json_is_array(value)     ? "array"
                  : json_is_string(value)  ? "string"
                  : json_is_boolean(value) ? "bool"
                                           : "number",
                  go_struct);
}

void request_check_wrap(struct vault_job *job)
{
    struct errc_why why = {{0}};
    if (job->request.wrap_ttl.len == 0)
        return;
    if (gotext_duration(job->request.wrap_ttl, &job->wrap_ttl_ns, &why) != ERRC_OK)
        call_fail(job, 400, "error parsing X-Vault-Wrap-TTL header: %s", why.text);
    else if (job->wrap_ttl_ns < 0)
        call_fail(job, 400,
                  "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative");
}
