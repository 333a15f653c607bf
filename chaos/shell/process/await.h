/*
 * await: waits for one event with a deadline. There is no other way to wait in
 * chaos: nothing polls and nothing sleeps.
 *
 * An interrupt (Ctrl-C) ends every wait at once, so that a run does not sit out
 * a hang before it rolls back. Once it is noticed (guard.h) waits last again.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"

struct await {
    int interrupt_fd; /* readable while an interrupt is unnoticed; -1: no interrupt ends a wait */
};

/* Returns the monotonic instant that is ms milliseconds away, in nanoseconds. */
int64_t await_deadline_ns(int64_t ms);

/* Returns the milliseconds left until the deadline, rounded up; 0 when it is over. */
int await_left_ms(int64_t deadline_ns);

/* Waits until fd can be read or its other end is closed. ERRC_TIMEOUT,
 * ERRC_UNAVAILABLE (interrupted); both with a sentence that names `what`. */
MUST_USE enum errc await_readable(const struct await *await, int fd, int64_t deadline_ns,
                                  const char *what, struct errc_why *why);
