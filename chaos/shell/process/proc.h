/*
 * proc: one process that chaos starts, watches and ends.
 *
 * Each has a process group of its own, dies with its parent, inherits no
 * descriptor but 0, 1, 2 (and 3, where it says that it is ready), and writes
 * its output to files of the run. Nothing of chaos' own environment reaches it
 * but what the caller passes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/shell/process/await.h"

#define PROC_CHANGE_MS 10000 /* for the kernel to start, freeze, thaw or kill one */
#define PROC_READY_FD 3      /* where a child that was asked to says that it serves */

struct proc_spec {
    const char *name;          /* for messages, e.g. "api" */
    const char *const *argv;   /* argv[0] is the path of the program; NULL-terminated */
    const char *const *env;    /* NAME=value, NULL-terminated: all that the child gets */
    const char *folder;        /* its working folder; NULL for ours */
    const char *out_path;      /* standard output is appended here; NULL: to err_path */
    const char *err_path;      /* standard error is appended here */
    const struct await *await; /* what may interrupt the start; NULL: nothing */
    bool tells_ready;          /* gets the write end of a pipe as PROC_READY_FD */
};

/* A zeroed struct is a process that was never started. */
struct proc {
    pid_t pid;     /* 0 when there is none (never started, or reaped) */
    int pid_fd;    /* readable once it has ended */
    int ready_fd;  /* our end of the ready pipe; -1 when none or read */
    bool stopped;  /* SIGSTOP was sent, SIGCONT not yet */
    bool asked;    /* to end */
    char name[32]; /* for messages */
};

/* How a process ended. */
struct proc_end {
    bool exited; /* false: by a signal */
    int code;    /* the exit code or the signal's number */
};

/* Starts it. Returns when the program runs: a path that cannot be executed is
 * ERRC_NOT_FOUND, ERRC_DENIED or ERRC_IO here, not an exit code later. */
MUST_USE enum errc proc_start(struct proc *p, const struct proc_spec *spec, struct errc_why *why);

/* Reads the ready line (docs/architecture.md, Readiness) into out. ERRC_STATE
 * when the process ended or closed the pipe without a line, ERRC_TIMEOUT,
 * ERRC_UNAVAILABLE (interrupted), ERRC_TOO_BIG. */
MUST_USE enum errc proc_await_ready(struct proc *p, const struct await *await, int64_t deadline_ns,
                                    struct buf *out, struct errc_why *why);

/* Waits for its end and reaps it. ERRC_TIMEOUT, ERRC_UNAVAILABLE; then it still
 * runs. Requires a started process. */
MUST_USE enum errc proc_await_end(struct proc *p, const struct await *await, int64_t deadline_ns,
                                  struct proc_end *end, struct errc_why *why);

/* Returns true while it runs; reaps one that has ended. */
bool proc_alive(struct proc *p, struct proc_end *end);

/* Sends SIGSTOP or SIGCONT to the group and waits until the kernel has done it. ERRC_STATE when it
 * does not run, is frozen already, or is not frozen; ERRC_TIMEOUT (PROC_CHANGE_MS),
 * ERRC_UNAVAILABLE (interrupted). Single-threaded callers only. */
MUST_USE enum errc proc_freeze(struct proc *p, const struct await *await, struct errc_why *why);
MUST_USE enum errc proc_thaw(struct proc *p, const struct await *await, struct errc_why *why);

/* Asks it to end, once, without waiting: SIGTERM, a frozen one is thawed. One that does not run is
 * fine. */
void proc_ask(struct proc *p);

/* Ends it: SIGTERM (a frozen one is thawed first), SIGKILL to the whole group
 * after grace_ms or at once with 0; reaped in any case, unless the kernel
 * does not let go of it in PROC_CHANGE_MS. One that does not run is fine; end may be NULL. */
void proc_stop(struct proc *p, int64_t grace_ms, struct proc_end *end);

/* Appends "exited with code 3" or "was killed by signal 9 (Killed)". */
void proc_end_format(const struct proc_end *end, struct buf *out);
