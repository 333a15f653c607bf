/*
 * ctl_show: answers of the control API for people.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "base/text/slice.h"

/* Prints an answer on stdout, or the error it carries on stderr; raw: as it came. ERRC_SCHEMA when
 * it is not what the control API answers. */
MUST_USE enum errc ctl_show_answer(struct slice body, int status, bool raw, struct errc_why *why);
