/*
 * target: what stands in a request line, as Vault's HTTP server in Go sees it before any endpoint
 * does (vault-api.md 1.1): escapes, characters, where paths begin, and redirects to better ones.
 */
#pragma once

#include "fakevault/core/call.h"

/* Decodes the path into job->path and finds the operation of the method. Answers what is no path,
 * is not the API's, or should be another. */
void target_read(struct vault_job *job);

/* Writes an absolute path as Go's ServeMux cleans it: no "//", "." and ".." resolved. */
void target_clean(struct slice path, struct buf *out);

/* Percent-decoding; a broken escape is false. `form` also reads '+' as a blank. */
bool target_decode(struct slice text, bool form, struct buf *out);
