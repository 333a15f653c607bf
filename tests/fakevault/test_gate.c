/* The data port as a raw socket sees it: refused, reset, drained, and its own all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "fakevault/shell/control/sockname.h"
#include "fakevault/shell/data/gate.h"
#include "tests/support/patience.h"

#define CONNS_MAX 16

/* Stands for the HTTP server: keeps the descriptors that it is handed. */
struct keeper {
    struct gate *gate;
    pthread_mutex_t lock;
    pthread_cond_t grown;
    int fds[CONNS_MAX];
    size_t count;
    enum journal_how ended[CONNS_MAX + 1]; /* by id */
};

static bool keep(void *context, int fd, const struct sockaddr *address, socklen_t len)
{
    struct keeper *k = context;
    (void)address;
    (void)len;
    (void)pthread_mutex_lock(&k->lock);
    k->fds[k->count++] = fd;
    (void)pthread_cond_signal(&k->grown);
    (void)pthread_mutex_unlock(&k->lock);
    return true;
}

static void opened(void *context, uint64_t conn)
{
    (void)context;
    assert_true(conn <= CONNS_MAX);
}

static void closed(void *context, uint64_t conn, enum journal_how how)
{
    struct keeper *k = context;
    k->ended[conn] = how;
}

/* Whoever writes here may wait: the gate has to go on working meanwhile. */
static void told(void *context)
{
    struct keeper *k = context;
    (void)gate_status(k->gate);
}

static void start(struct keeper *k)
{
    struct errc_why why = {""};
    const struct gate_events events = {keep, opened, closed, NULL, told, k};
    *k = (struct keeper){.count = 0};
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_cond_init(&k->grown, NULL);
    if (gate_open("127.0.0.1:0", &k->gate, &why) != ERRC_OK ||
        gate_start(k->gate, &events, &why) != ERRC_OK)
        fail_msg("%s", why.text);
}

static void stop(struct keeper *k)
{
    gate_stop(k->gate);
    for (size_t i = 0; i < k->count; i++) {
        gate_conn_closed(k->gate, gate_conn_of(k->gate, k->fds[i]), JOURNAL_CLOSED_SERVER);
        (void)close(k->fds[i]);
    }
    gate_free(k->gate);
    (void)pthread_mutex_destroy(&k->lock);
    (void)pthread_cond_destroy(&k->grown);
}

static int connect_to(uint16_t port)
{
    char text[32];
    struct sockname name;
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", port);
    assert_int_equal(sockname_parse(text, &name, NULL), ERRC_OK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&name.address, name.len) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static void wait_for_count(struct keeper *k, size_t count)
{
    (void)pthread_mutex_lock(&k->lock);
    while (k->count < count)
        (void)pthread_cond_wait(&k->grown, &k->lock);
    (void)pthread_mutex_unlock(&k->lock);
}

/* What the peer of fd is told: 0 for an end of file, else errno. */
static int what_comes(int fd)
{
    char byte;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    ssize_t n = recv(fd, &byte, 1, 0);
    return n < 0 ? errno : (int)n;
}

static void test_gate__refuse_resets_open_connections_and_refuses_new_ones(void **state)
{
    (void)state;
    struct keeper k;
    start(&k);
    int clients[3];
    for (size_t i = 0; i < 3; i++)
        assert_true((clients[i] = connect_to(gate_port(k.gate))) >= 0);
    wait_for_count(&k, 3);
    struct gate_refused count = gate_refuse(k.gate, false);
    assert_int_equal(count.reset, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(what_comes(clients[i]), ECONNRESET);
        (void)close(clients[i]);
    }
    assert_int_equal(connect_to(gate_port(k.gate)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_false(gate_status(k.gate).accepting);
    assert_int_equal(gate_refuse(k.gate, false).reset, 0); /* once is enough */
    stop(&k);
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(k.ended[id], JOURNAL_CLOSED_RESET);
}

static void test_gate__accept_opens_the_same_port_again(void **state)
{
    (void)state;
    struct keeper k;
    start(&k);
    uint16_t port = gate_port(k.gate);
    for (size_t round = 1; round <= 5; round++) {
        (void)gate_refuse(k.gate, false);
        assert_int_equal(connect_to(port), -1);
        assert_int_equal(gate_accept(k.gate, NULL), ERRC_OK);
        assert_int_equal(gate_accept(k.gate, NULL), ERRC_OK);
        int client = connect_to(port);
        assert_true(client >= 0);
        wait_for_count(&k, round);
        (void)close(client);
    }
    stop(&k);
}

static bool serves(struct keeper *k, size_t count)
{
    int client = connect_to(gate_port(k->gate));
    if (client < 0)
        return false;
    wait_for_count(k, count);
    bool whole = send(k->fds[count - 1], "x", 1, MSG_NOSIGNAL) == 1 && what_comes(client) == 1;
    (void)close(client);
    return whole;
}

static void test_gate__refusing_twice_is_refusing_once(void **state)
{
    (void)state;
    static const bool drains[][2] = {{false, false}, {false, true}, {true, false}, {true, true}};
    struct keeper k;
    start(&k);
    for (size_t i = 0; i < COUNT(drains); i++) {
        (void)gate_refuse(k.gate, drains[i][0]);
        (void)gate_refuse(k.gate, drains[i][1]);
        assert_int_equal(gate_accept(k.gate, NULL), ERRC_OK);
        assert_true(serves(&k, i + 1));
    }
    stop(&k);
}

static void test_gate__knows_whose_client_has_hung_up(void **state)
{
    (void)state;
    struct keeper k;
    start(&k);
    int clients[2];
    for (size_t i = 0; i < 2; i++) {
        clients[i] = connect_to(gate_port(k.gate));
        wait_for_count(&k, i + 1);
        assert_int_equal(send(clients[i], "unread", 6, 0), 6);
        assert_false(gate_conn_peer_gone(k.gate, gate_conn_of(k.gate, k.fds[i])));
    }
    (void)close(clients[0]);
    struct pollfd wait = {.fd = k.fds[0], .events = POLLRDHUP};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_true(gate_conn_peer_gone(k.gate, gate_conn_of(k.gate, k.fds[0])));
    assert_false(gate_conn_peer_gone(k.gate, gate_conn_of(k.gate, k.fds[1])));
    (void)gate_refuse(k.gate, false);
    assert_true(gate_conn_peer_gone(k.gate, gate_conn_of(k.gate, k.fds[1])));
    stop(&k);
    (void)close(clients[1]);
}

static void test_gate__drain_lets_the_request_in_flight_finish(void **state)
{
    (void)state;
    struct keeper k;
    start(&k);
    int busy = connect_to(gate_port(k.gate));
    wait_for_count(&k, 1);
    int idle = connect_to(gate_port(k.gate));
    wait_for_count(&k, 2);
    struct gate_conn *conn = gate_conn_of(k.gate, k.fds[0]);
    assert_true(gate_conn_begin(k.gate, conn));
    struct gate_refused count = gate_refuse(k.gate, true);
    assert_int_equal(count.reset, 1);
    assert_int_equal(count.draining, 1);
    assert_int_equal(what_comes(idle), ECONNRESET);
    assert_true(gate_conn_last(k.gate, conn));
    assert_int_equal(send(k.fds[0], "x", 1, 0), 1);
    gate_conn_end(k.gate, conn);
    assert_int_equal(what_comes(busy), 1); /* the reply */
    assert_int_equal(what_comes(busy), 0); /* then the end */
    stop(&k);
    assert_int_equal(k.ended[1], JOURNAL_CLOSED_DRAIN);
    (void)close(busy);
    (void)close(idle);
}

static void test_gate__a_port_held_by_a_bound_socket_can_be_used(void **state)
{
    (void)state;
    struct errc_why why = {""};
    struct sockname held;
    int fd = -1;
    assert_int_equal(sockname_parse("127.0.0.1:0", &held, &why), ERRC_OK);
    assert_int_equal(sockname_bind(&held, &fd, &why), ERRC_OK);
    char address[SOCKNAME_TEXT_MAX];
    sockname_format(&held, address);
    struct keeper k = {.count = 0};
    const struct gate_events events = {keep, opened, closed, NULL, told, &k};
    assert_int_equal(gate_open(address, &k.gate, &why), ERRC_OK);
    assert_int_equal(gate_start(k.gate, &events, &why), ERRC_OK);
    assert_string_equal(gate_address(k.gate), address);
    struct gate *second = NULL;
    assert_int_equal(gate_open(address, &second, &why), ERRC_UNAVAILABLE);
    assert_non_null(strstr(why.text, "Address already in use"));
    gate_stop(k.gate);
    gate_free(k.gate);
    (void)close(fd);
}

static void test_gate__an_address_that_is_none_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *sentence;
    } rows[] = {
        {"8200", "address \"8200\" has no port, want HOST:PORT"},
        {"127.0.0.1:", "address \"127.0.0.1:\": the port is not in 0..65535"},
        {"127.0.0.1:65536", "address \"127.0.0.1:65536\": the port is not in 0..65535"},
        {"::1:8200", "address \"::1:8200\": write an IPv6 address in brackets, [::1]:8200"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct errc_why why = {""};
        struct gate *gate = NULL;
        assert_int_not_equal(gate_open(rows[i].address, &gate, &why), ERRC_OK);
        assert_string_equal(why.text, rows[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate__refuse_resets_open_connections_and_refuses_new_ones),
        cmocka_unit_test(test_gate__accept_opens_the_same_port_again),
        cmocka_unit_test(test_gate__refusing_twice_is_refusing_once),
        cmocka_unit_test(test_gate__knows_whose_client_has_hung_up),
        cmocka_unit_test(test_gate__drain_lets_the_request_in_flight_finish),
        cmocka_unit_test(test_gate__a_port_held_by_a_bound_socket_can_be_used),
        cmocka_unit_test(test_gate__an_address_that_is_none_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
