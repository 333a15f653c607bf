/*
 * Every allocation of one attempt fails once, libcurl's included: it comes back as our own trouble,
 * or the attempt is made in spite of it. Vault, which was there all the time, is never blamed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signer/shell/transport_curl.h"
#include "tests/signer/wire_server.h"
#include "tests/support/oom.h"
#include "tests/support/patience.h"

#define ATTEMPTS 1000

static void attempt(struct transport port, size_t nth, bool *came, struct transport_reply *reply)
{
    const struct transport_request request = {.method = "POST",
                                              .path = "/v1/transit/sign/k",
                                              .body = SLICE_LITERAL("{\"input\":\"\"}"),
                                              .attempt = 1,
                                              .timeout_ms = PATIENCE_MS,
                                              .with_token = true};
    oom_arm(nth);
    port.send(port.context, &request, reply);
    *came = oom_disarm();
}

/* Vault, in a process of its own: its allocations are not meant. Returns its port. */
static uint16_t start_peer(pid_t *pid)
{
    static const struct wire_server_act act = {
        "HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}", 0, WIRE_SERVER_FIN};
    static struct wire_server_act acts[ATTEMPTS];
    int ends[2];
    uint16_t port = 0;
    for (size_t i = 0; i < ATTEMPTS; i++)
        acts[i] = act;
    assert_int_equal(pipe(ends), 0);
    *pid = fork();
    assert_true(*pid >= 0);
    if (*pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        port = wire_server_port(wire_server_start(acts, ATTEMPTS));
        if (write(ends[1], &port, sizeof port) != (ssize_t)sizeof port)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ends[0], &port, sizeof port), sizeof port);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return port;
}

static void try_host(const char *host)
{
    struct secret_arena *arena = NULL;
    struct secret token;
    char addr[64];
    pid_t peer = 0;
    bool came = true;
    size_t internal = 0;
    (void)snprintf(addr, sizeof addr, "http://%s:%u", host, start_peer(&peer));
    const struct config config = {.vault_addr = addr, .vault_namespace = "a", .test = "t"};
    assert_int_equal(secret_arena_new(65536, &arena, NULL, NULL), ERRC_OK);
    assert_int_equal(secret_copy(arena, SLICE_LITERAL("hvs.token"), &token), ERRC_OK);
    for (size_t n = 1; came; n++) {
        struct transport_curl *curl = NULL;
        struct transport_reply reply CLEANUP(transport_reply_done) = {0};
        assert_true(n < ATTEMPTS);
        assert_int_equal(transport_curl_open(&config, &token, &curl, NULL), ERRC_OK);
        attempt(transport_curl_port(curl), n, &came, &reply);
        internal += reply.outcome == TRANSPORT_INTERNAL;
        if (reply.outcome != TRANSPORT_INTERNAL && reply.outcome != TRANSPORT_COMPLETE)
            fail_msg("%s: allocation %zu: outcome %d: %s", host, n, (int)reply.outcome,
                     reply.detail);
        transport_curl_close(curl);
    }
    assert_true(internal > 10);
    secret_done(&token);
    secret_arena_free(arena);
    assert_int_equal(kill(peer, SIGKILL), 0);
    assert_int_equal(waitpid(peer, NULL, 0), peer);
}

static void test_transport__no_memory_is_our_own_trouble(void **state)
{
    (void)state;
    try_host("127.0.0.1");
    try_host("localhost"); /* by way of the resolver's thread */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport__no_memory_is_our_own_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
