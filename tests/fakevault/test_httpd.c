/* The HTTP server at its end: whatever its clients were sending. */
#include "tests/fakevault/cmocka_first.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakevault/shell/data/httpd.h"
#include "tests/support/patience.h"

#define CONNECTIONS 8
#define ENDLESS 200000 /* bytes of a head, more than any server takes */

struct fixture {
    pthread_mutex_t lock;
    unsigned opened;
    unsigned closed;
    unsigned closed_by_client;
    struct httpd *httpd;
    int clients[CONNECTIONS];
};

/* The connections that were open when microhttpd was told to stop. */
static unsigned open_at_stop;
static struct fixture *running;

void __wrap_MHD_stop_daemon(struct MHD_Daemon *daemon);
void __real_MHD_stop_daemon(struct MHD_Daemon *daemon);

void __wrap_MHD_stop_daemon(struct MHD_Daemon *daemon)
{
    (void)pthread_mutex_lock(&running->lock);
    open_at_stop += CONNECTIONS - running->closed;
    (void)pthread_mutex_unlock(&running->lock);
    __real_MHD_stop_daemon(daemon);
}

static void *opened(void *context, int fd)
{
    struct fixture *f = context;
    (void)fd;
    (void)pthread_mutex_lock(&f->lock);
    f->opened++;
    (void)pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void closed(void *context, void *conn, bool by_client)
{
    struct fixture *f = context;
    (void)conn;
    (void)pthread_mutex_lock(&f->lock);
    f->closed++;
    f->closed_by_client += by_client;
    (void)pthread_mutex_unlock(&f->lock);
}

static void answer(void *context, struct httpd_exchange *exchange)
{
    (void)context;
    httpd_answer(exchange, &(struct httpd_reply){.status = 204});
}

static void start(struct fixture *f, unsigned daemons)
{
    struct errc_why why = {""};
    *f = (struct fixture){.opened = 0};
    (void)pthread_mutex_init(&f->lock, NULL);
    running = f;
    open_at_stop = 0;
    const struct httpd_options options = {
        .daemons = daemons,
        .listen_fd = -1,
        .connections_max = CONNECTIONS,
        .body_bytes_max = 1024,
        .events = {.opened = opened, .closed = closed, .request = answer, .context = f},
    };
    if (httpd_start(&options, &f->httpd, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        int pair[2];
        const struct sockaddr nobody = {.sa_family = AF_UNIX};
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
        f->clients[i] = pair[0];
        assert_true(httpd_adopt(f->httpd, pair[1], &nobody, sizeof nobody));
    }
}

static void finish(struct fixture *f)
{
    httpd_stop(f->httpd);
    assert_int_equal(open_at_stop, 0);
    assert_int_equal(f->opened, CONNECTIONS);
    assert_int_equal(f->closed, CONNECTIONS);
    for (size_t i = 0; i < CONNECTIONS; i++)
        (void)close(f->clients[i]);
    (void)pthread_mutex_destroy(&f->lock);
}

static void test_httpd__stops_with_silent_connections(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 2);
    finish(&f);
    assert_int_equal(f.closed_by_client, 0);
}

/* microhttpd refuses such a head by itself; it must not be at that when it is told to stop. */
static void test_httpd__stops_while_a_head_is_refused(void **state)
{
    (void)state;
    static char endless[ENDLESS];
    static const char start_of_head[] = "GET / HTTP/1.1\r\nX: ";
    memset(endless, 'b', sizeof endless);
    memcpy(endless, start_of_head, sizeof start_of_head - 1);
    for (unsigned round = 0; round < 20; round++) {
        struct fixture f;
        start(&f, 2);
        for (size_t i = 0; i < CONNECTIONS; i++)
            (void)!send(f.clients[i], endless, sizeof endless, MSG_NOSIGNAL);
        finish(&f);
    }
}

static void test_httpd__stops_between_two_requests(void **state)
{
    (void)state;
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    struct fixture f;
    start(&f, 1);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        char reply[64];
        struct pollfd wait = {.fd = f.clients[i], .events = POLLIN};
        assert_int_equal(send(f.clients[i], request, sizeof request - 1, 0), sizeof request - 1);
        assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
        assert_true(recv(f.clients[i], reply, sizeof reply, 0) > 12);
        assert_memory_equal(reply, "HTTP/1.1 204", 12);
    }
    finish(&f);
    assert_int_equal(f.closed_by_client, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_httpd__stops_with_silent_connections),
        cmocka_unit_test(test_httpd__stops_while_a_head_is_refused),
        cmocka_unit_test(test_httpd__stops_between_two_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
