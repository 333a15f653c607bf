/*
 * results: the folder of one run, RUNS/<scenario>/<UTC>-<seed>/, and what is
 * written there when the run is over: result.json, history.ndjson, junit.xml,
 * timeline.txt, findings.txt, repro.sh and the scenario that it runs; beside it the link `latest`.
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "chaos/core/judge/judgement.h"
#include "chaos/shell/stack/folder.h"

/* How the run was asked for, to be asked for again. Absolute paths. */
struct results_recipe {
    const char *program;
    const char *file;  /* the scenario's: a copy of its name lies in the folder */
    struct slice text; /* of the scenario, as it was run */
    const char *signer;
    const char *fakevault;
    uint64_t seed;
};

/* Makes a new folder and its private part; *out is absolute. Two runs never share one. ERRC_IO. */
MUST_USE enum errc results_open(const char *runs, const char *scenario, int64_t wall_ns,
                                uint64_t seed, struct folder_path *out, struct errc_why *why);

/* ERRC_OK when a run could make its folder in `runs`; ERRC_USAGE with a sentence. */
MUST_USE enum errc results_check(const char *runs, struct errc_why *why);

/* Writes the files and moves `latest`. ERRC_IO. */
MUST_USE enum errc results_write(const char *folder, const struct judgement *run,
                                 const struct results_recipe *recipe, struct errc_why *why);

/* Appends one file of a run's folder; a missing one is ERRC_NOT_FOUND. */
MUST_USE enum errc results_read(const char *folder, const char *name, struct buf *out,
                                struct errc_why *why);

/* Milliseconds of waiting that the run contains by design (core/ledger/waits.h), as the audit trail
 * in `folder` tells; never more than the run lasted. 0 without an audit trail. */
int64_t results_designed_wait_ms(const char *folder, const struct record *record);
