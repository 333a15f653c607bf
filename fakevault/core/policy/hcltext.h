/*
 * hcltext: the value of a literal as written: strings without quotes and escapes, heredocs without
 * anchors and indentation.
 */
#pragma once

#include <stdbool.h>

#include "base/text/buf.h"
#include "base/text/slice.h"

/* Appends the value of a quoted string; what stands in "${ }" stays as it is, unless `json`. False
 * for an escape that is none ("\400"). */
bool hcltext_unquote(struct slice quoted, bool json, struct buf *out);

/* Appends the value of "<<ANCHOR\n...ANCHOR\n"; of "<<-" without the indentation of the anchor. */
void hcltext_heredoc(struct slice written, struct buf *out);
