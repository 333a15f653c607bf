#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/clock_os.h"
#include "base/units.h"
#include "signer/core/attempt/classify.h"
#include "signer/shell/transport_curl.h"
#include "tests/signer/wire_server.h"
#include "tests/support/patience.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

/* One transport against one server. */
struct bench {
    char addr[64];
    struct config config;
    struct secret_arena *arena;
    struct secret token;
    struct transport_curl *curl;
    struct transport port;
};

static void open_bench(struct bench *b, const char *scheme, uint16_t port)
{
    *b = (struct bench){0};
    (void)snprintf(b->addr, sizeof b->addr, "%s://127.0.0.1:%u", scheme, port);
    b->config =
        (struct config){.vault_addr = b->addr, .vault_namespace = "team/a", .test = "case-7"};
    assert_int_equal(secret_arena_new(65536, &b->arena, NULL, NULL), ERRC_OK);
    assert_int_equal(secret_copy(b->arena, SLICE_LITERAL("hvs.token"), &b->token), ERRC_OK);
    assert_int_equal(transport_curl_open(&b->config, &b->token, &b->curl, NULL), ERRC_OK);
    b->port = transport_curl_port(b->curl);
}

static void close_bench(struct bench *b)
{
    transport_curl_close(b->curl);
    secret_done(&b->token);
    secret_arena_free(b->arena);
}

static void post(struct bench *b, int attempt, int64_t timeout_ms, struct transport_reply *reply)
{
    const struct transport_request request = {.method = "POST",
                                              .path = "/v1/transit/sign/k",
                                              .body = SLICE_LITERAL("{\"input\":\"\"}"),
                                              .attempt = attempt,
                                              .timeout_ms = timeout_ms,
                                              .with_token = true};
    b->port.send(b->port.context, &request, reply);
}

/* failures.md 1.0, "What libcurl reports", and what we make of it. */
static const struct {
    const char *row;
    struct wire_server_act act;
    enum transport_outcome outcome;
    int status;
    enum classify_class class;
} rows[] = {
    /* clang-format off */
    {"whole reply",
     {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0, WIRE_SERVER_FIN}, TRANSPORT_COMPLETE, 200,
     CLASSIFY_OK},
    {"RST after request read",
     {NULL, 0, WIRE_SERVER_RST}, TRANSPORT_UNREACHABLE, 0, CLASSIFY_UNREACHABLE},
    {"FIN after request read",
     {NULL, 0, WIRE_SERVER_FIN}, TRANSPORT_UNREACHABLE, 0, CLASSIFY_UNREACHABLE},
    {"accept then silence", {NULL, 0, WIRE_SERVER_HOLD}, TRANSPORT_TIMED_OUT, 0, CLASSIFY_TIMEOUT},
    {"FIN, Content-Length not reached",
     {OK_HEAD "Content-Length: 20\r\n\r\n{\"data\"", 0, WIRE_SERVER_FIN}, TRANSPORT_TRUNCATED, 200,
     CLASSIFY_MALFORMED},
    {"FIN in the middle of the headers",
     {OK_HEAD "Content-Le", 0, WIRE_SERVER_FIN}, TRANSPORT_COMPLETE, 200, CLASSIFY_OK},
    {"FIN in the status line",
     {"HTTP/1.1 2", 0, WIRE_SERVER_FIN}, TRANSPORT_UNREACHABLE, 0, CLASSIFY_UNREACHABLE},
    {"chunked, cut short",
     {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"dat", 0, WIRE_SERVER_FIN},
     TRANSPORT_TRUNCATED, 200, CLASSIFY_MALFORMED},
    {"bad chunk size",
     {OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 0, WIRE_SERVER_FIN},
     TRANSPORT_TRUNCATED, 200, CLASSIFY_MALFORMED},
    {"silence in the body",
     {OK_HEAD "Content-Length: 20\r\n\r\n{", 0, WIRE_SERVER_HOLD}, TRANSPORT_TIMED_OUT, 200,
     CLASSIFY_TIMEOUT},
    {"only 100 Continue",
     {"HTTP/1.1 100 Continue\r\n\r\n", 0, WIRE_SERVER_HOLD}, TRANSPORT_TIMED_OUT, 100,
     CLASSIFY_TIMEOUT},
    {"non-HTTP bytes",
     {"SSH-2.0-OpenSSH_9.2\r\n", 0, WIRE_SERVER_FIN}, TRANSPORT_NOT_HTTP, 0, CLASSIFY_MALFORMED},
    {"307 is not followed",
     {"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: "
      "0\r\n\r\n", 0, WIRE_SERVER_FIN}, TRANSPORT_COMPLETE, 307, CLASSIFY_REDIRECT},
    {"403, then FIN before its end",
     {"HTTP/1.1 403 Forbidden\r\nContent-Length: 50\r\n\r\n{", 0, WIRE_SERVER_FIN},
     TRANSPORT_TRUNCATED, 403, CLASSIFY_DENIED},
};
/* clang-format on */

static void test_transport__tells_apart_how_a_reply_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wire_server *server = wire_server_start(&rows[i].act, 1);
        struct bench b;
        struct transport_reply reply CLEANUP(transport_reply_done);
        open_bench(&b, "http", wire_server_port(server));
        post(&b, 1, rows[i].outcome == TRANSPORT_TIMED_OUT ? 300 : PATIENCE_MS, &reply);
        if (reply.outcome != rows[i].outcome || reply.status != rows[i].status)
            fail_msg("%s: outcome %d status %d: %s", rows[i].row, (int)reply.outcome, reply.status,
                     reply.detail);
        assert_int_equal(classify_reply(&reply), rows[i].class);
        assert_int_equal(reply.outcome == TRANSPORT_COMPLETE, reply.detail[0] == '\0');
        assert_int_equal(reply.resends, 0);
        assert_int_equal(wire_server_requests(server), 1);
        close_bench(&b);
        wire_server_stop(server);
    }
}

static void test_transport__a_closed_port_is_refused(void **state)
{
    (void)state;
    /* Bound and not listening: nobody else can take it meanwhile. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(held, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(held, (struct sockaddr *)&address, &len), 0);
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", ntohs(address.sin_port));
    post(&b, 1, PATIENCE_MS, &reply);
    assert_int_equal(reply.outcome, TRANSPORT_REFUSED);
    close_bench(&b);
    (void)close(held);
}

static void test_transport__a_name_that_is_none_is_unreachable(void **state)
{
    (void)state;
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", 1);
    (void)snprintf(b.addr, sizeof b.addr, "http://no-such-host.invalid");
    post(&b, 1, 3000, &reply);
    assert_true(reply.outcome == TRANSPORT_UNREACHABLE || reply.outcome == TRANSPORT_TIMED_OUT);
    close_bench(&b);
}

static void test_transport__sends_what_vault_and_the_journal_want(void **state)
{
    (void)state;
    static const struct wire_server_act act = {
        OK_HEAD "Retry-After: 7\r\nContent-Length: 2\r\n\r\n{}", 0, WIRE_SERVER_FIN};
    static const char *const lines[] = {"POST /v1/transit/sign/k HTTP/1.1\r\n",
                                        "\r\nX-Vault-Request: true\r\n",
                                        "\r\nX-Vault-Token: hvs.token\r\n",
                                        "\r\nX-Vault-Namespace: team/a\r\n",
                                        "\r\nX-Fakevault-Test: case-7\r\n",
                                        "\r\nX-Signer-Attempt: 2\r\n",
                                        "\r\nContent-Type: application/json\r\n",
                                        "\r\nContent-Length: 12\r\n",
                                        "\r\n\r\n{\"input\":\"\"}"};
    /* A proxy of the environment would see the token. */
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    struct wire_server *server = wire_server_start(&act, 1);
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", wire_server_port(server));
    post(&b, 2, PATIENCE_MS, &reply);
    assert_int_equal(reply.outcome, TRANSPORT_COMPLETE);
    assert_string_equal(reply.retry_after, "7");
    assert_string_equal(buf_text(&reply.body), "{}");
    for (size_t i = 0; i < COUNT(lines); i++)
        if (strstr(wire_server_request(server, 0), lines[i]) == NULL)
            fail_msg("no %s in %s", lines[i], wire_server_request(server, 0));
    assert_null(strcasestr(wire_server_request(server, 0), "expect:"));
    close_bench(&b);
    wire_server_stop(server);
}

static void test_transport__a_get_without_token_shows_none(void **state)
{
    (void)state;
    static const struct wire_server_act act = {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0,
                                               WIRE_SERVER_FIN};
    struct wire_server *server = wire_server_start(&act, 1);
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", wire_server_port(server));
    const struct transport_request request = {
        .method = "GET", .path = "/v1/sys/health", .timeout_ms = PATIENCE_MS};
    b.port.send(b.port.context, &request, &reply);
    assert_int_equal(reply.status, 200);
    assert_null(strcasestr(wire_server_request(server, 0), "token"));
    assert_null(strcasestr(wire_server_request(server, 0), "attempt"));
    close_bench(&b);
    wire_server_stop(server);
}

static void test_transport__uses_a_connection_again_and_counts_resends(void **state)
{
    (void)state;
    /* The third request dies on the kept connection; libcurl sends it again by itself. */
    static const struct wire_server_act acts[] = {
        {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0, WIRE_SERVER_KEEP},
        {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0, WIRE_SERVER_KEEP},
        {NULL, 0, WIRE_SERVER_FIN},
        {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0, WIRE_SERVER_FIN}};
    static const int resends[] = {0, 0, 1};
    static const size_t connections[] = {1, 1, 2};
    struct wire_server *server = wire_server_start(acts, 4);
    struct bench b;
    open_bench(&b, "http", wire_server_port(server));
    for (int i = 0; i < 3; i++) {
        struct transport_reply reply CLEANUP(transport_reply_done);
        post(&b, 1, PATIENCE_MS, &reply);
        assert_int_equal(reply.outcome, TRANSPORT_COMPLETE);
        assert_int_equal(reply.resends, resends[i]);
        assert_int_equal(wire_server_connections(server), connections[i]);
    }
    assert_int_equal(wire_server_requests(server), 4);
    close_bench(&b);
    wire_server_stop(server);
}

static void test_transport__a_reply_without_end_is_cut_at_the_limit(void **state)
{
    (void)state;
    size_t len = (2u << 20) + 200;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    int head = snprintf(bytes, 200, OK_HEAD "Content-Length: 2097152\r\n\r\n");
    bytes[head] = 'x';
    const struct wire_server_act act = {bytes, len, WIRE_SERVER_FIN};
    struct wire_server *server = wire_server_start(&act, 1);
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", wire_server_port(server));
    post(&b, 1, PATIENCE_MS, &reply);
    assert_int_equal(reply.outcome, TRANSPORT_TRUNCATED);
    assert_true(reply.body.len <= LIMIT_VAULT_REPLY_BYTES);
    close_bench(&b);
    wire_server_stop(server);
    free(bytes);
}

/* A value that start-up would have refused: nothing is sent, and Vault is not blamed. */
static void test_transport__a_request_that_cannot_be_made_is_our_own_trouble(void **state)
{
    (void)state;
    static const struct wire_server_act act = {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0,
                                               WIRE_SERVER_FIN};
    char *text = malloc(20001);
    assert_non_null(text);
    memset(text, 's', 20000);
    text[20000] = '\0';
    for (int i = 0; i < 4; i++) {
        struct wire_server *server = wire_server_start(&act, 1);
        struct bench b;
        struct transport_reply reply CLEANUP(transport_reply_done);
        open_bench(&b, "http", wire_server_port(server));
        if (i == 0) {
            secret_done(&b.token);
            assert_int_equal(secret_copy(b.arena, slice_of(text), &b.token), ERRC_OK);
        }
        b.config.vault_namespace = i == 1 ? text : NULL;
        b.config.test = i == 2 ? text : NULL;
        b.config.vault_addr = i == 3 ? text : b.addr;
        post(&b, 1, PATIENCE_MS, &reply);
        assert_int_equal(reply.outcome, TRANSPORT_INTERNAL);
        assert_int_equal(classify_reply(&reply), CLASSIFY_INTERNAL);
        assert_true(reply.detail[0] != '\0');
        assert_int_equal(wire_server_requests(server), 0);
        close_bench(&b);
        wire_server_stop(server);
    }
    free(text);
}

/* libcurl calls it a failed connection, or a name that is none. */
static void test_transport__no_descriptor_is_our_own_trouble(void **state)
{
    (void)state;
    static const char *const hosts[] = {"http://127.0.0.1:1", "http://no-such-host.invalid"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct rlimit before, none;
        struct bench b;
        struct transport_reply reply CLEANUP(transport_reply_done);
        open_bench(&b, "http", 1);
        (void)snprintf(b.addr, sizeof b.addr, "%s", hosts[i]);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        post(&b, 1, PATIENCE_MS, &reply);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (reply.outcome != TRANSPORT_INTERNAL)
            fail_msg("%s: outcome %d: %s", hosts[i], (int)reply.outcome, reply.detail);
        close_bench(&b);
    }
}

static void test_transport__a_header_line_without_end_is_the_peers_doing(void **state)
{
    (void)state;
    size_t len = 3u << 20;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    memcpy(bytes, OK_HEAD "X-Long: ", strlen(OK_HEAD "X-Long: "));
    const struct wire_server_act act = {bytes, len, WIRE_SERVER_FIN};
    struct wire_server *server = wire_server_start(&act, 1);
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", wire_server_port(server));
    post(&b, 1, PATIENCE_MS, &reply);
    assert_int_equal(reply.outcome, TRANSPORT_TRUNCATED);
    close_bench(&b);
    wire_server_stop(server);
    free(bytes);
}

static void test_transport__keeps_its_time_limit(void **state)
{
    (void)state;
    static const struct wire_server_act act = {NULL, 0, WIRE_SERVER_HOLD};
    struct wire_server *server = wire_server_start(&act, 1);
    struct clock clock = clock_os();
    struct bench b;
    struct transport_reply reply CLEANUP(transport_reply_done);
    open_bench(&b, "http", wire_server_port(server));
    int64_t before = clock.now(clock.context).mono_ns;
    post(&b, 1, 200, &reply);
    int64_t took_ms = (clock.now(clock.context).mono_ns - before) / NS_PER_MS;
    assert_int_equal(reply.outcome, TRANSPORT_TIMED_OUT);
    assert_int_equal(reply.gave_up_ms, 200);
    assert_true(took_ms >= 190 && took_ms < PATIENCE_MS);
    close_bench(&b);
    wire_server_stop(server);
}

static void test_transport__an_unreadable_authority_is_refused_at_the_start(void **state)
{
    (void)state;
    struct transport_curl *curl = NULL;
    struct errc_why why = {0};
    const struct config config = {.vault_addr = "https://x", .vault_cacert = "/no/such.pem"};
    assert_int_equal(transport_curl_open(&config, NULL, &curl, &why), ERRC_USAGE);
    assert_string_equal(why.text, "VAULT_CACERT is \"/no/such.pem\", which cannot be read: No such "
                                  "file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport__tells_apart_how_a_reply_ends),
        cmocka_unit_test(test_transport__a_closed_port_is_refused),
        cmocka_unit_test(test_transport__a_name_that_is_none_is_unreachable),
        cmocka_unit_test(test_transport__sends_what_vault_and_the_journal_want),
        cmocka_unit_test(test_transport__a_get_without_token_shows_none),
        cmocka_unit_test(test_transport__uses_a_connection_again_and_counts_resends),
        cmocka_unit_test(test_transport__a_reply_without_end_is_cut_at_the_limit),
        cmocka_unit_test(test_transport__a_request_that_cannot_be_made_is_our_own_trouble),
        cmocka_unit_test(test_transport__no_descriptor_is_our_own_trouble),
        cmocka_unit_test(test_transport__a_header_line_without_end_is_the_peers_doing),
        cmocka_unit_test(test_transport__keeps_its_time_limit),
        cmocka_unit_test(test_transport__an_unreadable_authority_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
