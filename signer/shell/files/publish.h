/*
 * publish: puts a manifest in its place, whole and durable, or not at all.
 *
 * The bytes go to ".NAME.signing" beside it, are synced, renamed, and the folder is synced. The
 * name is fixed: whoever publishes holds the claim of the bundle (audit_file.h), and what a killed
 * process left there is written over by the next run.
 */
#pragma once

#include "base/errc.h"
#include "base/text/slice.h"

/* Publishes bytes as path (mode 0644). ERRC_IO, ERRC_DENIED, ERRC_TOO_BIG; what was at path before
 * is then still there. */
MUST_USE enum errc publish_file(const char *path, struct slice bytes, struct errc_why *why);

/* Removes what a killed process left beside path. */
void publish_discard(const char *path);
