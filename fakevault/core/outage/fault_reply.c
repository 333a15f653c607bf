#include "fakevault/core/outage/fault_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

static void free_reply(struct fault_reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    free(reply->headers);
    free(reply->body);
    free(reply);
}

struct fault_reply *fault_reply_ref(struct fault_reply *reply)
{
    if (reply != NULL)
        atomic_fetch_add(&reply->users, 1);
    return reply;
}

void fault_reply_unref(struct fault_reply *reply)
{
    if (reply != NULL && atomic_fetch_sub(&reply->users, 1) == 1)
        free_reply(reply);
}

static enum errc add_header(struct fault_reply *reply, const char *name, const char *value)
{
    struct fault_header *header = &reply->headers[reply->header_count];
    *header = (struct fault_header){strdup(name), strdup(value)};
    reply->header_count++;
    return header->name == NULL || header->value == NULL ? ERRC_NOMEM : ERRC_OK;
}

/* RFC 9110 5.6.2 (token) and 5.5: what would break the framing of the answer is refused here. */
static bool header_is_sound(const char *name, const char *value)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    if (*name == '\0')
        return false;
    for (const char *p = name; *p != '\0'; p++) {
        bool alnum = (*p >= '0' && *p <= '9') || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z');
        if (!alnum && strchr(marks, *p) == NULL)
            return false;
    }
    for (const char *p = value; *p != '\0'; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return false;
    return true;
}

static bool header_is_ours(const char *name)
{
    return strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0 ||
           strcasecmp(name, "Connection") == 0;
}

static enum errc parse_header(const char *name, const json_t *value, struct fault_reply *out,
                              struct errc_why *why)
{
    if (!json_is_string(value))
        return errc_fail(why, ERRC_SCHEMA, "headers: field \"%s\" is not a string", name);
    const char *text = json_string_value(value);
    if (!header_is_sound(name, text))
        return errc_fail(why, ERRC_RANGE, "headers: \"%s\" is not a header's name and value", name);
    if (header_is_ours(name))
        return errc_fail(why, ERRC_RANGE, "headers: \"%s\" is set by the server, leave it out",
                         name);
    if (out->header_count == FAULT_HEADERS_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "headers: more than %u", FAULT_HEADERS_MAX);
    return add_header(out, name, text) == ERRC_OK ? ERRC_OK : no_memory(why);
}

static enum errc parse_headers(const json_t *respond, struct fault_reply *out, struct errc_why *why)
{
    if (!jsonread_has(respond, "headers"))
        return ERRC_OK;
    json_t *headers = NULL, *value = NULL;
    const char *name = NULL;
    TRY(jsonread_object(respond, "headers", &headers, why));
    out->headers = calloc(FAULT_HEADERS_MAX, sizeof *out->headers);
    if (out->headers == NULL)
        return no_memory(why);
    json_object_foreach(headers, name, value)
    {
        TRY(parse_header(name, value, out, why));
    }
    return ERRC_OK;
}

static enum errc format_errors(const json_t *errors, struct buf *out, struct errc_why *why)
{
    size_t i = 0;
    const json_t *text = NULL;
    json_array_foreach(errors, i, text)
    {
        if (!json_is_string(text))
            return errc_fail(why, ERRC_SCHEMA, "errors[%zu] is not a string", i);
    }
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    jsonwrite_value(&w, "errors", errors);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
    return ERRC_OK;
}

/* `body` is sent as it is when it is a string, as JSON otherwise. */
static enum errc format_body(const json_t *respond, struct buf *out, struct errc_why *why)
{
    if (jsonread_has(respond, "body") && jsonread_has(respond, "errors"))
        return errc_fail(why, ERRC_SCHEMA, "give \"errors\" or \"body\", not both");
    if (jsonread_has(respond, "errors")) {
        json_t *errors = NULL;
        TRY(jsonread_array(respond, "errors", &errors, why));
        return format_errors(errors, out, why);
    }
    const json_t *body = json_object_get(respond, "body");
    if (json_is_string(body)) {
        buf_add(out, json_string_value(body), json_string_length(body));
    } else if (jsonread_has(respond, "body")) {
        struct jsonwrite w;
        jsonwrite_init(&w, out, JSONWRITE_GO_HTML);
        jsonwrite_value(&w, NULL, body);
        buf_add_char(out, '\n');
    }
    return ERRC_OK;
}

static enum errc parse(const json_t *respond, struct fault_reply *out, struct errc_why *why)
{
    static const char *const allowed[] = {"status", "errors", "body", "headers", NULL};
    TRY(jsonread_only(respond, allowed, why));
    int64_t status = 0;
    TRY(jsonread_int(respond, "status", 200, 599, &status, why));
    out->status = (int)status;
    bool has_body = jsonread_has(respond, "body") || jsonread_has(respond, "errors");
    if ((status == 204 || status == 304) && has_body) /* RFC 9110 15.3.5, 15.4.5 */
        return errc_fail(why, ERRC_SCHEMA,
                         "an answer with status %d has no body, leave \"body\" and \"errors\" out",
                         out->status);
    TRY(parse_headers(respond, out, why));
    struct buf body CLEANUP(buf_done);
    buf_init(&body, LIMIT_REQUEST_BODY_BYTES);
    TRY(format_body(respond, &body, why));
    TRY(buf_status(&body, why));
    out->body_len = body.len;
    out->body = slice_dup(buf_slice(&body));
    return out->body == NULL ? no_memory(why) : ERRC_OK;
}

enum errc fault_reply_parse(const json_t *value, struct fault_reply **out, struct errc_why *why)
{
    struct fault_reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL)
        return no_memory(why);
    reply->users = 1;
    enum errc code = parse(value, reply, why);
    if (code == ERRC_OK)
        *out = reply;
    else
        free_reply(reply);
    return code;
}
