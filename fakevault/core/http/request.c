#include "fakevault/core/http/request.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/target.h"

bool request_query(const struct vault_request *request, const char *name, struct buf *value)
{
    struct slice rest = request->query;
    while (rest.len > 0) {
        struct slice pair = slice_cut(&rest, '&');
        struct slice key = slice_cut(&pair, '=');
        if (!slice_equal_text(key, name))
            continue;
        buf_reset(value);
        return target_decode(pair, true, value);
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

/* GET with list=true is a list; what is no bool is an error. */
static void read_list_query(struct vault_job *job)
{
    char text[64] = "";
    struct buf value = {.ptr = text, .cap = sizeof text, .max = sizeof text - 1};
    bool list = false;
    if (!request_query(&job->request, "list", &value) || value.len == 0)
        return;
    if (!field_parse_bool(buf_slice(&value), &list))
        call_fail_bare(job, 400);
    else if (list)
        job->operation = ROUTE_LIST;
}

static void read_operation(struct vault_job *job)
{
    bool get = job->operation == ROUTE_READ;
    if (get)
        read_list_query(job);
    job->list_by_query = get && job->operation == ROUTE_LIST;
    if (job->operation == ROUTE_LIST && !slice_ends_with(buf_slice(&job->path), "/"))
        buf_add_char(&job->path, '/');
    job->no_memory = job->no_memory || job->path.failed;
}

/* The list of a repeated name's values. */
static json_t *with_more(json_t *before, json_t *text)
{
    bool first = !json_is_array(before);
    json_t *list = first ? json_array() : json_incref(before);
    if ((first && json_array_append(list, before) != 0) || json_array_append(list, text) != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* Sets object[name], or adds to what is there. Both texts are made valid. */
static enum errc put_pair(json_t *object, struct slice name, struct slice value)
{
    struct buf key CLEANUP(buf_done), text CLEANUP(buf_done);
    buf_init(&key, 3 * name.len);
    buf_init(&text, 3 * value.len);
    gojson_valid_utf8(name, &key);
    gojson_valid_utf8(value, &text);
    json_t *string = json_stringn_nocheck(buf_text(&text), text.len);
    if (key.failed || text.failed || string == NULL) {
        json_decref(string);
        return ERRC_NOMEM;
    }
    json_t *before = json_object_get(object, buf_text(&key));
    if (before != NULL) {
        json_t *both = with_more(before, string);
        json_decref(string);
        string = both;
    }
    return json_object_set_new_nocheck(object, buf_text(&key), string) == 0 ? ERRC_OK : ERRC_NOMEM;
}

/* Puts one "a=1"; ERRC_SYNTAX when Go refuses it. */
static enum errc read_pair(struct slice pair, json_t *object)
{
    struct buf key CLEANUP(buf_done), value CLEANUP(buf_done);
    buf_init(&key, pair.len);
    buf_init(&value, pair.len);
    if (slice_find(pair, ';') < pair.len)
        return ERRC_SYNTAX;
    struct slice name = slice_cut(&pair, '=');
    bool sound = target_decode(name, true, &key) && target_decode(pair, true, &value);
    if (key.failed || value.failed)
        return ERRC_NOMEM;
    return sound ? put_pair(object, buf_slice(&key), buf_slice(&value)) : ERRC_SYNTAX;
}

/* "a=1&b=2" into an object, a repeated name with a list. What is wrong is left out; ERRC_SYNTAX
 * tells that there was some. */
static enum errc read_pairs(struct slice rest, json_t *object)
{
    enum errc result = ERRC_OK;
    while (rest.len > 0) {
        struct slice pair = slice_cut(&rest, '&');
        enum errc code = pair.len == 0 ? ERRC_OK : read_pair(pair, object);
        if (code == ERRC_NOMEM)
            return code;
        if (code != ERRC_OK)
            result = code;
    }
    return result;
}

static void read_query_data(struct vault_job *job)
{
    if (job->request.query.len == 0)
        return;
    job->data = json_object();
    if (job->data == NULL || read_pairs(job->request.query, job->data) == ERRC_NOMEM)
        job->no_memory = true;
    (void)json_object_del(job->data, "help");
    if (job->list_by_query)
        (void)json_object_del(job->data, "list");
}

static bool is_token_byte(char c)
{
    return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static struct slice take_token(struct slice *rest)
{
    size_t n = 0;
    while (n < rest->len && is_token_byte(rest->ptr[n]))
        n++;
    struct slice token = {rest->ptr, n};
    *rest = slice_from(*rest, n);
    return token;
}

/* What Go's mime.ParseMediaType says about a type without parameters; NULL when it is one. */
static const char *media_type_fault(struct slice type)
{
    if (take_token(&type).len == 0)
        return "mime: no media type";
    if (type.len == 0)
        return NULL;
    if (type.ptr[0] != '/')
        return "mime: expected slash after first token";
    type = slice_from(type, 1);
    if (take_token(&type).len == 0)
        return "mime: expected token after slash";
    return type.len == 0 ? NULL : "mime: unexpected content after media subtype";
}

/* The type without parameters, in lower case. Returns a fault's sentence, or NULL. */
static const char *media_type(struct slice header, struct buf *out)
{
    struct slice type = slice_trim(slice_cut(&header, ';'));
    buf_init(out, type.len);
    for (size_t i = 0; i < type.len; i++)
        buf_add_char(out, (char)tolower((unsigned char)type.ptr[i]));
    return media_type_fault(type);
}

static bool is_form(struct vault_job *job)
{
    struct buf type CLEANUP(buf_done);
    const char *fault = media_type(job->request.content_type, &type);
    bool form = slice_equal_text(buf_slice(&type), "application/x-www-form-urlencoded");
    job->no_memory = job->no_memory || type.failed;
    struct slice body = slice_trim(job->request.body);
    bool json = body.len > 0 && (body.ptr[0] == '{' || body.ptr[0] == '[');
    return fault == NULL && form && !json;
}

static json_t *joined(const json_t *list)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4 * LIMIT_REQUEST_BODY_BYTES);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (i > 0)
            buf_add_char(&text, ',');
        buf_add(&text, json_string_value(item), json_string_length(item));
    }
    return text.failed ? NULL : json_stringn_nocheck(buf_text(&text), text.len);
}

/* In a form the values of a repeated name are one text, with commas. They are joined at the end:
 * a body may repeat a name millions of times. */
static enum errc join_lists(json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (json_is_array(value) && json_object_set_new_nocheck(object, name, joined(value)) != 0)
            return ERRC_NOMEM;
    }
    return ERRC_OK;
}

static void read_form(struct vault_job *job)
{
    if (job->request.body_too_large) {
        call_fail(job, 413, "error parsing form data");
        return;
    }
    job->data = json_object();
    enum errc code = job->data == NULL ? ERRC_NOMEM : read_pairs(job->request.body, job->data);
    if (code == ERRC_OK)
        code = join_lists(job->data);
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

static void check_patch_type(struct vault_job *job)
{
    struct buf type CLEANUP(buf_done);
    const char *fault = media_type(job->request.content_type, &type);
    job->no_memory = job->no_memory || type.failed;
    if (fault != NULL)
        call_fail(job, 400, "%s", fault);
    else if (!slice_equal_text(buf_slice(&type), "application/merge-patch+json"))
        call_fail(job, 415,
                  "PATCH requires Content-Type of application/merge-patch+json, provided %s",
                  buf_text(&type));
}

static void read_data(struct vault_job *job)
{
    bool update = job->operation == ROUTE_UPDATE, patch = job->operation == ROUTE_PATCH;
    if (job->operation == ROUTE_OPTIONS || job->operation == ROUTE_HELP)
        return;
    if (patch)
        check_patch_type(job);
    if (call_answered(job))
        return;
    if (!update && !patch)
        read_query_data(job);
    else if (update && is_form(job))
        read_form(job);
    else if (job->request.body_too_large)
        call_fail(job, 413, "error parsing JSON");
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

static void check_forwarding(struct vault_job *job)
{
    if (job->request.forward.len > 0)
        call_fail(job, 400, "forwarding via header X-Vault-Forward disabled in configuration");
    else if (slice_equal_text(job->request.inconsistent, "forward-active-node"))
        call_fail(job, 400,
                  "forwarding via header X-Vault-Inconsistent=forward-active-node disabled in "
                  "configuration");
}

static void check_override(struct vault_job *job)
{
    bool flag;
    struct slice text = job->request.policy_override;
    if (text.len == 0 || gotext_bool(text, &flag))
        return;
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * text.len + 2);
    gotext_quote(text, &shown);
    call_fail(job, 400,
              "failed to parse X-Vault-Policy-Override header: cannot parse '' as bool: "
              "strconv.ParseBool: parsing %s: invalid syntax",
              buf_text(&shown));
}

static void check_wrap(struct vault_job *job)
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

void request_check_headers(struct vault_job *job)
{
    if (job->operation == ROUTE_HELP)
        return;
    check_wrap(job);
    if (!call_answered(job))
        check_override(job);
}

void request_read(struct vault_job *job)
{
    check_forwarding(job);
    if (!call_answered(job))
        read_operation(job);
    if (!call_answered(job))
        read_data(job);
}
