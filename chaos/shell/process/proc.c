#include "chaos/shell/process/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/os/file.h"
#include "base/os/harden.h"

struct launch {
    int out_fd;
    int err_fd;
    int ready[2];
    int trouble[2]; /* the child writes errno here when it cannot become the program */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void launch_done(struct launch *l)
{
    close_fd(&l->out_fd);
    close_fd(&l->err_fd);
    for (int i = 0; i < 2; i++) {
        close_fd(&l->ready[i]);
        close_fd(&l->trouble[i]);
    }
}

static int open_log(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static enum errc launch_open(struct launch *l, const struct proc_spec *spec, struct errc_why *why)
{
    const char *out_path = spec->out_path != NULL ? spec->out_path : spec->err_path;
    l->out_fd = open_log(out_path);
    l->err_fd = open_log(spec->err_path);
    if (l->out_fd < 0 || l->err_fd < 0)
        return errc_fail(why, ERRC_IO, "cannot open the log of %s in \"%s\": %s", spec->name,
                         out_path, strerror(errno));
    if (pipe2(l->trouble, O_CLOEXEC) != 0 || (spec->tells_ready && pipe2(l->ready, O_CLOEXEC) != 0))
        return errc_fail(why, ERRC_IO, "cannot make a pipe for %s: %s", spec->name,
                         strerror(errno));
    return ERRC_OK;
}

/* Puts the child's descriptors where they belong. The highest ones first go out of the way of
 * 0..3, which they may occupy when chaos itself was started without standard descriptors. */
static bool place_descriptors(const struct launch *l)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int from[4] = {in, l->out_fd, l->err_fd, l->ready[1]};
    for (int i = 0; i < 4; i++)
        if (from[i] >= 0 && (from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10)) < 0)
            return false;
    for (int i = 0; i < 4; i++)
        if (from[i] >= 0 && dup2(from[i], i) < 0)
            return false;
    return in >= 0;
}

/* In the child, which runs in our memory while we stand still: only async-signal-safe calls from
 * here to exec, and nothing is written but what lies on the stack. */
static _Noreturn void become(const struct proc_spec *spec, struct launch *l, int parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    const struct rlimit no_core = {0, 0};
    harden_die_with_parent(parent);
    (void)setpgid(0, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    int trouble = fcntl(l->trouble[1], F_DUPFD_CLOEXEC, 20);
    bool placed = trouble >= 0 && place_descriptors(l);
    (void)close_range(PROC_READY_FD + (l->ready[1] >= 0 ? 1 : 0), ~0U, CLOSE_RANGE_CLOEXEC);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (placed && (spec->folder == NULL || chdir(spec->folder) == 0))
        /* exec takes char *const[] for historical reasons and changes nothing */
        (void)execve(spec->argv[0], (char *const *)(uintptr_t)spec->argv,
                     (char *const *)(uintptr_t)spec->env);
    int e = errno;
    (void)!write(trouble, &e, sizeof e);
    _exit(127);
}

/* Waits until exec has happened (end of file) or failed. */
static enum errc read_trouble(int fd, const struct proc_spec *spec, struct errc_why *why)
{
    const struct await patient = {.interrupt_fd = -1};
    char what[64];
    int e = 0;
    ssize_t n = 0;
    (void)snprintf(what, sizeof what, "%s to begin", spec->name);
    TRY(await_readable(spec->await != NULL ? spec->await : &patient, fd,
                       await_deadline_ns(PROC_CHANGE_MS), what, why));
    do {
        n = read(fd, &e, sizeof e);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return ERRC_OK;
    enum errc code = e == ENOENT ? ERRC_NOT_FOUND : e == EACCES ? ERRC_DENIED : ERRC_IO;
    return errc_fail(why, code, "cannot start %s: \"%s\": %s", spec->name, spec->argv[0],
                     strerror(e));
}

/* Kills a group and reaps its leader. One that the kernel does not let go of (it waits for a disk)
 * is left to the guard: it ends as soon as it can. Returns false then. */
static bool kill_group(int pid, int pid_fd, int *status)
{
    const struct await patient = {.interrupt_fd = -1};
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL); /* also one that has no group of its own yet */
    if (pid_fd >= 0 && await_readable(&patient, pid_fd, await_deadline_ns(PROC_CHANGE_MS),
                                      "its end", NULL) != ERRC_OK)
        return false;
    return waitpid(pid, status, pid_fd >= 0 ? WNOHANG : 0) == pid;
}

/* Not fork: copying the tables of our pages, and then the pages, takes longer than all else. */
static pid_t launch(const struct proc_spec *spec, struct launch *l)
{
    int parent = getpid();
    pid_t pid = vfork();
    if (pid == 0)
        become(spec, l, parent);
    return pid;
}

enum errc proc_start(struct proc *p, const struct proc_spec *spec, struct errc_why *why)
{
    struct launch l CLEANUP(launch_done) = {-1, -1, {-1, -1}, {-1, -1}};
    TRY(launch_open(&l, spec, why));
    pid_t pid = launch(spec, &l);
    if (pid < 0)
        return errc_fail(why, ERRC_IO, "cannot start %s: %s", spec->name, strerror(errno));
    (void)setpgid(pid, pid);
    close_fd(&l.trouble[1]);
    int status = 0;
    int pid_fd = pidfd_open(pid, 0);
    enum errc code =
        pid_fd >= 0 ? read_trouble(l.trouble[0], spec, why)
                    : errc_fail(why, ERRC_IO, "cannot watch %s: %s", spec->name, strerror(errno));
    if (code != ERRC_OK) {
        (void)kill_group(pid, pid_fd, &status);
        close_fd(&pid_fd);
        return code;
    }
    *p = (struct proc){.pid = pid, .pid_fd = pid_fd, .ready_fd = l.ready[0]};
    (void)snprintf(p->name, sizeof p->name, "%s", spec->name);
    l.ready[0] = -1;
    return ERRC_OK;
}

enum errc proc_await_ready(struct proc *p, const struct await *await, int64_t deadline_ns,
                           struct buf *out, struct errc_why *why)
{
    char what[64];
    (void)snprintf(what, sizeof what, "%s to be ready", p->name);
    for (;;) {
        char chunk[512];
        TRY(await_readable(await, p->ready_fd, deadline_ns, what, why));
        ssize_t n = read(p->ready_fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        buf_add(out, chunk, (size_t)n);
        TRY(buf_status(out, why));
    }
    close_fd(&p->ready_fd);
    if (!slice_ends_with(buf_slice(out), "\n"))
        return errc_fail(why, ERRC_STATE, "%s ended before it was ready; its log says why",
                         p->name);
    return ERRC_OK;
}

static struct proc_end end_of(int status)
{
    if (WIFEXITED(status))
        return (struct proc_end){.exited = true, .code = WEXITSTATUS(status)};
    return (struct proc_end){.exited = false, .code = WTERMSIG(status)};
}

static void forget(struct proc *p)
{
    close_fd(&p->pid_fd);
    close_fd(&p->ready_fd);
    p->pid = 0;
    p->stopped = p->asked = false;
}

/* The group is gone with its leader as far as we care: whatever the leader left in it must not
 * survive it. */
static void reap(struct proc *p, int status, struct proc_end *end)
{
    (void)kill(-p->pid, SIGKILL);
    if (end != NULL)
        *end = end_of(status);
    forget(p);
}

bool proc_alive(struct proc *p, struct proc_end *end)
{
    int status = 0;
    if (p->pid == 0)
        return false;
    if (waitpid(p->pid, &status, WNOHANG) != p->pid)
        return true;
    reap(p, status, end);
    return false;
}

enum errc proc_await_end(struct proc *p, const struct await *await, int64_t deadline_ns,
                         struct proc_end *end, struct errc_why *why)
{
    CHECK(p->pid != 0);
    char what[64];
    int status = 0;
    (void)snprintf(what, sizeof what, "%s to end", p->name);
    TRY(await_readable(await, p->pid_fd, deadline_ns, what, why));
    if (waitpid(p->pid, &status, 0) != p->pid)
        return errc_fail(why, ERRC_IO, "cannot reap %s: %s", p->name, strerror(errno));
    reap(p, status, end);
    return ERRC_OK;
}

/* True when the leader's state has changed as asked, or it has ended; ERRC_STATE says the latter.
 */
static enum errc state_changed(struct proc *p, int wait_option, bool *changed, struct errc_why *why)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)p->pid, &info, wait_option | WEXITED | WNOWAIT | WNOHANG) != 0)
        return errc_fail(why, ERRC_IO, "cannot wait for %s: %s", p->name, strerror(errno));
    *changed = info.si_pid == p->pid;
    if (!*changed)
        return ERRC_OK;
    if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
        return errc_fail(why, ERRC_STATE, "%s has ended", p->name);
    /* take the notice of the stop away, so that the next wait does not find it again */
    (void)waitid(P_PID, (id_t)p->pid, &info, wait_option | WNOHANG);
    return ERRC_OK;
}

/* Waits for the leader's state; each change of a child is told by a SIGCHLD. */
static enum errc await_state(struct proc *p, int wait_option, int children,
                             const struct await *await, struct errc_why *why)
{
    int64_t deadline_ns = await_deadline_ns(PROC_CHANGE_MS);
    char what[64];
    (void)snprintf(what, sizeof what, "%s to %s", p->name,
                   wait_option == WSTOPPED ? "freeze" : "go on");
    for (;;) {
        struct signalfd_siginfo news;
        bool changed = false;
        TRY(state_changed(p, wait_option, &changed, why));
        if (changed)
            return ERRC_OK;
        TRY(await_readable(await, children, deadline_ns, what, why));
        (void)!read(children, &news, sizeof news);
    }
}

/* Signals the group and waits until the leader's state has changed accordingly. */
static enum errc change_state(struct proc *p, int signal_number, int wait_option,
                              const struct await *await, struct errc_why *why)
{
    sigset_t set, before;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    int children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    enum errc code = ERRC_OK;
    if (children < 0)
        code = errc_fail(why, ERRC_IO, "cannot watch %s: %s", p->name, strerror(errno));
    else if (kill(-p->pid, signal_number) != 0)
        code = errc_fail(why, ERRC_STATE, "%s does not run", p->name);
    else
        code = await_state(p, wait_option, children, await, why);
    close_fd(&children);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}

enum errc proc_freeze(struct proc *p, const struct await *await, struct errc_why *why)
{
    if (p->pid == 0)
        return errc_fail(why, ERRC_STATE, "%s does not run", p->name);
    if (p->stopped)
        return errc_fail(why, ERRC_STATE, "%s is frozen already", p->name);
    p->stopped = true; /* also when it cannot be told: whoever ends it thaws it first */
    return change_state(p, SIGSTOP, WSTOPPED, await, why);
}

enum errc proc_thaw(struct proc *p, const struct await *await, struct errc_why *why)
{
    if (p->pid == 0)
        return errc_fail(why, ERRC_STATE, "%s does not run", p->name);
    if (!p->stopped)
        return errc_fail(why, ERRC_STATE, "%s is not frozen", p->name);
    TRY(change_state(p, SIGCONT, WCONTINUED, await, why));
    p->stopped = false;
    return ERRC_OK;
}

void proc_ask(struct proc *p)
{
    if (p->pid == 0 || p->asked)
        return;
    p->asked = true; /* a second signal would be another request: to end at once */
    (void)kill(p->pid, SIGTERM);
    if (p->stopped)
        (void)kill(-p->pid, SIGCONT);
    p->stopped = false;
}

void proc_stop(struct proc *p, int64_t grace_ms, struct proc_end *end)
{
    const struct await patient = {.interrupt_fd = -1};
    if (p->pid == 0)
        return;
    if (grace_ms > 0) {
        proc_ask(p);
        if (proc_await_end(p, &patient, await_deadline_ns(grace_ms), end, NULL) == ERRC_OK)
            return;
    }
    int status = SIGKILL; /* what it will be, when it does not end in time */
    (void)kill_group(p->pid, p->pid_fd, &status);
    reap(p, status, end);
}

void proc_end_format(const struct proc_end *end, struct buf *out)
{
    if (end->exited)
        buf_addf(out, "exited with code %d", end->code);
    else
        buf_addf(out, "was killed by signal %d (%s)", end->code, strsignal(end->code));
}
