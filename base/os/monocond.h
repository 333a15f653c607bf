/*
 * monocond: condition variables that wait by the monotonic clock, so that nobody wakes early or
 * late because the wall clock was set. They are waited for with pthread_cond_timedwait, until one
 * of these times.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

void monocond_init(pthread_cond_t *cond);

/* An instant's mono_ns as the system takes it. */
struct timespec monocond_at(int64_t mono_ns);

/* So many milliseconds from now; less than none is none. */
struct timespec monocond_in_ms(int64_t ms);
