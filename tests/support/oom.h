/*
 * oom: proves that code survives every allocation that fails.
 *
 * Linking the library test_oom turns malloc, calloc, realloc, strdup and
 * strndup of all objects of the test program, cores included, into ones that
 * count, and that fail at one chosen place. jansson takes part from the first
 * jsonread_parse on; other shared libraries (OpenSSL, libsodium) keep theirs.
 *
 * A run builds what it needs, calls what is tested, frees everything, and
 * returns what the tested call returned:
 *
 *     static enum errc parse_once(void *context)
 *     {
 *         struct scenario *s CLEANUP(scenario_done) = NULL;
 *         struct errc_why why = {{0}};
 *         return scenario_parse(*(struct slice *)context, &s, &why);
 *     }
 *     static void test_scenario__survives_every_failed_allocation(void **state)
 *     {
 *         struct slice text = SLICE_LITERAL("version: 1\n");
 *         assert_true(oom_each(parse_once, &text) > 10);
 *     }
 *
 * In CMake: harness_test(chaos.scenario ... LIBS chaos_core test_oom).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"

#define OOM_RUNS_MAX 20000u /* more allocations than this in one run fail the test */

/* Calls `run` again and again: first undisturbed (must be ERRC_OK), then with the 1st, 2nd, ...
 * allocation failing, until a run ends before its failing one comes. Fails the cmocka test, naming
 * the number of the allocation, when a disturbed run returns anything but ERRC_NOMEM, ERRC_TOO_BIG
 * (a buf's answer) or ERRC_IO, or when a run leaves memory behind. Returns how many allocations
 * were made to fail. */
size_t oom_each(enum errc (*run)(void *context), void *context);

/* The parts, for code that has another shape: the nth allocation from now on (1 is the next) fails,
 * once. */
void oom_arm(size_t nth);

/* Ends it. Returns true when the armed allocation came and failed. */
bool oom_disarm(void);

/* Allocations not yet freed, of what this library counts. */
size_t oom_outstanding(void);
