#include "fakevault/shell/control/admin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/limits.h"
#include "base/text/jsonread.h"
#include "fakevault/core/outage/fault_schema.h"
#include "fakevault/shell/control/admin_socket.h"
#include "fakevault/shell/control/control_faults.h"
#include "fakevault/shell/data/httpd.h"
#include "fakevault/shell/data/wire.h"

#define CONNECTIONS_MAX 256u
#define IDLE_S 30u
#define FOLLOW_LOOK_MS 500 /* how often a quiet `follow` looks after its client */
#define METRICS_BYTES_MAX 8192u
#define JOURNAL_ROOM_BYTES (64u << 10) /* of lines read at once */

struct admin {
    struct admin_socket socket;
    struct slice token;
    struct control *control;
    struct journal_file *journal;
    struct httpd *httpd;
    atomic_bool stopping;
};

/* One call on its way to an answer. */
struct call {
    struct admin *admin;
    struct httpd_exchange *exchange;
    const char *id; /* what stands behind "/faults/", NULL for nothing */
    struct slice query;
    const json_t *body;  /* NULL for none */
    struct jsonwrite *w; /* an open object */
};

/* ---- the verbs ---- */

static enum errc get_state(struct call *c, struct errc_why *why)
{
    (void)why;
    control_format_state(c->admin->control, c->w);
    return ERRC_OK;
}

static enum errc get_health(struct call *c, struct errc_why *why)
{
    (void)why;
    jsonwrite_bool(c->w, "ok", true);
    control_format_head(c->admin->control, c->w);
    return ERRC_OK;
}

static enum errc post_seal(struct call *c, struct errc_why *why)
{
    (void)why;
    control_seal(c->admin->control, c->w);
    return ERRC_OK;
}

static enum errc post_unseal(struct call *c, struct errc_why *why)
{
    static const char *const allowed[] = {"shares", NULL};
    TRY(jsonread_only(c->body, allowed, why));
    return control_unseal(c->admin->control, json_object_get(c->body, "shares"), c->w, why);
}

static enum errc post_listener(struct call *c, struct errc_why *why)
{
    static const char *const allowed[] = {"accept", "drain", NULL};
    bool accept = false, drain = false;
    TRY(jsonread_only(c->body, allowed, why));
    TRY(jsonread_bool(c->body, "accept", &accept, why));
    if (jsonread_has(c->body, "drain"))
        TRY(jsonread_bool(c->body, "drain", &drain, why));
    return control_listener(c->admin->control, accept, drain, c->w, why);
}

static enum errc post_hold(struct call *c, struct errc_why *why)
{
    static const char *const allowed[] = {"hold", NULL};
    bool active = false;
    TRY(jsonread_only(c->body, allowed, why));
    TRY(jsonread_bool(c->body, "hold", &active, why));
    control_hold(c->admin->control, active, c->w);
    return ERRC_OK;
}

static enum errc post_crash(struct call *c, struct errc_why *why)
{
    (void)why;
    control_crash(c->admin->control, c->w);
    httpd_set_context(c->exchange, c->admin); /* on_done sees it, and the answer is out by then */
    return ERRC_OK;
}

static enum errc post_reset(struct call *c, struct errc_why *why)
{
    return control_reset(c->admin->control, c->w, why);
}

static enum errc get_faults(struct call *c, struct errc_why *why)
{
    if (c->id != NULL)
        return control_faults_get(c->admin->control, c->id, c->w, why);
    control_faults_list(c->admin->control, c->w);
    return ERRC_OK;
}

static enum errc post_faults(struct call *c, struct errc_why *why)
{
    return control_faults_add(c->admin->control, c->body, c->w, why);
}

static enum errc put_faults(struct call *c, struct errc_why *why)
{
    static const char *const allowed[] = {"rules", NULL};
    json_t *rules = NULL;
    if (json_is_array(c->body))
        return control_faults_set(c->admin->control, c->body, c->w, why);
    TRY(jsonread_only(c->body, allowed, why));
    TRY(jsonread_array(c->body, "rules", &rules, why));
    return control_faults_set(c->admin->control, rules, c->w, why);
}

static enum errc patch_faults(struct call *c, struct errc_why *why)
{
    const char *id = c->id;
    if (id == NULL)
        TRY(jsonread_string(c->body, "id", &id, why));
    return control_faults_patch(c->admin->control, id, c->body, c->w, why);
}

static enum errc delete_faults(struct call *c, struct errc_why *why)
{
    if (c->id != NULL)
        return control_faults_remove(c->admin->control, c->id, c->w, why);
    control_faults_clear(c->admin->control, c->w);
    return ERRC_OK;
}

enum body { BODY_NONE, BODY_WANTED };

static const struct route {
    const char *method;
    const char *path;
    enum body body;
    bool takes_id; /* "/faults/r1" */
    int status;
    enum errc (*handle)(struct call *c, struct errc_why *why);
} routes[] = {
    {"GET", "/state", BODY_NONE, false, 200, get_state},
    {"GET", "/healthz", BODY_NONE, false, 200, get_health},
    {"POST", "/seal", BODY_NONE, false, 200, post_seal},
    {"POST", "/unseal", BODY_WANTED, false, 200, post_unseal},
    {"POST", "/listener", BODY_WANTED, false, 200, post_listener},
    {"POST", "/hold", BODY_WANTED, false, 200, post_hold},
    {"POST", "/crash", BODY_NONE, false, 202, post_crash},
    {"POST", "/reset", BODY_NONE, false, 200, post_reset},
    {"GET", "/faults", BODY_NONE, true, 200, get_faults},
    {"POST", "/faults", BODY_WANTED, false, 200, post_faults},
    {"PUT", "/faults", BODY_WANTED, false, 200, put_faults},
    {"PATCH", "/faults", BODY_WANTED, true, 200, patch_faults},
    {"DELETE", "/faults", BODY_NONE, true, 200, delete_faults},
};

/* ---- answers ---- */

static void answer(struct httpd_exchange *x, int status, const char *type, struct slice body)
{
    const struct httpd_header headers[] = {
        {"Content-Type", type},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
    };
    const struct httpd_reply reply = {
        .status = status, .headers = headers, .header_count = 3, .body = body};
    httpd_answer(x, &reply);
}

static void answer_error(struct admin *admin, struct httpd_exchange *x, int status,
                         const char *code, const char *message)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4 * ERRC_WHY_MAX);
    struct jsonwrite w;
    jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_object(&w, "error");
    jsonwrite_string(&w, "code", code);
    jsonwrite_string(&w, "message", message);
    jsonwrite_end(&w);
    control_format_head(admin->control, &w);
    jsonwrite_end(&w);
    buf_add_char(&out, '\n');
    answer(x, status, "application/json", buf_slice(&out));
}

static void answer_failure(struct admin *admin, struct httpd_exchange *x, enum errc code,
                           const struct errc_why *why)
{
    static const struct {
        int status;
        const char *code;
    } table[] = {
        [ERRC_CLASS_NONE] = {500, "internal"},       [ERRC_CLASS_INVALID] = {400, "invalid"},
        [ERRC_CLASS_MISSING] = {404, "not_found"},   [ERRC_CLASS_CONFLICT] = {409, "conflict"},
        [ERRC_CLASS_DENIED] = {400, "wrong_shares"}, [ERRC_CLASS_TRANSIENT] = {503, "unavailable"},
        [ERRC_CLASS_FATAL] = {500, "internal"},
    };
    enum errc_class class = errc_class(code);
    answer_error(admin, x, table[class].status, table[class].code, why->text);
}

/* ---- who may call ---- */

static bool host_is_loopback(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    if (host == NULL)
        return false;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(host, names[i], len) == 0 && (host[len] == '\0' || host[len] == ':'))
            return true;
    }
    return false;
}

static bool has_token(const struct admin *admin, const struct httpd_exchange *x)
{
    struct slice given = slice_of(httpd_header(x, "Authorization"));
    return slice_starts_with(given, "Bearer ") &&
           secret_equal(slice_trim(slice_from(given, 7)), admin->token);
}

/* Answers and returns false when the call is not allowed. */
static bool may_call(struct admin *admin, struct httpd_exchange *x)
{
    if (httpd_header(x, "Origin") != NULL) {
        answer_error(admin, x, 403, "denied", "calls from web pages are refused");
        return false;
    }
    if (!admin->socket.tcp)
        return true;
    if (!host_is_loopback(httpd_header(x, "Host"))) {
        answer_error(admin, x, 403, "denied", "the Host header is not a loopback name");
        return false;
    }
    if (!has_token(admin, x)) {
        answer_error(admin, x, 401, "denied",
                     "the bearer token is missing or wrong; it is in the file that the server was "
                     "given as -admin-token-file");
        return false;
    }
    return true;
}

/* ---- the journal as a stream ---- */

struct reader {
    struct admin *admin;
    uint64_t since;
    uint64_t until; /* UINT64_MAX to follow */
    int fd;
    struct buf lines;
    size_t used; /* bytes of lines that are sent */
};

static bool wait_for_more(struct reader *r)
{
    while (!r->admin->stopping) {
        if (journal_file_wait(r->admin->journal, r->since, FOLLOW_LOOK_MS))
            return true;
        if (wire_peer_gone(r->fd))
            return false;
    }
    return false;
}

static enum errc refill(struct reader *r)
{
    buf_reset(&r->lines);
    r->used = 0;
    if (r->since >= r->until)
        return ERRC_OK;
    if (r->until == UINT64_MAX && !wait_for_more(r))
        return ERRC_OK;
    return journal_file_read(r->admin->journal, &r->since, JOURNAL_ROOM_BYTES, &r->lines, NULL);
}

static int64_t next_lines(void *context, char *out, size_t max)
{
    struct reader *r = context;
    if (r->used == r->lines.len && refill(r) != ERRC_OK)
        return -1;
    size_t left = r->lines.len - r->used;
    size_t n = left < max ? left : max;
    if (n > 0)
        memcpy(out, r->lines.ptr + r->used, n);
    r->used += n;
    return (int64_t)n;
}

static void free_reader(void *context)
{
    struct reader *r = context;
    buf_done(&r->lines);
    free(r);
}

static enum errc parse_journal_query(struct slice query, uint64_t *since, bool *follow,
                                     struct errc_why *why)
{
    while (query.len > 0) {
        struct slice value = slice_cut(&query, '&');
        struct slice name = slice_cut(&value, '=');
        if (slice_equal_text(name, "follow") &&
            (slice_equal_text(value, "true") || slice_equal_text(value, "false")))
            *follow = slice_equal_text(value, "true");
        else if (!slice_equal_text(name, "since") || !slice_to_u64(value, since))
            return errc_fail(why, ERRC_SYNTAX,
                             "\"%.*s=%.*s\" is not understood, want since=SEQ or follow=true",
                             SLICE_FMT(name), SLICE_FMT(value));
    }
    return ERRC_OK;
}

static void stream_journal(struct admin *admin, struct httpd_exchange *x, struct slice query)
{
    static const struct httpd_header headers[] = {{"Content-Type", "application/x-ndjson"},
                                                  {"Cache-Control", "no-store"}};
    const struct httpd_reply head = {
        .status = 200, .headers = headers, .header_count = 2, .close = true};
    struct errc_why why;
    uint64_t since = 0;
    bool follow = false;
    enum errc code = parse_journal_query(query, &since, &follow, &why);
    if (code != ERRC_OK) {
        answer_failure(admin, x, code, &why);
        return;
    }
    struct reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        httpd_drop(x);
        return;
    }
    *r = (struct reader){.admin = admin, .since = since, .fd = httpd_fd(x)};
    r->until = follow ? UINT64_MAX : journal_file_newest(admin->journal);
    buf_init(&r->lines, LIMIT_LINE_BYTES + JOURNAL_ROOM_BYTES);
    const struct httpd_source source = {next_lines, free_reader, r};
    httpd_stream(x, &head, &source);
}

static void answer_metrics(struct admin *admin, struct httpd_exchange *x)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, METRICS_BYTES_MAX);
    control_format_metrics(admin->control, &out);
    answer(x, 200, "text/plain; version=0.0.4", buf_slice(&out));
}

static void answer_schema(struct httpd_exchange *x)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, FAULT_SCHEMA_BYTES_MAX);
    fault_schema_format(&out);
    answer(x, 200, "application/schema+json", buf_slice(&out));
}

/* ---- dispatch ---- */

static bool path_is(const struct route *route, struct slice path, struct slice *id)
{
    size_t len = strlen(route->path);
    *id = (struct slice){0};
    if (!slice_starts_with(path, route->path))
        return false;
    if (path.len == len)
        return true;
    *id = slice_from(path, len + 1);
    return route->takes_id && path.ptr[len] == '/' && id->len > 0;
}

static const struct route *find_route(struct slice method, struct slice path, struct slice *id,
                                      bool *path_known)
{
    *path_known = false;
    for (size_t i = 0; i < COUNT(routes); i++) {
        if (!path_is(&routes[i], path, id))
            continue;
        *path_known = true;
        if (slice_equal_text(method, routes[i].method))
            return &routes[i];
    }
    return NULL;
}

static enum errc parse_body(const struct route *route, const struct httpd_exchange *x, json_t **out,
                            struct errc_why *why)
{
    struct slice body = httpd_body(x);
    if (httpd_too_big(x))
        return errc_fail(why, ERRC_TOO_BIG, "the body is over %u bytes", LIMIT_REQUEST_BODY_BYTES);
    if (route->body == BODY_NONE)
        return ERRC_OK;
    if (body.len == 0)
        return errc_fail(why, ERRC_SYNTAX, "the body is missing, want JSON");
    enum errc code = jsonread_parse(body, out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "the body is not JSON");
    return code;
}

static void call_route(struct admin *admin, struct httpd_exchange *x, const struct route *route,
                       const char *id)
{
    struct errc_why why = {""};
    json_t *body CLEANUP(jsonread_done) = NULL;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, LIMIT_REPLY_BODY_BYTES);
    struct jsonwrite w;
    jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    enum errc code = parse_body(route, x, &body, &why);
    struct call call = {.admin = admin, .exchange = x, .id = id, .body = body, .w = &w};
    if (code == ERRC_OK)
        code = route->handle(&call, &why);
    if (code == ERRC_OK) {
        jsonwrite_end(&w);
        buf_add_char(&out, '\n');
        code = buf_status(&out, &why);
    }
    if (code == ERRC_OK)
        answer(x, route->status, "application/json", buf_slice(&out));
    else
        answer_failure(admin, x, code, &why);
}

static void on_request(void *context, struct httpd_exchange *x)
{
    struct admin *admin = context;
    struct slice query = httpd_target(x);
    struct slice path = slice_cut(&query, '?'), id;
    bool path_known = false;
    if (!may_call(admin, x))
        return;
    if (slice_equal_text(httpd_method(x), "GET") && slice_equal_text(path, "/journal")) {
        stream_journal(admin, x, query);
        return;
    }
    if (slice_equal_text(httpd_method(x), "GET") && slice_equal_text(path, "/metrics")) {
        answer_metrics(admin, x);
        return;
    }
    if (slice_equal_text(httpd_method(x), "GET") && slice_equal_text(path, "/schema")) {
        answer_schema(x);
        return;
    }
    const struct route *route = find_route(httpd_method(x), path, &id, &path_known);
    if (route == NULL) {
        answer_error(admin, x, path_known ? 405 : 404, path_known ? "method" : "not_found",
                     path_known ? "this path does not take this method"
                                : "there is no such path, see GET /state, /faults, /journal");
        return;
    }
    char text[FAULT_ID_MAX + 1] = "";
    memcpy(text, id.ptr == NULL ? "" : id.ptr, id.len < FAULT_ID_MAX ? id.len : FAULT_ID_MAX);
    call_route(admin, x, route, id.len > 0 ? text : NULL);
}

static void on_done(void *context, struct httpd_exchange *x, enum httpd_end end)
{
    (void)context;
    (void)end;
    if (httpd_context(x) != NULL)
        control_die();
}

/* ---- life ---- */

static enum errc begin(struct admin *admin, const struct admin_options *options,
                       struct errc_why *why)
{
    TRY(admin_socket_open(options->address, options->data_port, &admin->socket, why));
    if (admin->socket.tcp && admin->token.len == 0)
        return errc_fail(why, ERRC_USAGE,
                         "admin address \"%s\" is TCP and needs -admin-token-file=FILE",
                         admin->socket.address);
    const struct httpd_options http = {
        .daemons = 1,
        .thread_per_conn = true,
        .listen_fd = admin->socket.fd,
        .connections_max = CONNECTIONS_MAX,
        .idle_s = IDLE_S,
        .body_bytes_max = LIMIT_REQUEST_BODY_BYTES,
        .events = {.request = on_request, .done = on_done, .context = admin},
    };
    TRY(httpd_start(&http, &admin->httpd, why));
    admin->socket.fd = -1;
    return ERRC_OK;
}

enum errc admin_start(const struct admin_options *options, struct control *control,
                      struct journal_file *journal, struct admin **out, struct errc_why *why)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    admin->socket.fd = -1;
    admin->token = options->token;
    admin->control = control;
    admin->journal = journal;
    enum errc code = begin(admin, options, why);
    if (code != ERRC_OK) {
        admin_stop(admin);
        return code;
    }
    *out = admin;
    return ERRC_OK;
}

const char *admin_address(const struct admin *admin)
{
    return admin->socket.address;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    admin->stopping = true;
    httpd_stop(admin->httpd);
    admin_socket_close(&admin->socket);
    free(admin);
}
