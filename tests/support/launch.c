/*
 * launch PROGRAM [ARGUMENT...]: runs a test as if nobody had started it, in a folder of its own.
 *
 * The test inherits neither variables (but for those in `kept`), nor ignored or blocked signals,
 * descriptors, a mask of modes, limits or a time zone. Its working folder is empty and new, and
 * also its home and its place for temporary files; it goes with a test that passes, and is named
 * when one fails. integration/harness/surroundings.py does the same for pytest.
 *
 * Ends as the test did: with its exit code, or by its signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/count.h"

enum { NO_TEST = 125, VARIABLES_MAX = 32, OPEN_FILES = 4096 };

static const char *const kept[] = {"PATH",          "ASAN_OPTIONS", "LSAN_OPTIONS",
                                   "UBSAN_OPTIONS", "TSAN_OPTIONS", "HARNESS_PATIENCE"};

static char folder[] = "/tmp/test-XXXXXX";

static void die(const char *what)
{
    (void)fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
    exit(NO_TEST);
}

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number <= SIGRTMAX; number++)
        (void)signal(number, SIG_DFL); /* a few cannot be set, and need not */
}

static void reset_limits(void)
{
    static const int raised[] = {RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_NOFILE};
    struct rlimit limit;
    for (size_t i = 0; i < COUNT(raised); i++) {
        (void)getrlimit((__rlimit_resource_t)raised[i], &limit);
        limit.rlim_cur = limit.rlim_max;
        if (raised[i] == RLIMIT_NOFILE && limit.rlim_cur > OPEN_FILES)
            limit.rlim_cur = OPEN_FILES;
        (void)setrlimit((__rlimit_resource_t)raised[i], &limit);
    }
    (void)getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = 0;
    (void)setrlimit(RLIMIT_CORE, &limit);
}

static char *variable(const char *name, const char *value)
{
    char *text = NULL;
    if (asprintf(&text, "%s=%s", name, value) < 0)
        die("environment");
    return text;
}

/* Becomes the test. The texts live as long as the process. */
static void become(char **argv)
{
    static char *variables[VARIABLES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(kept); i++)
        if (getenv(kept[i]) != NULL)
            variables[n++] = variable(kept[i], getenv(kept[i]));
    variables[n++] = variable("HOME", folder);
    variables[n++] = variable("TMPDIR", folder);
    variables[n++] = variable("XDG_RUNTIME_DIR", folder);
    variables[n++] = variable("LC_ALL", "C.UTF-8");
    variables[n++] = variable("TZ", "UTC");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* ctest may end us, and then the test, too */
    (void)close_range(3, ~0U, 0);
    if (chdir(folder) == 0)
        (void)execvpe(argv[0], argv, variables);
    die(argv[0]);
}

static int forget(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

/* Returns the exit code; a signal that ended the test ends us. */
static int follow(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        if (nftw(folder, forget, 16, FTW_DEPTH | FTW_PHYS) != 0)
            (void)fprintf(stderr, "launch: left: %s: %s\n", folder, strerror(errno));
        return 0;
    }
    (void)fprintf(stderr, "launch: kept: %s\n", folder);
    if (WIFSIGNALED(status))
        (void)raise(WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : NO_TEST;
}

int main(int argc, char **argv)
{
    int status = 0;
    if (argc < 2) {
        (void)fputs("usage: launch PROGRAM [ARGUMENT...]\n", stderr);
        return NO_TEST;
    }
    reset_signals();
    reset_limits();
    (void)umask(022);
    if (mkdtemp(folder) == NULL)
        die(folder);
    pid_t child = fork();
    if (child == 0)
        become(argv + 1);
    if (child < 0 || waitpid(child, &status, 0) != child)
        die("fork");
    return follow(status);
}
