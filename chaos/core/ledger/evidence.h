/*
 * evidence: everything that a run leaves behind, for the judges. The two ledgers are read as they
 * grow, each line once; probes look at them while the run goes on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "chaos/core/ledger/asked.h"
#include "chaos/core/ledger/join.h"
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
    struct slice text;              /* as it was published */
    struct verify_manifest checked; /* when read */
    bool canonical;                 /* when read: the file is the manifest's canonical text */
    const char *trouble;            /* when broken */
    struct asked asked;             /* against what was asked to be signed */
};

/* What a program of the run logged. */
struct evidence_log {
    const char *file; /* "api.log" */
    struct slice text;
};

#define EVIDENCE_LEAKS_MAX 64u

/* A secret, or what looks like the beginning of one, in a text that must have none. */
struct evidence_leak {
    const char *file;
    size_t line;
    const char *what; /* "the root token in hex, without its last 2 characters"; never the secret */
};

struct evidence {
    struct pool pool; /* owns all of it */
    struct ledger_server server;
    struct ledger_client client;
    struct ledger_problems problems;
    struct evidence_manifest *manifests; /* one per bundle that the trail or a call names */
    size_t manifest_count;
    struct evidence_log *logs; /* those that are there */
    size_t log_count;
    struct evidence_leak leaks[EVIDENCE_LEAKS_MAX]; /* those beyond are dropped */
    size_t leak_count;
    const struct world_file *files; /* that the run left behind; NULL: the world has none to show */
    size_t file_count;
    const struct world_key *keys;
    size_t key_count;
    const struct world_growth *growth;
    size_t growth_count;
    const struct world_sample *samples;
    size_t sample_count;
    const char *mark;     /* of chaos's own requests in the journal; NULL: they have none */
    struct slice decoy;   /* who came to it; ptr NULL: nobody */
    struct join join;     /* once all is collected */
    int64_t clock_off_ns; /* by which the client's clock was late, throughout; its stamps are set
                             right */
    bool trail_changed;   /* what once stood in the trail was not there at the end */
};

/* Starts with none. */
void evidence_init(struct evidence *evidence);
void evidence_done(struct evidence *evidence); /* a zeroed one is fine */

/* Reads what the audit trail, the journal has grown by since the last call. ERRC_NOMEM,
 * ERRC_TOO_BIG, or what the world's read says. */
MUST_USE enum errc evidence_refresh_client(struct evidence *evidence, const struct world *world,
                                           struct errc_why *why);
MUST_USE enum errc evidence_refresh_server(struct evidence *evidence, const struct world *world,
                                           struct errc_why *why);

/* Reads all of the ledgers and manifests, for the final judgement, and joins them. Once, at the
 * end. */
MUST_USE enum errc evidence_collect(struct evidence *evidence, const struct world *world,
                                    const struct record *record, struct errc_why *why);

/* True when it was seen that the entry was not in the trail yet while the request was in the
 * journal. False proves nothing. */
bool evidence_written_after(const struct evidence *evidence, const struct ledger_entry *entry,
                            const struct ledger_request *request);

/* Reads and verifies the manifest of a bundle, and compares it with what was asked; what it makes
 * lives in pool. */
MUST_USE enum errc evidence_read_manifest(const struct world *world, struct pool *pool,
                                          const char *bundle, struct evidence_manifest *out,
                                          struct errc_why *why);

/* Reads one piece of evidence as text that lives in pool. ERRC_NOT_FOUND gives ERRC_OK with
 * out->ptr NULL. */
MUST_USE enum errc evidence_read_text(const struct world *world, enum world_evidence kind,
                                      const char *name, struct pool *pool, struct slice *out,
                                      struct errc_why *why);
