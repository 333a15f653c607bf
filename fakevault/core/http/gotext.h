/*
 * gotext: what Go's standard library reads from a text, faults included: whole numbers, bools and
 * durations. Clients of a real Vault see exactly these sentences (vault-api.md 1.7).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

/* strconv.ParseInt(text, base, 64). Base 0 reads the base from the text ("0x10", "0b1", "017") and
 * allows "1_000". ERRC_SYNTAX or ERRC_RANGE with Go's sentence. */
MUST_USE enum errc gotext_int(struct slice text, int base, int64_t *out, struct errc_why *why);

/* strconv.ParseBool: 1 t T TRUE true True, 0 f F FALSE false False. */
bool gotext_bool(struct slice text, bool *out);

/* What Vault takes for a duration: seconds ("30"), days ("2d") or a Go duration ("1h30m"); "" is 0.
 * ERRC_SYNTAX with Go's sentence. */
MUST_USE enum errc gotext_duration(struct slice text, int64_t *out_ns, struct errc_why *why);

/* Appends text in quotes as Go's %q has it. */
void gotext_quote(struct slice text, struct buf *out);
