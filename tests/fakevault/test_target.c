/* Request lines as a real Vault 1.14.9 takes them: redirects, methods, and what is beside the API.
 */
#include "base/count.h"
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/text/jsonread.h"
#include "tests/fakevault/vault_world.h"

static const char *header(const struct vault_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return "";
}

static void ask(struct world *w, const char *method, const char *target, const char *token,
                struct vault_reply *reply)
{
    struct slice query = slice_of(target), path = slice_cut(&query, '?');
    struct vault_request request = {.method = slice_of(method),
                                    .path = path,
                                    .query = query,
                                    .token = slice_of(token),
                                    .namespace = SLICE_LITERAL("ns1")};
    vault_handle(w->vault, &request, w->now, reply);
}

static const struct {
    const char *method;
    const char *target;
    int status;
    const char *location;
    const char *type;
    const char *body;
} redirects[] = {
    {"GET", "/v1//sys/policy", 301, "/v1/sys/policy", "text/html; charset=utf-8",
     "<a href=\"/v1/sys/policy\">Moved Permanently</a>.\n\n"},
    {"POST", "/v1//sys/policy", 301, "/v1/sys/policy", "", ""},
    {"HEAD", "/v1/./sys/policy", 301, "/v1/sys/policy", "text/html; charset=utf-8", ""},
    {"GET", "/v1/sys//policy?a=b&c", 301, "/v1/sys/policy?a=b&c", "text/html; charset=utf-8",
     "<a href=\"/v1/sys/policy?a=b&amp;c\">Moved Permanently</a>.\n\n"},
    {"GET", "/v1//foo\"<>&'!", 301, "/v1/foo%22%3C%3E&%27%21", "text/html; charset=utf-8",
     "<a href=\"/v1/foo%22%3C%3E&amp;%27%21\">Moved Permanently</a>.\n\n"},
    {"LIST", "/v1/sys", 301, "/v1/sys/", "", ""},
    {"PUT", "/v1/sys/policy/..", 301, "/v1/sys/", "", ""},
    {"GET", "/v1/sys/audit-hash", 301, "/v1/sys/audit-hash/", "text/html; charset=utf-8",
     "<a href=\"/v1/sys/audit-hash/\">Moved Permanently</a>.\n\n"},
    {"DELETE", "/v1/%2e%2e/x", 301, "/x", "", ""},
};

static void test_target__leads_to_the_better_path(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(redirects); i++) {
        struct vault_reply reply CLEANUP(vault_reply_done) = {0};
        ask(w, redirects[i].method, redirects[i].target, w->root, &reply);
        assert_int_equal(reply.status, redirects[i].status);
        assert_string_equal(header(&reply, "Location"), redirects[i].location);
        assert_string_equal(header(&reply, "Content-Type"), redirects[i].type);
        assert_string_equal(buf_text(&reply.body), redirects[i].body);
        assert_string_equal(header(&reply, "Cache-Control"), "no-store");
    }
}

#define NO_ERRORS "{\"errors\":[]}\n"
#define ERRORS(text) "{\"errors\":[\"" text "\"]}\n"
#define WRAPPED(text) ERRORS("1 error occurred:\\n\\t* " text "\\n\\n")
#define NO_HANDLER(path) ERRORS("no handler for route \\\"" path "\\\". route entry not found.")

static const struct {
    const char *method;
    const char *target;
    const char *token;
    int status;
    const char *type;
    const char *body;
} rows[] = {
    {"GET", "//v1/sys/policy", "", 404, "application/json", NO_ERRORS},
    {"GET", "/v1", "", 404, "application/json", NO_ERRORS},
    {"GET", "/V1/sys/policy", "", 404, "application/json", NO_ERRORS},
    {"GET", "*", "", 404, "application/json", NO_ERRORS},
    {"GET", "v1/sys/policy", "", 400, "text/plain; charset=utf-8", "400 Bad Request"},
    {"GET", "/v1/secret/data/a%zz", "", 400, "text/plain; charset=utf-8", "400 Bad Request"},
    {"GET", "/v1/sys/policy%0a", "", 400, "", ""},
    {"GET", "/v1/", "root", 404, "application/json", NO_HANDLER("")},
    {"GET", "/v1/", "", 403, "application/json", ERRORS("permission denied")},
    {"FOO", "/v1/sys/policy", "", 405, "application/json", NO_ERRORS},
    {"get", "/v1/sys/policy", "root", 405, "application/json", NO_ERRORS},
    {"OPTIONS", "/v1/sys/policy", "", 403, "application/json", ERRORS("permission denied")},
    {"OPTIONS", "/v1/sys/policy", "root", 405, "application/json",
     WRAPPED("unsupported operation")},
    {"OPTIONS", "/v1/sys/nosuch", "root", 404, "application/json", WRAPPED("unsupported path")},
    {"OPTIONS", "/v1/nosuch/x", "root", 404, "application/json", NO_HANDLER("nosuch/x")},
    {"HEAD", "/v1/nosuch/x", "root", 404, "application/json", ""},
    {"HEAD", "/v1/sys/policy", "root", 405, "application/json", ""},
    {"LIST", "/v1/sys/health", "", 405, "application/json", NO_ERRORS},
    {"HELP", "/foo", "", 404, "application/json", NO_ERRORS},
    {"HELP", "/v1/nosuch/x", "root", 404, "application/json", NO_HANDLER("nosuch/x")},
    {"HELP", "/v1/sys/policy", "", 403, "application/json", ERRORS("permission denied")},
    {"GET", "/v1/sys/policy?list=x", "root", 400, "application/json", NO_ERRORS},
    {"GET", "/", "", 404, "text/plain; charset=utf-8", "404 page not found\n"},
    {"GET", "/ui/x", "", 404, "text/plain; charset=utf-8", "404 page not found\n"},
};

static void test_target__what_is_no_path_of_the_api(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vault_reply reply CLEANUP(vault_reply_done) = {0};
        ask(w, rows[i].method, rows[i].target, rows[i].token[0] == '\0' ? NULL : w->root, &reply);
        if (reply.status != rows[i].status || strcmp(buf_text(&reply.body), rows[i].body) != 0)
            fail_msg("%s %s: %d %s", rows[i].method, rows[i].target, reply.status,
                     buf_text(&reply.body));
        assert_string_equal(header(&reply, "Content-Type"), rows[i].type);
    }
}

static void test_target__the_http_server_has_no_headers_of_vault(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    ask(w, "GET", "/v1/sys/policy%00", w->root, &reply);
    assert_int_equal(reply.header_count, 0);
}

static void test_target__a_namespace_comes_back(void **state)
{
    struct world *w = *state;
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    ask(w, "GET", "/v1/sys/policy", w->root, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(header(&reply, "X-Vault-Namespace"), "ns1");
}

static void expect_header_error(struct world *w, struct vault_request request, const char *body)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    request.method = SLICE_LITERAL("GET");
    request.path = SLICE_LITERAL("/v1/sys/policy");
    vault_handle(w->vault, &request, w->now, &reply);
    assert_int_equal(reply.status, 400);
    assert_string_equal(buf_text(&reply.body), body);
}

static void test_target__headers_are_read_before_the_token(void **state)
{
    struct world *w = *state;
    expect_header_error(
        w, (struct vault_request){.policy_override = SLICE_LITERAL("x")},
        ERRORS("failed to parse X-Vault-Policy-Override header: cannot parse '' as bool: "
               "strconv.ParseBool: parsing \\\"x\\\": invalid syntax"));
    expect_header_error(w, (struct vault_request){.forward = SLICE_LITERAL("active-node")},
                        ERRORS("forwarding via header X-Vault-Forward disabled in configuration"));
    expect_header_error(
        w, (struct vault_request){.wrap_ttl = SLICE_LITERAL("5y")},
        ERRORS("error parsing X-Vault-Wrap-TTL header: time: unknown unit \\\"y\\\" in duration "
               "\\\"5y\\\""));
}

static const struct {
    const char *type;
    int status;
    const char *body;
} patches[] = {
    {"", 400, ERRORS("mime: no media type")},
    {"application", 415,
     ERRORS("PATCH requires Content-Type of application/merge-patch+json, provided application")},
    {"application x", 400, ERRORS("mime: expected slash after first token")},
    {"application/", 400, ERRORS("mime: expected token after slash")},
    {"application/a b", 400, ERRORS("mime: unexpected content after media subtype")},
    {"Application/JSON; charset=utf-8", 415,
     ERRORS("PATCH requires Content-Type of application/merge-patch+json, provided "
            "application/json")},
    {"Application/Merge-Patch+JSON; x=y", 404, NO_HANDLER("nosuch/x")},
};

static void test_target__a_patch_needs_its_type(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(patches); i++) {
        struct vault_reply reply CLEANUP(vault_reply_done) = {0};
        struct vault_request request = {.method = SLICE_LITERAL("PATCH"),
                                        .path = SLICE_LITERAL("/v1/nosuch/x"),
                                        .token = slice_of(w->root),
                                        .content_type = slice_of(patches[i].type),
                                        .body = SLICE_LITERAL("{}")};
        vault_handle(w->vault, &request, w->now, &reply);
        assert_string_equal(buf_text(&reply.body), patches[i].body);
        assert_int_equal(reply.status, patches[i].status);
    }
}

/* Anybody may send a form that repeats a name: reading it must not take the square of that. */
static void test_target__a_form_joins_a_repeated_name(void **state)
{
    enum { MANY = 200000 };
    struct world *w = *state;
    json_t *answer CLEANUP(jsonread_done) = NULL;
    struct vault_reply written CLEANUP(vault_reply_done) = {0};
    struct vault_request request = {.method = SLICE_LITERAL("POST"),
                                    .path = SLICE_LITERAL("/v1/cubbyhole/form"),
                                    .token = slice_of(w->root),
                                    .content_type =
                                        SLICE_LITERAL("application/x-www-form-urlencoded")};
    struct buf body CLEANUP(buf_done);
    buf_init(&body, 1 << 20);
    buf_add_text(&body, "b=x&c=1&c=2&c=&c=3");
    for (int i = 0; i < MANY; i++)
        buf_add_text(&body, "&a=1");
    request.body = buf_slice(&body);
    vault_handle(w->vault, &request, w->now, &written);
    assert_int_equal(written.status, 204);
    assert_int_equal(world_ask(w, "GET cubbyhole/form", NULL, w->root, &answer), 200);
    const json_t *data = json_object_get(answer, "data");
    assert_string_equal(json_string_value(json_object_get(data, "b")), "x");
    assert_string_equal(json_string_value(json_object_get(data, "c")), "1,2,,3");
    assert_int_equal(json_string_length(json_object_get(data, "a")), 2 * MANY - 1);
}

/* Vault's dev mode has a user interface, and leads everybody there. */
static void test_target__a_ui_can_be_pretended(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    const struct vault_options options = {.ui = true};
    struct vault_reply page CLEANUP(vault_reply_done) = {0}, away CLEANUP(vault_reply_done) = {0};
    vault_free(w.vault);
    assert_int_equal(vault_new(&w.ports, &options, &w.vault, NULL), ERRC_OK);
    ask(&w, "GET", "/", NULL, &away);
    assert_int_equal(away.status, 307);
    assert_string_equal(header(&away, "Location"), "/ui/");
    assert_string_equal(buf_text(&away.body), "<a href=\"/ui/\">Temporary Redirect</a>.\n\n");
    ask(&w, "GET", "/ui/", NULL, &page);
    assert_int_equal(page.status, 200);
    assert_string_equal(header(&page, "Content-Type"), "text/html; charset=utf-8");
    world_done(&w);
}

/* --- help ------------------------------------------------------------------------------------- */

static void expect_help(struct world *w, const char *method, const char *target, const char *part)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    ask(w, method, target, w->root, &reply);
    assert_int_equal(reply.status, 200);
    if (strstr(buf_text(&reply.body), part) == NULL)
        fail_msg("%s %s: %s", method, target, buf_text(&reply.body));
}

static void test_help__tells_what_the_tables_say(void **state)
{
    struct world *w = *state;
    expect_help(w, "HELP", "/v1/sys/policy/x",
                "{\"help\":\"Request:        policy/x\\nMatching Route: "
                "^policy/(?P\\u003cname\\u003e.+)$\\n");
    expect_help(w, "GET", "/v1/sys/policy/x?help=1", "\"/policy/{name}\":{");
    expect_help(w, "HELP", "/v1/sys/health", "Matching Route: ^sys/health$");
    expect_help(w, "HELP", "/v1/transit", "\"see_also\":null}\n");
    expect_help(w, "GET", "/v1/sys/internal/specs/openapi", "\"/transit/keys/{name}\":{");
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    ask(w, "GET", "/v1/sys/internal/specs/openapi", NULL, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(buf_text(&reply.body), "\"paths\":{}"));
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, world_set_up_booted, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTED(test_target__leads_to_the_better_path),
        BOOTED(test_target__what_is_no_path_of_the_api),
        BOOTED(test_target__the_http_server_has_no_headers_of_vault),
        BOOTED(test_target__a_namespace_comes_back),
        BOOTED(test_target__headers_are_read_before_the_token),
        BOOTED(test_target__a_patch_needs_its_type),
        BOOTED(test_target__a_form_joins_a_repeated_name),
        BOOTED(test_help__tells_what_the_tables_say),
        cmocka_unit_test(test_target__a_ui_can_be_pretended),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
