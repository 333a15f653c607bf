#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/entropy_os.h"
#include "signer/shell/service/service_http.h"
#include "signer/shell/service/service_listen.h"
#include "tests/support/patience.h"

#define STEPS_MAX PATIENCE_MS /* of the loop, each at most STEP_MS: the deadline of a test */
#define STEP_MS 1
#define JSON "Content-Type: application/json\r\n"

/* A server under a clock that stands still unless it is moved, and an application with one run. */
struct bench {
    struct service_http *http;
    uint16_t port;
    int64_t mono_ns;
    bool settled;
    unsigned asked;
    unsigned answered;
    size_t body_len;
    char id[64];
};

static struct instant stand(void *context)
{
    struct bench *b = context;
    return (struct instant){.mono_ns = b->mono_ns};
}

static void answer(void *context, const struct service_http_request *request,
                   struct service_http_answer *answer)
{
    struct bench *b = context;
    b->asked++;
    b->body_len = request->body.len;
    (void)snprintf(b->id, sizeof b->id, "%.*s", SLICE_FMT(request->id));
    answer->status = 200;
    answer->unsettled = !b->settled;
    buf_add_text(&answer->body, b->settled ? "settled" : "under way");
}

static void count(void *context, unsigned status)
{
    struct bench *b = context;
    (void)status;
    b->answered++;
}

static void open_bench(struct bench *b)
{
    struct service_listen listening;
    *b = (struct bench){.mono_ns = 1};
    assert_int_equal(service_listen_open(":0", &listening, NULL), ERRC_OK);
    b->port = listening.port;
    const struct service_http_ports ports = {.answer = answer,
                                             .answer_context = b,
                                             .answered = count,
                                             .context = b,
                                             .entropy = entropy_os(),
                                             .clock = {.now = stand, .context = b}};
    assert_int_equal(service_http_open(listening.fd, &ports, &b->http, NULL), ERRC_OK);
}

static int dial(const struct bench *b)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(b->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void step(struct bench *b)
{
    struct pollfd fd = {.fd = service_http_fd(b->http), .events = POLLIN};
    (void)poll(&fd, 1, STEP_MS);
    service_http_step(b->http);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Turns the loop until `wanted` has come, or the connection has ended; returns all that came. */
static const char *receive(struct bench *b, int fd, const char *wanted)
{
    static char text[8192];
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < STEPS_MAX; i++) {
        step(b);
        ssize_t n = recv(fd, text + len, sizeof text - 1 - len, MSG_DONTWAIT);
        assert_true(n >= 0 || errno == EAGAIN || errno == ECONNRESET);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return text;
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
        if (strstr(text, wanted) != NULL)
            return text;
    }
    fail_msg("no \"%s\" in \"%s\"", wanted, text);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in \"%s\"", part, text);
}

/* Turns the loop until so many questions were asked. */
static void await_asked(struct bench *b, unsigned asked)
{
    for (int i = 0; i < STEPS_MAX && b->asked < asked; i++)
        step(b);
    assert_int_equal(b->asked, asked);
}

#define WAITING "GET /api/v1/bundles/r1 HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=10\r\n\r\n"

static void test_service_http__a_waiting_request_is_answered_when_its_run_is_settled(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, WAITING);
    await_asked(&b, 1);
    service_http_settled(b.http, "another");
    for (int i = 0; i < 20; i++)
        step(&b);
    assert_int_equal(b.asked, 1);
    b.settled = true;
    service_http_settled(b.http, "r1");
    const char *text = receive(&b, fd, "\r\n\r\nsettled");
    assert_has(text, "HTTP/1.1 200 OK\r\n");
    assert_has(text, "Preference-Applied: wait=10\r\n");
    assert_int_equal(b.answered, 1);
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__waits_on_when_the_news_was_not_the_end(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, WAITING);
    await_asked(&b, 1);
    service_http_settled(b.http, "r1");
    await_asked(&b, 2);
    assert_int_equal(b.answered, 0);
    b.settled = true;
    service_http_settled(b.http, NULL);
    (void)receive(&b, fd, "settled");
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__answers_as_it_is_when_the_time_is_up(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, WAITING);
    await_asked(&b, 1);
    assert_in_range(service_http_timeout_ms(b.http), 1, 10001);
    b.mono_ns += INT64_C(9999000000);
    for (int i = 0; i < 20; i++)
        step(&b);
    assert_int_equal(b.answered, 0);
    b.mono_ns += INT64_C(1000001);
    assert_int_equal(service_http_timeout_ms(b.http), 0);
    (void)receive(&b, fd, "under way");
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__without_the_preference_nobody_waits(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, "GET /api/v1/bundles/r1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const char *text = receive(&b, fd, "under way");
    assert_null(strstr(text, "Preference-Applied"));
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__takes_the_preference_from_any_of_several_headers(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, "GET /api/v1/bundles/r1 HTTP/1.1\r\nHost: localhost\r\nprefer: respond-async\r\n"
                  "PREFER: wait=3\r\n\r\n");
    await_asked(&b, 1);
    service_http_stop_waiting(b.http);
    assert_has(receive(&b, fd, "under way"), "Preference-Applied: wait=3\r\n");
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__more_waiters_than_allowed_are_answered_at_once(void **state)
{
    (void)state;
    struct bench b;
    int fds[LIMIT_API_WAITERS + 1];
    open_bench(&b);
    for (unsigned i = 0; i < LIMIT_API_WAITERS; i++) {
        fds[i] = dial(&b);
        send_text(fds[i], WAITING);
        await_asked(&b, i + 1);
    }
    fds[LIMIT_API_WAITERS] = dial(&b);
    send_text(fds[LIMIT_API_WAITERS], WAITING);
    (void)receive(&b, fds[LIMIT_API_WAITERS], "under way");
    assert_int_equal(b.answered, 1);
    for (unsigned i = 0; i <= LIMIT_API_WAITERS; i++)
        (void)close(fds[i]);
    service_http_close(b.http); /* with connections suspended whose clients are gone */
}

static void test_service_http__stopping_with_a_waiting_request_answers_it(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, WAITING);
    await_asked(&b, 1);
    assert_int_equal(service_http_busy(b.http), 1);
    service_http_quiesce(b.http);
    service_http_stop_waiting(b.http);
    (void)receive(&b, fd, "under way");
    for (int i = 0; i < STEPS_MAX && service_http_busy(b.http) > 0; i++)
        step(&b);
    assert_int_equal(service_http_busy(b.http), 0);
    service_http_close(b.http);
    (void)close(fd);
}

struct exchange {
    const char *request;
    const char *status;
    const char *part;
};

static void test_service_http__refuses_by_itself_what_is_no_call(void **state)
{
    (void)state;
    static const struct exchange cases[] = {
        {"GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n", "404",
         "\"message\":\"there is nothing under \\\"/nope\\\"\""},
        {"GET /healthz%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "404", "\"code\":\"not_found\""},
        {"GET /healthz%2fx HTTP/1.1\r\nHost: localhost\r\n\r\n", "404", "\"code\":\"not_found\""},
        {"PUT /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "405",
         "Allow: GET, HEAD\r\n"},
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
         "Content-Length: 2\r\n\r\n{}",
         "415", "content type \\\"text/plain\\\" is not application/json"},
        /* what a page of another site can make a browser send */
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "415",
         "content type \\\"\\\" is not application/json"},
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n" JSON
         "Content-Length: 2\r\n\r\n{}",
         "403", "a page of \\\"https://evil.example\\\" may not use this service"},
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n" JSON
         "Content-Length: 2\r\n\r\n{}",
         "403", "\"code\":\"forbidden\""},
        {"POST /api/v1/bundles/r1/retry HTTP/1.1\r\nHost: localhost\r\nOrigin: "
         "http://localhost:1\r\n"
         "Content-Length: 0\r\n\r\n",
         "403", "\"code\":\"forbidden\""},
        {"POST /api/v1/bundles/r1/retry HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
         "Content-Length: 1\r\n\r\n{",
         "415", "is not application/json"},
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: evil.example\r\n" JSON
         "Content-Length: 2\r\n\r\n{}",
         "421", "this service is not known as \\\"evil.example\\\""},
        {"GET /api/v1/bundles/r1 HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n", "421",
         "\"code\":\"misdirected\""},
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n" JSON
         "Content-Length: 1048577\r\n\r\n",
         "413", "the body has more than 1048576 bytes"},
        {"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\n" JSON
         "Content-Length: 99999999999\r\n\r\n",
         "413", "the body has more than 1048576 bytes"},
    };
    struct bench b;
    open_bench(&b);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = dial(&b);
        char status[20];
        (void)snprintf(status, sizeof status, "HTTP/1.1 %s ", cases[i].status);
        send_text(fd, cases[i].request);
        const char *text = receive(&b, fd, "requestId");
        assert_has(text, status);
        assert_has(text, cases[i].part);
        assert_has(text, "X-Request-Id: ");
        (void)close(fd);
    }
    assert_int_equal(b.asked, 0);
    assert_int_equal(b.answered, COUNT(cases));
    service_http_close(b.http);
}

static void test_service_http__takes_a_body_in_any_pieces(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    b.settled = true;
    int fd = dial(&b);
    send_text(fd,
              "POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
              "Content-Type: Application/JSON; charset=utf-8\r\n\r\n3\r\nabc\r\n");
    for (int i = 0; i < 20; i++)
        step(&b);
    send_text(fd, "2\r\nde\r\n0\r\n\r\n");
    (void)receive(&b, fd, "settled");
    assert_int_equal(b.body_len, 5);
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__drains_a_body_that_is_too_big_so_that_its_sender_learns(void **state)
{
    (void)state;
    static char block[1 << 16];
    struct bench b;
    size_t sent = 0;
    open_bench(&b);
    int fd = dial(&b);
    send_text(fd, "POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\n" JSON
                  "Content-Length: 2097152\r\n\r\n");
    for (int i = 0; i < STEPS_MAX && sent < 2097152; i++) {
        ssize_t n = send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        step(&b);
    }
    assert_int_equal(sent, 2097152);
    assert_has(receive(&b, fd, "requestId"), "HTTP/1.1 413 ");
    assert_int_equal(b.asked, 0);
    (void)close(fd);
    service_http_close(b.http);
}

static void test_service_http__outlives_garbage_and_clients_that_leave(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        "POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\n\r\nzz\r\n",
        "POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc",
        "GET /healthz HTTP/1.1\r\nHost:",
        WAITING,
    };
    struct bench b;
    open_bench(&b);
    for (size_t i = 0; i < COUNT(garbage); i++) {
        int fd = dial(&b);
        send_text(fd, garbage[i]);
        for (int n = 0; n < 10; n++)
            step(&b);
        (void)close(fd);
        for (int n = 0; n < 10; n++)
            step(&b);
    }
    int fd = dial(&b);
    b.settled = true;
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    (void)receive(&b, fd, "settled");
    (void)close(fd);
    service_http_close(b.http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service_http__a_waiting_request_is_answered_when_its_run_is_settled),
        cmocka_unit_test(test_service_http__waits_on_when_the_news_was_not_the_end),
        cmocka_unit_test(test_service_http__answers_as_it_is_when_the_time_is_up),
        cmocka_unit_test(test_service_http__without_the_preference_nobody_waits),
        cmocka_unit_test(test_service_http__takes_the_preference_from_any_of_several_headers),
        cmocka_unit_test(test_service_http__more_waiters_than_allowed_are_answered_at_once),
        cmocka_unit_test(test_service_http__stopping_with_a_waiting_request_answers_it),
        cmocka_unit_test(test_service_http__refuses_by_itself_what_is_no_call),
        cmocka_unit_test(test_service_http__takes_a_body_in_any_pieces),
        cmocka_unit_test(
            test_service_http__drains_a_body_that_is_too_big_so_that_its_sender_learns),
        cmocka_unit_test(test_service_http__outlives_garbage_and_clients_that_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
