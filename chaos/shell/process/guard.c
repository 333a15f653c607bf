#include "chaos/shell/process/guard.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/harden.h"
#include "base/text/slice.h"
#include "chaos/shell/process/await.h"

#define GUARD_KILL_MS 10000

/* Returns the parent of a process, 0 when it is gone. The name in /proc/PID/stat may hold anything,
 * also brackets: the state stands behind the last one. */
static int parent_of(const char *pid)
{
    char path[64];
    char text[512];
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[n] = '\0';
    const char *bracket = strrchr(text, ')'); /* ") S 4711 ..." */
    return bracket != NULL && strlen(bracket) > 4 ? (int)strtol(bracket + 4, NULL, 10) : 0;
}

static void kill_children(void)
{
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return;
    for (const struct dirent *e = readdir(proc); e != NULL; e = readdir(proc)) {
        uint64_t pid = 0;
        if (slice_to_u64(slice_of(e->d_name), &pid) && parent_of(e->d_name) == getpid())
            (void)kill((pid_t)pid, SIGKILL);
    }
    (void)closedir(proc);
}

/* Reaps what has ended; true when the runner was among it. */
static bool reap_some(pid_t runner, int *status)
{
    bool over = false;
    int s = 0;
    for (pid_t pid = waitpid(-1, &s, WNOHANG); pid > 0; pid = waitpid(-1, &s, WNOHANG)) {
        if (pid != runner)
            continue;
        over = true;
        *status = s;
    }
    return over;
}

/* Each child that ends hands its own children to us before it can be reaped: when there is no child
 * left, there is nothing left below. What the kernel does not let go of in time (it waits for a
 * disk) has its SIGKILL and ends without us. */
static void kill_all(int signals)
{
    const struct await patient = {.interrupt_fd = -1};
    int64_t deadline_ns = await_deadline_ns(GUARD_KILL_MS);
    for (;;) {
        struct signalfd_siginfo news;
        int status = 0;
        (void)reap_some(0, &status);
        if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
            return; /* after most runs: then /proc, which has every process, need not be read */
        kill_children();
        if (await_readable(&patient, signals, deadline_ns, "the end of all", NULL) != ERRC_OK)
            return;
        (void)!read(signals, &news, sizeof news);
    }
}

/* Waits for the end of the runner; returns the exit code of the guard. */
static int watch(pid_t runner, int signals)
{
    for (;;) {
        struct signalfd_siginfo info;
        int status = 0;
        if (read(signals, &info, sizeof info) != (ssize_t)sizeof info)
            continue;
        if (info.ssi_signo == SIGINT)
            (void)kill(runner, SIGINT);
        if (info.ssi_signo == SIGTERM)
            return GUARD_EXIT_KILLED;
        if (info.ssi_signo == SIGCHLD && reap_some(runner, &status))
            return WIFEXITED(status) ? WEXITSTATUS(status) : GUARD_EXIT_LOST;
    }
}

static _Noreturn void run_work(const struct guard_work *work, int guard_pid)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGPIPE);
    harden_die_with_parent(guard_pid);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    int interrupt_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    exit(interrupt_fd < 0 ? GUARD_EXIT_LOST : work->run(work->context, interrupt_fd));
}

static _Noreturn void be_guard(const struct guard_work *work, int controller_pid)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != controller_pid)
        _exit(GUARD_EXIT_LOST);
    int self = getpid();
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    pid_t runner = signals < 0 ? -1 : fork();
    if (runner == 0)
        run_work(work, self);
    int code = runner < 0 ? GUARD_EXIT_LOST : watch(runner, signals);
    kill_all(signals);
    work->tidy(work->context);
    _exit(code);
}

enum errc guard_start(struct guard *guard, const struct guard_work *work, struct errc_why *why)
{
    int self = getpid();
    (void)fflush(NULL); /* what is buffered must not be written twice */
    pid_t pid = fork();
    if (pid == 0)
        be_guard(work, self);
    if (pid < 0)
        return errc_fail(why, ERRC_IO, "cannot start a process: %s", strerror(errno));
    (void)setpgid(pid, pid);
    guard->pid = pid;
    guard->pid_fd = pidfd_open(pid, 0);
    if (guard->pid_fd >= 0)
        return ERRC_OK;
    enum errc code = errc_fail(why, ERRC_IO, "cannot watch a process: %s", strerror(errno));
    guard_kill(guard);
    (void)guard_reap(guard);
    return code;
}

void guard_interrupt(const struct guard *guard)
{
    (void)kill(guard->pid, SIGINT);
}

void guard_kill(const struct guard *guard)
{
    (void)kill(guard->pid, SIGTERM);
}

int guard_reap(struct guard *guard)
{
    int status = 0;
    while (waitpid(guard->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (guard->pid_fd >= 0)
        (void)close(guard->pid_fd);
    *guard = (struct guard){.pid_fd = -1};
    return WIFEXITED(status) ? WEXITSTATUS(status) : GUARD_EXIT_LOST;
}

int guard_interrupts(int interrupt_fd, int before)
{
    struct signalfd_siginfo info;
    while (before < 2 && read(interrupt_fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGINT)
            before++;
    return before;
}
