#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/file.h"
#include "chaos/shell/process/await.h"
#include "chaos/shell/process/guard.h"
#include "chaos/shell/stack/folder.h"
#include "tests/support/patience.h"

/*
 * Each run starts a process that does what it can to get away (a session of its own, forked twice,
 * no parent-death signal) and holds the write end of a pipe: as long as it lives, the pipe has no
 * end of file.
 */
struct setting {
    int alive[2]; /* end of file: nothing below the guard lives any more */
    int said[2];  /* the runner writes here that it got so far */
    struct folder_path tidied;
    int (*run)(struct setting *setting, int interrupt_fd);
};

static int open_setting(void **state)
{
    static struct setting setting;
    struct folder_path folder;
    if (pipe2(setting.alive, O_CLOEXEC) != 0 || pipe2(setting.said, O_CLOEXEC) != 0 ||
        folder_make_temporary(&folder, NULL) != ERRC_OK ||
        folder_format(&setting.tidied, NULL, "%s", folder.text) != ERRC_OK)
        return -1;
    *state = &setting;
    return 0;
}

static int close_setting(void **state)
{
    const struct setting *s = *state;
    for (int i = 0; i < 2; i++) {
        (void)close(s->alive[i]);
        (void)close(s->said[i]);
    }
    return folder_remove(s->tidied.text, NULL) != ERRC_OK;
}

static void escape_and_hold(const struct setting *s)
{
    if (fork() != 0)
        return;
    (void)setsid();
    if (fork() != 0)
        _exit(0);
    (void)close(s->said[1]);
    for (;;)
        (void)pause();
}

static int run_setting(void *context, int interrupt_fd)
{
    struct setting *s = context;
    escape_and_hold(s);
    (void)!write(s->said[1], "x", 1);
    return s->run(s, interrupt_fd);
}

static void tidy_setting(void *context)
{
    const struct setting *s = context;
    (void)!rmdir(s->tidied.text);
}

static struct guard start(struct setting *s, int (*run)(struct setting *, int))
{
    struct guard guard = {0};
    s->run = run;
    const struct guard_work work = {.run = run_setting, .tidy = tidy_setting, .context = s};
    assert_int_equal(guard_start(&guard, &work, NULL), ERRC_OK);
    return guard;
}

static void assert_reads(int fd, ssize_t expected)
{
    char c = 0;
    const struct await patient = {.interrupt_fd = -1};
    assert_int_equal(await_readable(&patient, fd, await_deadline_ns(PATIENCE_MS), "pipe", NULL),
                     ERRC_OK);
    assert_int_equal(read(fd, &c, 1), expected);
}

static void assert_all_gone(struct setting *s)
{
    (void)close(s->alive[1]);
    s->alive[1] = -1;
    assert_reads(s->alive[0], 0);
}

static int return_5(struct setting *s, int interrupt_fd)
{
    (void)s;
    (void)interrupt_fd;
    return 5;
}

static int wait_forever(struct setting *s, int interrupt_fd)
{
    (void)s;
    (void)interrupt_fd;
    while (getpid() > 0)
        (void)pause();
    return 0;
}

static int count_interrupts(struct setting *s, int interrupt_fd)
{
    int seen = 0;
    while (seen < 2) {
        struct pollfd p = {.fd = interrupt_fd, .events = POLLIN};
        (void)poll(&p, 1, -1);
        seen = guard_interrupts(interrupt_fd, seen);
        (void)!write(s->said[1], "x", 1);
    }
    return seen;
}

static void test_guard__ends_what_the_work_left_behind(void **state)
{
    struct setting *s = *state;
    struct guard guard = start(s, return_5);
    assert_int_equal(guard_reap(&guard), 5);
    assert_all_gone(s);
    assert_int_equal(access(s->tidied.text, F_OK), -1);
}

static void test_guard__ends_everything_when_told(void **state)
{
    struct setting *s = *state;
    struct guard guard = start(s, wait_forever);
    assert_reads(s->said[0], 1);
    guard_kill(&guard);
    assert_int_equal(guard_reap(&guard), GUARD_EXIT_KILLED);
    assert_all_gone(s);
    assert_int_equal(access(s->tidied.text, F_OK), -1);
}

static void test_guard__passes_interrupts_on(void **state)
{
    struct setting *s = *state;
    struct guard guard = start(s, count_interrupts);
    assert_reads(s->said[0], 1);
    guard_interrupt(&guard);
    assert_reads(s->said[0], 1);
    guard_interrupt(&guard);
    assert_reads(s->said[0], 1);
    assert_int_equal(guard_reap(&guard), 2);
    assert_all_gone(s);
}

static int abort_at_once(struct setting *s, int interrupt_fd)
{
    (void)s;
    (void)interrupt_fd;
    (void)raise(SIGKILL);
    return 0;
}

static void test_guard__a_runner_that_is_killed_is_lost_and_leaves_nothing(void **state)
{
    struct setting *s = *state;
    struct guard guard = start(s, abort_at_once);
    assert_int_equal(guard_reap(&guard), GUARD_EXIT_LOST);
    assert_all_gone(s);
    assert_int_equal(access(s->tidied.text, F_OK), -1);
}

static void test_guard__notices_that_the_controller_was_killed(void **state)
{
    struct setting *s = *state;
    pid_t controller = fork();
    if (controller == 0) {
        (void)start(s, wait_forever);
        for (;;)
            (void)pause();
    }
    assert_reads(s->said[0], 1);
    assert_int_equal(kill(controller, SIGKILL), 0);
    assert_int_equal(waitpid(controller, NULL, 0), controller);
    assert_all_gone(s);
}

int main(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    /* as the controller does: a guard must not be hit before it listens */
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_setting, close_setting)
    const struct CMUnitTest tests[] = {
        TEST(test_guard__ends_what_the_work_left_behind),
        TEST(test_guard__ends_everything_when_told),
        TEST(test_guard__passes_interrupts_on),
        TEST(test_guard__a_runner_that_is_killed_is_lost_and_leaves_nothing),
        TEST(test_guard__notices_that_the_controller_was_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
