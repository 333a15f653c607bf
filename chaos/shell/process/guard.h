/*
 * guard: runs work in a process of its own and sees to it that nothing it
 * starts outlives it.
 *
 *     chaos (controller) -> guard -> runner (the work) -> subjects
 *
 * The guard adopts every orphan below it (it is their subreaper), so a subject
 * that forks twice or leaves its process group is found all the same. It ends
 * all of them with SIGKILL when the runner has ended for whatever reason, when
 * the controller dies (also by kill -9), and when told to. If the guard itself
 * is killed, the parent-death signals take the runner and the subjects.
 *
 * Afterwards it tidies up: the caller's function removes what a killed runner
 * could not.
 */
#pragma once

#include "base/errc.h"

struct guard {
    int pid;    /* 0 when there is none */
    int pid_fd; /* readable once it has ended */
};

struct guard_work {
    /* Runs in the runner; its result is the runner's exit code. Reads interrupts with
     * guard_interrupts; interrupt_fd is readable while one is unnoticed. */
    int (*run)(void *context, int interrupt_fd);
    /* Runs in the guard when nothing below it lives any more. */
    void (*tidy)(void *context);
    void *context;
};

#define GUARD_EXIT_LOST 70    /* the runner ended by a signal: EX_SOFTWARE */
#define GUARD_EXIT_KILLED 130 /* guard_kill was asked for */

/* Starts the work; returns at once in the controller. ERRC_IO. Single-threaded callers only. */
MUST_USE enum errc guard_start(struct guard *guard, const struct guard_work *work,
                               struct errc_why *why);

/* Asks the work to stop: an interrupt for the runner. */
void guard_interrupt(const struct guard *guard);

/* Ends everything below the guard at once; it still tidies up. */
void guard_kill(const struct guard *guard);

/* Reaps a guard whose pid_fd is readable (or waits for it); returns its exit code. */
int guard_reap(struct guard *guard);

/* Takes the interrupts off interrupt_fd and returns how many have come in all, at most 2. */
int guard_interrupts(int interrupt_fd, int before);
