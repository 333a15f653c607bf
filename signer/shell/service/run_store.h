/*
 * run_store: the runs and manifests of a service, durable under one folder.
 *
 *     DIR/runs/{id}.json           a run (run_json.h), written beside, synced, renamed
 *     DIR/manifests/{id}.json      a signed manifest, published once
 *     DIR/{name}.lock              held while the service `name` runs
 *     DIR/store.lock               held, shared, by every service that uses the folder
 *
 * api and worker may share a folder: a run is created by exactly one of them, which also is the
 * only one that steps it. Every state that is told to anybody was read from or written to disk
 * before, so a crash takes nothing back. A half written file is never found under its final name;
 * what a crash left beside is removed at the next start.
 *
 * Safe for use by several threads, as long as only one at a time steps a given run.
 */
#pragma once

#include "signer/core/service/run.h"

struct run_store;

/* Makes the folders and takes the lock. ERRC_STATE when another process serves `name` there. */
MUST_USE enum errc run_store_open(const char *folder, const char *name, struct run_store **out,
                                  struct errc_why *why);
/* NULL allowed. */
void run_store_close(struct run_store *store);

/* Saves a new run. ERRC_EXISTS when there is one with its id (of any service). */
MUST_USE enum errc run_store_create(struct run_store *store, const struct run *run,
                                    struct errc_why *why);

/* Replaces a run. */
MUST_USE enum errc run_store_save(struct run_store *store, const struct run *run,
                                  struct errc_why *why);

/* Reads a run; the caller owns *out (run_done). ERRC_NOT_FOUND; ERRC_IO or INVALID when the file
 * cannot be read as a run, with its path in the sentence. id must be a lower-case UUID. */
MUST_USE enum errc run_store_load(struct run_store *store, const char *id, struct run *out,
                                  struct errc_why *why);

/* Appends the manifest. ERRC_NOT_FOUND until the run is completed. */
MUST_USE enum errc run_store_manifest(struct run_store *store, const char *id, struct buf *out,
                                      struct errc_why *why);

/* Writes the path where the manifest is, or would be, published. ERRC_TOO_BIG. */
MUST_USE enum errc run_store_manifest_path(const struct run_store *store, const char *id,
                                           struct buf *out, struct errc_why *why);

struct run_store_visitor {
    enum errc (*visit)(void *context, const char *id, struct errc_why *why);
    void (*bad)(void *context, const char *file, const struct errc_why *why);
    void *context;
};

/* Calls visit for each pending, running or blocked run of this service, oldest first; stops at the
 * first that fails. A file that cannot be read as a run is told to `bad` and left alone. */
MUST_USE enum errc run_store_each_open(struct run_store *store,
                                       const struct run_store_visitor *visitor,
                                       struct errc_why *why);
