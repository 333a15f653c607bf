/*
 * schema_page: docs/scenarios.md, made from the table of verbs.
 */
#pragma once

#include "base/text/buf.h"

/* Appends the page. */
void schema_page_format(struct buf *out);
