#include "fakevault/core/envelope.h"

#include "base/bug.h"
#include "base/count.h"
#include "base/limits.h"

#define INTERNAL_ERROR "{\"errors\":[\"1 error occurred:\\n\\t* internal error\\n\\n\"]}\n"

static void add_header(struct vault_reply *reply, const char *name, const char *value)
{
    CHECK(reply->header_count < VAULT_REPLY_HEADERS_MAX);
    reply->headers[reply->header_count++] = (struct vault_reply_header){name, value};
}

static void start(struct vault_reply *reply, int status)
{
    *reply = (struct vault_reply){.status = status};
    buf_init(&reply->body, LIMIT_REPLY_BODY_BYTES);
    buf_init(&reply->location, LIMIT_PATH_BYTES * 8);
    buf_init(&reply->echo, LIMIT_PATH_BYTES);
}

static void add_usual_headers(struct vault_reply *reply)
{
    add_header(reply, "Cache-Control", "no-store");
    add_header(reply, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

void envelope_no_memory(struct vault_reply *reply)
{
    start(reply, 500);
    add_usual_headers(reply);
    add_header(reply, "Content-Type", "application/json");
    buf_add_text(&reply->body, INTERNAL_ERROR);
}

void envelope_replace(struct vault_reply *reply, const char *body)
{
    bool executed = reply->executed;
    vault_reply_done(reply);
    start(reply, 500);
    add_usual_headers(reply);
    add_header(reply, "Content-Type", "application/json");
    buf_add_text(&reply->body, body);
    reply->executed = executed;
}

static void write_errors(const struct vault_job *job, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    jsonwrite_array(&w, "errors");
    if (job->with_errors)
        jsonwrite_slice(&w, NULL, buf_slice(&job->text));
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}

static void write_raw_or_null(struct jsonwrite *w, const char *key, const struct buf *json)
{
    if (json->len == 0)
        jsonwrite_null(w, key);
    else
        jsonwrite_raw(w, key, buf_slice(json));
}

static void write_warnings(const struct vault_job *job, struct jsonwrite *w)
{
    if (job->warnings.len == 0) {
        jsonwrite_null(w, "warnings");
        return;
    }
    jsonwrite_array(w, "warnings");
    jsonwrite_raw(w, NULL, buf_slice(&job->warnings));
    jsonwrite_end(w);
}

static void write_envelope(struct vault_job *job, struct jsonwrite *w)
{
    /* What is wrapped has the id. */
    jsonwrite_string(w, "request_id", job->wrap_out.len > 0 ? "" : call_identify(job));
    jsonwrite_string(w, "lease_id", "");
    jsonwrite_bool(w, "renewable", false);
    jsonwrite_int(w, "lease_duration", job->lease_duration_s);
    write_raw_or_null(w, "data", &job->data_out);
    write_raw_or_null(w, "wrap_info", &job->wrap_out);
    write_warnings(job, w);
    write_raw_or_null(w, "auth", &job->auth_out);
}

void envelope_plain(struct vault_job *job, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_GO_HTML);
    jsonwrite_object(&w, NULL);
    write_envelope(job, &w);
    jsonwrite_end(&w);
}

/* An injected answer begins with the members of data, so what follows is written aside. */
static void write_injected(struct vault_job *job, struct buf *out)
{
    struct slice data = buf_slice(&job->data_out);
    struct buf rest CLEANUP(buf_done);
    buf_init(&rest, LIMIT_REPLY_BODY_BYTES);
    envelope_plain(job, &rest);
    buf_add(out, data.ptr, data.len - 1);
    buf_add_char(out, ',');
    buf_add_slice(out, slice_from(buf_slice(&rest), 1));
    out->failed = out->failed || rest.failed;
}

static void write_data(struct vault_job *job, struct buf *out)
{
    if (job->shape == CALL_INJECTED && job->data_out.len > 2)
        write_injected(job, out);
    else
        envelope_plain(job, out);
    if (!job->raw)
        buf_add_char(out, '\n');
}

/* Where a redirect leads, as HTML has it. */
static void add_html(struct slice text, struct buf *out)
{
    static const struct {
        char c;
        const char *html;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&#34;"}, {'\'', "&#39;"}};
    for (size_t i = 0; i < text.len; i++) {
        const char *html = NULL;
        for (size_t j = 0; j < COUNT(escapes); j++)
            if (text.ptr[i] == escapes[j].c)
                html = escapes[j].html;
        if (html != NULL)
            buf_add_text(out, html);
        else
            buf_add_char(out, text.ptr[i]);
    }
}

static void write_redirect(const struct vault_job *job, struct buf *out)
{
    if (!slice_equal_text(job->request.method, "GET"))
        return;
    buf_add_text(out, "<a href=\"");
    add_html(buf_slice(&job->text), out);
    buf_addf(out, "\">%s</a>.\n\n",
             job->status == 301 ? "Moved Permanently" : "Temporary Redirect");
}

static void write_body(struct vault_job *job, struct vault_reply *reply)
{
    switch (job->shape) {
    case CALL_ERROR:
        write_errors(job, &reply->body);
        break;
    case CALL_DATA:
    case CALL_INJECTED:
        write_data(job, &reply->body);
        break;
    case CALL_BARE:
        buf_add_slice(&reply->body, buf_slice(&job->data_out));
        if (!job->raw)
            buf_add_char(&reply->body, '\n');
        break;
    case CALL_REDIRECT:
        write_redirect(job, &reply->body);
        break;
    case CALL_PLAIN:
    case CALL_PAGE:
        buf_add_slice(&reply->body, buf_slice(&job->text));
        break;
    case CALL_EMPTY:
    case CALL_UNANSWERED:
        break;
    }
}

static void add_redirect_headers(const struct vault_job *job, struct vault_reply *reply)
{
    bool get = slice_equal_text(job->request.method, "GET");
    if (get || slice_equal_text(job->request.method, "HEAD"))
        add_header(reply, "Content-Type", "text/html; charset=utf-8");
    add_header(reply, "Location", buf_text(&reply->location));
}

static void add_plain_headers(const struct vault_job *job, struct vault_reply *reply)
{
    if (job->text.len > 0)
        add_header(reply, "Content-Type", "text/plain; charset=utf-8");
    if (!job->foreign)
        add_header(reply, "X-Content-Type-Options", "nosniff");
}

static void add_page_headers(struct vault_reply *reply)
{
    add_header(reply, "Content-Type", "text/html; charset=utf-8");
    add_header(reply, "Content-Security-Policy",
               "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; "
               "style-src 'unsafe-inline' 'self'; form-action  'none'; frame-ancestors 'none'; "
               "font-src 'self'");
    add_header(reply, "Service-Worker-Allowed", "/");
    add_header(reply, "X-Content-Type-Options", "nosniff");
}

static void add_headers(const struct vault_job *job, struct vault_reply *reply)
{
    if (!job->foreign)
        add_usual_headers(reply);
    if (reply->echo.len > 0 && !job->foreign)
        add_header(reply, "X-Vault-Namespace", buf_text(&reply->echo));
    if (job->shape == CALL_REDIRECT)
        add_redirect_headers(job, reply);
    else if (job->shape == CALL_PLAIN)
        add_plain_headers(job, reply);
    else if (job->shape == CALL_PAGE)
        add_page_headers(reply);
    else
        add_header(reply, "Content-Type",
                   job->content_type == NULL ? "application/json" : job->content_type);
}

void envelope_format(struct vault_job *job, struct vault_reply *reply)
{
    CHECK(call_answered(job));
    if (job->no_memory) {
        envelope_no_memory(reply);
        reply->executed = job->executed; /* whatever the client is told */
        return;
    }
    start(reply, job->status);
    if (job->shape == CALL_REDIRECT)
        buf_add_slice(&reply->location, buf_slice(&job->text));
    buf_add_slice(&reply->echo, job->request.namespace);
    if (!slice_equal_text(job->request.method, "HEAD"))
        write_body(job, reply);
    if (reply->body.failed || reply->location.failed || reply->echo.failed) {
        vault_reply_done(reply);
        envelope_no_memory(reply);
        reply->executed = job->executed;
        return;
    }
    add_headers(job, reply);
    reply->executed = job->executed;
    reply->key_version = job->key_version;
    reply->signature_sha256 = job->signature_sha256;
    reply->signature_count = job->signature_count;
    job->signature_sha256 = NULL;
}
