/*
 * bug: stops the program at a programmer error.
 *
 * CHECK is on in every build. Data from outside (a request, a file, an
 * argument, the environment) is never CHECKed: it gets an error.
 */
#pragma once

/* Prints the place and the condition on stderr and aborts. Never returns. */
_Noreturn void bug_die(const char *file, int line, const char *condition);

#define CHECK(cond) ((cond) ? (void)0 : bug_die(__FILE__, __LINE__, #cond))
