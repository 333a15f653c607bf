/*
 * run_json: a run as the API tells it (docs/architecture.md, signer) and as the store keeps it.
 *
 * The stored form is the told form with what only the service needs around it:
 *     {"version":1,"service":"api","contentSha256":"…","bundle":{…},"run":{…}}
 */
#pragma once

#include "signer/core/service/run.h"

/* Appends what the API tells, without a newline. */
void run_json_format(const struct run *run, struct buf *out);

/* Appends what the store keeps. */
void run_json_store(const struct run *run, struct buf *out);

/*
 * Reads a stored run; the caller owns *out (run_done). ERRC_SYNTAX, ERRC_SCHEMA or ERRC_CRYPTO (the
 * document does not have the hash that is written beside it); *out is zeroed then.
 */
MUST_USE enum errc run_json_parse(struct slice text, struct run *out, struct errc_why *why);
