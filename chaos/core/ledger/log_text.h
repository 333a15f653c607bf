/*
 * log_text: takes log lines of key=value pairs apart (docs/architecture.md, "Log lines").
 */
#pragma once

#include <stdbool.h>

#include "base/text/slice.h"

/* Finds the value of a field, as it stands there (a value in quotes keeps them). False, and an
 * empty value, without one. */
bool log_text_field(struct slice line, const char *field, struct slice *value);
