/*
 * harden: what a process that holds secrets does first.
 */
#pragma once

/* No core dump, not readable by other processes of the same user through /proc,
 * files made private by default (umask 077). */
void harden_process(void);

/* Asks the kernel for SIGKILL when the parent dies. To be called in a child
 * right after fork, with the parent's pid as the parent saw it: a parent that
 * is gone already is noticed, and the process ends. */
void harden_die_with_parent(int parent_pid);
