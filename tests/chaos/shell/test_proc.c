#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/file.h"
#include "chaos/shell/process/proc.h"
#include "chaos/shell/stack/folder.h"
#include "tests/support/patience.h"

static const struct await patient = {.interrupt_fd = -1};
static struct folder_path folder;
static struct folder_path log_path;

#define SOON await_deadline_ns(PATIENCE_MS)

static int make_folder(void **state)
{
    (void)state;
    return folder_make_temporary(&folder, NULL) != ERRC_OK ||
           folder_format(&log_path, NULL, "%s/log", folder.text) != ERRC_OK;
}

static int remove_folder(void **state)
{
    (void)state;
    return folder_remove(folder.text, NULL) != ERRC_OK;
}

static enum errc start_shell(struct proc *p, const char *script, bool tells_ready)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    return proc_start(p,
                      &(struct proc_spec){.name = "sh",
                                          .argv = argv,
                                          .env = env,
                                          .err_path = log_path.text,
                                          .tells_ready = tells_ready},
                      NULL);
}

static void assert_log_is(const char *expected)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 65536);
    assert_int_equal(file_read(log_path.text, &text, NULL), ERRC_OK);
    assert_string_equal(buf_text(&text), expected);
}

static void test_proc__tells_how_it_ended(void **state)
{
    (void)state;
    struct proc p = {0};
    struct proc_end end;
    assert_int_equal(start_shell(&p, "exit 7", false), ERRC_OK);
    assert_int_equal(proc_await_end(&p, &patient, SOON, &end, NULL), ERRC_OK);
    assert_true(end.exited);
    assert_int_equal(end.code, 7);
    assert_int_equal(p.pid, 0);
    assert_int_equal(start_shell(&p, "kill -SEGV $$", false), ERRC_OK);
    assert_int_equal(proc_await_end(&p, &patient, SOON, &end, NULL), ERRC_OK);
    assert_false(end.exited);
    assert_int_equal(end.code, SIGSEGV);
}

static void test_proc__a_program_that_is_not_there_is_an_error_of_the_start(void **state)
{
    (void)state;
    static const char *const argv[] = {"./no-such-program", NULL};
    static const char *const env[] = {NULL};
    struct proc p = {0};
    struct errc_why why;
    const struct proc_spec spec = {
        .name = "api", .argv = argv, .env = env, .err_path = log_path.text};
    assert_int_equal(proc_start(&p, &spec, &why), ERRC_NOT_FOUND);
    assert_string_equal(why.text,
                        "cannot start api: \"./no-such-program\": No such file or directory");
    assert_int_equal(p.pid, 0);
}

static void test_proc__inherits_nothing_but_what_it_is_given(void **state)
{
    (void)state;
    struct proc p = {0};
    struct proc_end end;
    int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */
    assert_true(leak >= 0);
    assert_int_equal(setenv("CHAOS_TEST_LEAK", "1", 1), 0);
    const char *script = "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do"
                         " [ -e /proc/$$/fd/$n ] && echo $n; done; env | grep -c LEAK";
    assert_int_equal(start_shell(&p, script, true), ERRC_OK);
    assert_int_equal(proc_await_end(&p, &patient, SOON, &end, NULL), ERRC_OK);
    assert_log_is("0\n1\n2\n3\n0\n");
    (void)close(leak);
}

static void test_proc__reads_the_ready_line(void **state)
{
    (void)state;
    struct proc p = {0};
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 100);
    assert_int_equal(start_shell(&p, "echo '{}' >&3; exec 3>&-; exec sleep 60", true), ERRC_OK);
    assert_int_equal(proc_await_ready(&p, &patient, SOON, &line, NULL), ERRC_OK);
    assert_string_equal(buf_text(&line), "{}\n");
    assert_true(proc_alive(&p, NULL));
    proc_stop(&p, 1000, NULL);
}

static void test_proc__an_end_before_ready_is_an_error(void **state)
{
    (void)state;
    struct proc p = {0};
    struct errc_why why;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 100);
    assert_int_equal(start_shell(&p, "exit 3", true), ERRC_OK);
    assert_int_equal(proc_await_ready(&p, &patient, SOON, &line, &why), ERRC_STATE);
    assert_string_equal(why.text, "sh ended before it was ready; its log says why");
    proc_stop(&p, 0, NULL);
}

static void test_proc__waits_have_a_deadline_and_heed_interrupts(void **state)
{
    (void)state;
    struct proc p = {0};
    struct proc_end end;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const struct await await = {.interrupt_fd = ends[0]};
    assert_int_equal(start_shell(&p, "exec sleep 60", false), ERRC_OK);
    assert_int_equal(proc_await_end(&p, &await, await_deadline_ns(1), &end, NULL), ERRC_TIMEOUT);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(proc_await_end(&p, &await, SOON, &end, NULL), ERRC_UNAVAILABLE);
    proc_stop(&p, 0, &end);
    assert_false(end.exited);
    assert_int_equal(end.code, SIGKILL);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* The fourth field behind the name in /proc/PID/stat: T is stopped. */
static char state_of(pid_t pid)
{
    char path[64];
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4096);
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(file_read_fd(fd, path, &text, NULL), ERRC_OK);
    (void)close(fd);
    return strrchr(buf_text(&text), ')')[2];
}

static void test_proc__freezes_thaws_and_stops_a_frozen_one(void **state)
{
    (void)state;
    struct proc p = {0};
    struct proc_end end;
    assert_int_equal(start_shell(&p, "trap 'exit 5' TERM; while :; do sleep 60 & wait; done", true),
                     ERRC_OK);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(proc_freeze(&p, &patient, NULL), ERRC_OK);
        assert_int_equal(state_of(p.pid), 'T');
        assert_int_equal(proc_thaw(&p, &patient, NULL), ERRC_OK);
        assert_int_not_equal(state_of(p.pid), 'T');
    }
    assert_int_equal(proc_freeze(&p, &patient, NULL), ERRC_OK);
    proc_stop(&p, 10000, &end);
    assert_int_equal(proc_freeze(&p, &patient, NULL), ERRC_STATE);
}

static void test_proc__freezes_and_thaws_only_once(void **state)
{
    (void)state;
    struct proc p = {0};
    struct errc_why why;
    assert_int_equal(start_shell(&p, "exec sleep 60", false), ERRC_OK);
    assert_int_equal(proc_thaw(&p, &patient, &why), ERRC_STATE);
    assert_string_equal(why.text, "sh is not frozen");
    assert_int_equal(proc_freeze(&p, &patient, NULL), ERRC_OK);
    assert_int_equal(proc_freeze(&p, &patient, &why), ERRC_STATE);
    assert_string_equal(why.text, "sh is frozen already");
    assert_int_equal(proc_thaw(&p, &patient, NULL), ERRC_OK);
    proc_stop(&p, 0, NULL);
    assert_int_equal(proc_thaw(&p, &patient, NULL), ERRC_STATE);
}

/* Somebody else has frozen it: there is no change to wait for. */
static void test_proc__the_wait_for_a_freeze_heeds_interrupts(void **state)
{
    (void)state;
    struct proc p = {0};
    siginfo_t info;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const struct await await = {.interrupt_fd = ends[0]};
    assert_int_equal(start_shell(&p, "exec sleep 60", false), ERRC_OK);
    assert_int_equal(kill(p.pid, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, (id_t)p.pid, &info, WSTOPPED), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(proc_freeze(&p, &await, NULL), ERRC_UNAVAILABLE);
    struct proc_end end;
    proc_stop(&p, 10000, &end);
    assert_int_equal(end.code, SIGTERM);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_proc__freezing_what_has_ended_is_told(void **state)
{
    (void)state;
    struct proc p = {0};
    struct errc_why why;
    assert_int_equal(start_shell(&p, "exit 0", false), ERRC_OK);
    assert_int_equal(await_readable(&patient, p.pid_fd, SOON, "end", NULL), ERRC_OK);
    assert_int_equal(proc_freeze(&p, &patient, &why), ERRC_STATE);
    assert_string_equal(why.text, "sh has ended");
    proc_stop(&p, 0, NULL);
}

static void test_proc__one_that_ignores_term_is_killed_with_its_group(void **state)
{
    (void)state;
    struct proc p = {0};
    struct proc_end end;
    char c = 0;
    /* the child of the shell holds the pipe, too: end of file means that both are gone */
    const char *script = "trap '' TERM; sleep 1000 & echo >&3; wait";
    assert_int_equal(start_shell(&p, script, true), ERRC_OK);
    int pipe_end = dup(p.ready_fd);
    assert_true(pipe_end >= 0);
    assert_int_equal(await_readable(&patient, pipe_end, SOON, "line", NULL), ERRC_OK);
    assert_int_equal(read(pipe_end, &c, 1), 1);
    proc_stop(&p, 50, &end);
    assert_false(end.exited);
    assert_int_equal(end.code, SIGKILL);
    assert_int_equal(await_readable(&patient, pipe_end, SOON, "end of file", NULL), ERRC_OK);
    assert_int_equal(read(pipe_end, &c, 1), 0);
    (void)close(pipe_end);
}

/* A second signal would be another request: our signer ends at once then. */
static void test_proc__is_asked_to_end_only_once(void **state)
{
    (void)state;
    struct proc p = {0};
    struct proc_end end;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 64);
    const char *script = "n=0; trap 'n=$((n+1)); echo asked $n' TERM; echo >&3; exec 3>&-; "
                         "while [ $n = 0 ]; do sleep 0.01; done; sleep 0.1; exit $n";
    proc_ask(&p); /* was never started */
    assert_int_equal(start_shell(&p, script, true), ERRC_OK);
    assert_int_equal(proc_await_ready(&p, &patient, SOON, &line, NULL), ERRC_OK);
    proc_ask(&p);
    proc_ask(&p);
    proc_stop(&p, 10000, &end);
    assert_true(end.exited);
    assert_int_equal(end.code, 1);
    assert_log_is("asked 1\n");
}

static void test_proc__formats_an_end(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 200);
    proc_end_format(&(struct proc_end){.exited = true, .code = 3}, &out);
    buf_add_text(&out, ", ");
    proc_end_format(&(struct proc_end){.exited = false, .code = SIGKILL}, &out);
    assert_string_equal(buf_text(&out), "exited with code 3, was killed by signal 9 (Killed)");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_proc__tells_how_it_ended),
        TEST(test_proc__a_program_that_is_not_there_is_an_error_of_the_start),
        TEST(test_proc__inherits_nothing_but_what_it_is_given),
        TEST(test_proc__reads_the_ready_line),
        TEST(test_proc__an_end_before_ready_is_an_error),
        TEST(test_proc__waits_have_a_deadline_and_heed_interrupts),
        TEST(test_proc__freezes_thaws_and_stops_a_frozen_one),
        TEST(test_proc__freezes_and_thaws_only_once),
        TEST(test_proc__the_wait_for_a_freeze_heeds_interrupts),
        TEST(test_proc__freezing_what_has_ended_is_told),
        TEST(test_proc__one_that_ignores_term_is_killed_with_its_group),
        TEST(test_proc__is_asked_to_end_only_once),
        TEST(test_proc__formats_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
