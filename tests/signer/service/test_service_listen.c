#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "signer/shell/service/service_listen.h"

static void test_service_listen__takes_loopback_for_granted(void **state)
{
    (void)state;
    static const char *const addresses[] = {":0", "127.0.0.1:0", "localhost:0"};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct service_listen socket;
        assert_int_equal(service_listen_open(addresses[i], &socket, NULL), ERRC_OK);
        assert_true(socket.loopback);
        assert_true(socket.port > 0);
        (void)close(socket.fd);
    }
}

static void test_service_listen__tells_when_others_can_reach_it(void **state)
{
    (void)state;
    struct service_listen socket;
    assert_int_equal(service_listen_open("0.0.0.0:0", &socket, NULL), ERRC_OK);
    assert_false(socket.loopback);
    (void)close(socket.fd);
}

static void test_service_listen__quotes_what_it_does_not_understand(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "",       "8080",     "127.0.0.1",   "127.0.0.1:", "host:80", ":65536", "127.0.0.1:x",
        "[::1:0", "::1:8080", "1.2.3.4.5:1", ":-1"};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct service_listen socket;
        struct errc_why why = {0};
        char wanted[100];
        assert_int_equal(service_listen_open(addresses[i], &socket, &why), ERRC_USAGE);
        (void)snprintf(wanted, sizeof wanted,
                       "listen address \"%s\" is not HOST:PORT with a numeric host", addresses[i]);
        assert_string_equal(why.text, wanted);
    }
}

static void test_service_listen__a_taken_port_is_an_error_with_its_name(void **state)
{
    (void)state;
    struct service_listen first, second;
    struct errc_why why = {0};
    char address[40];
    assert_int_equal(service_listen_open(":0", &first, NULL), ERRC_OK);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", first.port);
    assert_int_equal(service_listen_open(address, &second, &why), ERRC_IO);
    assert_non_null(strstr(why.text, address));
    (void)close(first.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service_listen__takes_loopback_for_granted),
        cmocka_unit_test(test_service_listen__tells_when_others_can_reach_it),
        cmocka_unit_test(test_service_listen__quotes_what_it_does_not_understand),
        cmocka_unit_test(test_service_listen__a_taken_port_is_an_error_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
