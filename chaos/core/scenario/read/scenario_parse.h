/*
 * scenario_parse: a scenario file, read and checked against the tables of the actors.
 *
 * YAML, and therefore JSON too. Memory in, memory out: reading the file is the
 * shell's. Every mistake is reported with line and column, as many as there
 * are up to LINT_MAX (lint.h). A scenario that has one is not usable.
 */
#pragma once

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/scenario/check/lint.h"
#include "chaos/core/scenario/scenario.h"

#define SCENARIO_BYTES_MAX (256u << 10) /* a scenario file */

/*
 * Reads the text of `file` (a name for messages; nothing is opened) into
 * *out, which the caller ends with scenario_done also after an error.
 * ERRC_SCHEMA when *lint has findings (the sentence tells the first),
 * ERRC_NOMEM. Requires an initialised lint.
 */
MUST_USE enum errc scenario_parse(struct slice text, const char *file, struct scenario *out,
                                  struct lint *lint, struct errc_why *why);
