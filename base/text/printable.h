/*
 * printable: foreign text (a step's name, a log line, a file's name) as a terminal may show it.
 *
 * Control characters are escaped as JSON has them, so that JSON stays the same JSON: an escape
 * sequence would move the cursor, and a program's output could show what the program did not say.
 * So are those that turn or hide text (U+202E, U+200B …). A byte that is not UTF-8 becomes U+FFFD.
 *
 *     "a" ESC "[2Jb"   -> a\u001b[2Jb
 *     "naïve"          -> naïve
 */
#pragma once

#include <stdbool.h>

#include "base/text/buf.h"
#include "base/text/slice.h"

#define PRINTABLE_BYTES 2048

struct printable {
    char text[PRINTABLE_BYTES];
};

/* Returns one line, line ends escaped, too; what does not fit is cut off and "..." says so. For use
 * within one expression: printf("%s\n", printable_line(name).text). */
struct printable printable_line(const char *text);

/* Appends text of several lines: its line ends and tabs stay. */
void printable_text(struct slice text, struct buf *out);

/* True when printable_line would change nothing. */
bool printable_clean(const char *text);
