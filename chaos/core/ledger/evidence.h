/*
 * evidence: everything that a run left behind, read once, for the judges.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "chaos/core/ledger/asked.h"
#include "chaos/core/ledger/ledger.h"
#include "chaos/core/ledger/verify_manifest.h"
#include "chaos/core/record.h"
#include "chaos/core/world.h"

enum evidence_manifest_state {
    EVIDENCE_MANIFEST_ABSENT,
    EVIDENCE_MANIFEST_BROKEN, /* it is there, but cannot be read */
    EVIDENCE_MANIFEST_READ,
};

#define EVIDENCE_BYTES_MAX (256u << 20) /* of one journal or audit trail */

struct evidence_manifest {
    const char *bundle;
    enum evidence_manifest_state state;
    struct verify_manifest checked; /* when read */
    const char *trouble;            /* when broken */
    struct asked asked;             /* against what was asked to be signed */
};

/* A file as text, to look for what must not be in it. */
struct evidence_text {
    const char *name;
    struct slice text;
};

struct evidence {
    struct pool *pool; /* owns all of it */
    struct ledger_server server;
    struct ledger_client client;
    struct ledger_problems problems;
    struct evidence_manifest *manifests; /* one per bundle that the trail or a call names */
    size_t manifest_count;
    struct evidence_text *texts;
    size_t text_count;
    const struct world_key *keys;
    size_t key_count;
    const struct world_canary *canaries;
    size_t canary_count;
};

/* Reads the audit trail into *out. */
MUST_USE enum errc evidence_read_client(const struct world *world, struct pool *pool,
                                        struct evidence *out, struct errc_why *why);

/* Reads the journal into *out. */
MUST_USE enum errc evidence_read_server(const struct world *world, struct pool *pool,
                                        struct evidence *out, struct errc_why *why);

/* Reads and verifies the manifest of a bundle, and compares it with what was asked. */
MUST_USE enum errc evidence_read_manifest(const struct world *world, struct pool *pool,
                                          const char *bundle, struct evidence_manifest *out,
                                          struct errc_why *why);

/* Reads all, for the final judgement: *out is empty before. */
MUST_USE enum errc evidence_collect(const struct world *world, const struct record *run,
                                    struct pool *pool, struct evidence *out, struct errc_why *why);

/* Returns a bundle's manifest, or NULL. */
const struct evidence_manifest *evidence_manifest_of(const struct evidence *evidence,
                                                     const char *bundle);

/* Reads one piece of evidence as text that lives in pool. ERRC_NOT_FOUND gives ERRC_OK with
 * out->ptr NULL. */
MUST_USE enum errc evidence_read_text(const struct world *world, enum world_evidence kind,
                                      const char *name, struct pool *pool, struct slice *out,
                                      struct errc_why *why);
