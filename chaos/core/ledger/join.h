/*
 * join: the three ledgers side by side, one bundle at a time.
 *
 * What the client audited, what the server got and what the caller was told are
 * joined once, before anything is judged: by bundleRunId, and by input_sha256,
 * the hash of the bytes to be signed, which both the trail and the journal
 * have. Each judge then looks at a bundle, or at one of its runs, and at nothing
 * else.
 *
 *     bundle  entries of the trail, calls that asked for it, its manifest
 *       run   one intent with its result, and the sign requests for its input
 *         attempt   of the result, with the requests that were made for it
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "chaos/core/ledger/ledger_client.h"
#include "chaos/core/ledger/ledger_server.h"
#include "chaos/core/ledger/textmap.h"
#include "chaos/core/record.h"

struct evidence_manifest;

/* The requests of one attempt; first NULL: the journal has none. */
struct join_attempt {
    const struct ledger_request *first, *last;
    size_t count;
};

struct join_run {
    const struct ledger_entry *intent; /* NULL: a result without one */
    const struct ledger_entry *result; /* NULL: an intent that nothing ended */
    const struct ledger_request **requests;
    size_t request_count;
    struct join_attempt *attempts; /* one per attempt of the result */
    bool numbered; /* the requests say truly of which attempt they are (X-Signer-Attempt); else
                      attempts and requests are matched by their order */
};

struct join_bundle {
    const char *id;
    const struct ledger_entry **entries; /* in the order of the trail */
    size_t entry_count;
    struct join_run *runs;
    size_t run_count;
    const struct record_call **calls; /* in the order in which they began */
    size_t call_count;
    const struct evidence_manifest *manifest; /* NULL: not looked for */
    size_t request_count;                     /* of all runs */
};

struct join {
    struct join_bundle *bundles; /* in the order in which the trail, then the calls name them */
    size_t bundle_count;
    const struct ledger_request **strangers; /* sign requests whose input no entry names */
    size_t stranger_count;
    struct textmap by_id;        /* bundles */
    struct textmap by_signature; /* signature_sha256 -> index of the request that made it */
};

/* Joins; what it makes lives in pool. The ledgers and the record are lent. ERRC_NOMEM,
 * ERRC_TOO_BIG. */
MUST_USE enum errc join_make(const struct ledger_client *client, const struct ledger_server *server,
                             const struct record *record, struct pool *pool, struct join *out);

/* Returns the bundle, or NULL. */
struct join_bundle *join_bundle_of(const struct join *join, const char *id);

/* The bundle's last result, or NULL. */
const struct ledger_entry *join_result_of(const struct join_bundle *bundle);

/* The bundle's signature, or NULL. */
const struct ledger_entry *join_signed_of(const struct join_bundle *bundle);
