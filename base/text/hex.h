/*
 * hex: bytes as lower-case hexadecimal text; both cases are read.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"

void hex_format(struct slice bytes, struct buf *out);

/* Appends the bytes; ERRC_SYNTAX for an odd length or a foreign character (out
 * unchanged). */
MUST_USE enum errc hex_parse(struct slice text, struct buf *out);
