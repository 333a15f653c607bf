#include "fakevault/core/http/target.h"

#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "fakevault/core/state.h"

#define API_PREFIX "/v1/"
#define UI_PREFIX "/ui/"

static const struct {
    const char *method;
    enum route_operation operation;
} methods[] = {
    {"GET", ROUTE_READ},    {"LIST", ROUTE_LIST},   {"POST", ROUTE_UPDATE},
    {"PUT", ROUTE_UPDATE},  {"PATCH", ROUTE_PATCH}, {"DELETE", ROUTE_DELETE},
    {"HEAD", ROUTE_HEADER}, {"HELP", ROUTE_HELP},   {"OPTIONS", ROUTE_OPTIONS},
};

/* Folders that are no endpoints: without their '/' they are redirected to. */
static const char *const folders[] = {
    "/v1/sys",
    "/v1/sys/audit-hash",
    "/v1/sys/config/state",
    "/v1/sys/pprof",
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

bool target_decode(struct slice text, bool form, struct buf *out)
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

static bool printable(struct slice path)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < 0x20 || path.ptr[i] == 0x7f)
            return false;
    return true;
}

void target_clean(struct slice path, struct buf *out)
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

/* --- redirects -------------------------------------------------------------------------------- */

static bool stays(char c)
{
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return word || (c != '\0' && strchr("-_.~$&+,/:;=@", c) != NULL);
}

/* As Go escapes a path. */
static void escape(struct slice path, struct buf *out)
{
    for (size_t i = 0; i < path.len; i++) {
        if (stays(path.ptr[i]))
            buf_add_char(out, path.ptr[i]);
        else
            buf_addf(out, "%%%02X", (unsigned char)path.ptr[i]);
    }
}

static void redirect(struct vault_job *job, int status, struct slice path, bool with_query)
{
    struct buf location CLEANUP(buf_done);
    struct slice query = job->request.query;
    buf_init(&location, 4 * path.len + query.len + 1);
    escape(path, &location);
    if (with_query && query.len > 0) {
        buf_add_char(&location, '?');
        buf_add_slice(&location, query);
    }
    if (location.failed)
        job->no_memory = true;
    else
        call_redirect(job, status, buf_slice(&location));
}

static bool is_folder(struct slice path)
{
    for (size_t i = 0; i < COUNT(folders); i++)
        if (slice_equal_text(path, folders[i]))
            return true;
    return false;
}

/* Answers with a redirect when the path has a better form. */
static void check_form(struct vault_job *job, struct slice whole)
{
    struct buf clean CLEANUP(buf_done);
    buf_init(&clean, whole.len + 2);
    if (slice_equal_text(job->request.method, "CONNECT"))
        buf_add_slice(&clean, whole);
    else
        target_clean(whole, &clean);
    if (is_folder(buf_slice(&clean)))
        buf_add_char(&clean, '/');
    if (clean.failed)
        job->no_memory = true;
    else if (!slice_equal(buf_slice(&clean), whole))
        redirect(job, 301, buf_slice(&clean), true);
}

/* --- beside the API --------------------------------------------------------------------------- */

static bool is_outside(struct slice whole)
{
    return !slice_starts_with(whole, API_PREFIX) && !slice_starts_with(whole, "/ui") &&
           !slice_equal_text(whole, "/robots.txt") && !slice_equal_text(whole, "/");
}

static void answer_page(struct vault_job *job, struct slice whole)
{
    if (!job->vault->options.ui)
        call_plain(job, 404, true, "404 page not found\n");
    else if (slice_starts_with(whole, UI_PREFIX))
        call_page(job, "<!DOCTYPE html>\n<title>fakevault</title>\n"
                       "<p>This server has Vault's API, below /v1/, and no user interface.\n");
    else
        redirect(job, 307, SLICE_LITERAL(UI_PREFIX), false);
}

static bool asks_for_help(const struct vault_request *request)
{
    struct slice rest = request->query;
    while (rest.len > 0) {
        struct slice pair = slice_cut(&rest, '&');
        struct slice key = slice_cut(&pair, '=');
        if (slice_equal_text(key, "help"))
            return pair.len > 0;
    }
    return false;
}

static void take_path(struct vault_job *job, struct slice whole)
{
    buf_add_slice(&job->path, slice_from(whole, strlen(API_PREFIX)));
    job->no_memory = job->no_memory || job->path.failed;
}

static void read_decoded(struct vault_job *job, struct slice whole)
{
    bool api = slice_starts_with(whole, API_PREFIX);
    if (asks_for_help(&job->request))
        job->operation = ROUTE_HELP;
    if (!printable(whole))
        call_plain(job, 400, false, "");
    else if (is_outside(whole))
        call_fail_bare(job, 404);
    else if (job->operation == ROUTE_HELP && !api)
        call_fail(job, 404,
                  "Missing /v1/ prefix in path. Use vault path-help command to retrieve API help "
                  "for paths");
    else if (job->operation != ROUTE_HELP)
        check_form(job, whole);
    if (call_answered(job))
        return;
    if (api)
        take_path(job, whole);
    else
        answer_page(job, whole);
}

static bool is_path(struct slice path)
{
    return slice_starts_with(path, "/") || slice_equal_text(path, "*");
}

void target_read(struct vault_job *job)
{
    struct buf whole CLEANUP(buf_done);
    buf_init(&whole, LIMIT_PATH_BYTES);
    job->operation = ROUTE_OTHER;
    for (size_t i = 0; i < COUNT(methods); i++)
        if (slice_equal_text(job->request.method, methods[i].method))
            job->operation = methods[i].operation;
    if (job->request.path.len > LIMIT_PATH_BYTES)
        call_fail_bare(job, 414);
    else if (!is_path(job->request.path) || !target_decode(job->request.path, false, &whole))
        call_plain(job, 400, false, "400 Bad Request");
    else if (whole.failed)
        job->no_memory = true;
    else
        read_decoded(job, buf_slice(&whole));
}
