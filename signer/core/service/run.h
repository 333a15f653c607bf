/*
 * run: one bundle run of a service and the states it may pass through.
 *
 *     pending --start--> running --complete--> completed
 *                        running --refuse----> failed     (Vault said no, or the input is bad)
 *                        running --block-----> blocked    (no Vault, and no fallback)
 *     blocked --retry--> pending
 *     any of pending, running, blocked --resume--> pending (a service starts, or shuts down)
 *
 * A run is a value: it reads no clock and writes no file. Whoever steps it saves it before telling
 * anybody (run_store.h). Names of states and events are DocuGen's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/buf.h"

#define RUN_NAME_BYTES 32   /* a mode, a reason, a service's name; with its NUL */
#define RUN_EVENTS_MAX 128u /* kept; behind that the second oldest gives way, the first stays */

enum run_status {
    RUN_PENDING,
    RUN_RUNNING,
    RUN_COMPLETED,
    RUN_FAILED,
    RUN_BLOCKED,
    RUN_STATUS_COUNT,
};

enum run_trigger {
    RUN_START,
    RUN_COMPLETE,
    RUN_REFUSE,
    RUN_BLOCK,
    RUN_RETRY,
    RUN_RESUME,
    RUN_TRIGGER_COUNT,
};

enum run_event_type {
    RUN_STARTED,
    RUN_VALIDATION_FAILED,
    RUN_MANIFEST_SIGNED,
    RUN_FINISHED, /* RUN_COMPLETED on paper */
    RUN_EVENT_COUNT,
};

struct run_event {
    enum run_event_type type;
    int64_t at_ns; /* wall clock */
};

/* How a completed run was signed. */
struct run_signing {
    char mode[RUN_NAME_BYTES];   /* "vault" or "fallback" */
    char reason[RUN_NAME_BYTES]; /* class of the last failed attempt; "" for vault */
    int64_t attempts;            /* sent to Vault; 0 when not known any more */
};

/* Why a run failed or is blocked. */
struct run_error {
    char code[RUN_NAME_BYTES]; /* e.g. vault_refused */
    char message[ERRC_WHY_MAX];
};

struct run {
    char id[ENTROPY_UUID_BYTES];           /* the bundleRunId, lower case */
    char service[RUN_NAME_BYTES];          /* whose run it is: api or worker */
    char content_sha256[DIGEST_HEX_BYTES]; /* of `bundle`; tells a repeat from a conflict */
    char *bundle;                          /* the accepted document, canonical JSON; owned */
    size_t bundle_len;
    enum run_status status;
    int64_t created_ns;
    int64_t updated_ns;
    struct run_signing signing; /* mode is "" until completed */
    struct run_error error;     /* code is "" unless failed or blocked */
    struct run_event events[RUN_EVENTS_MAX];
    size_t event_count;
};

/* Starts a pending run; takes a copy of the canonical document. ERRC_NOMEM. */
MUST_USE enum errc run_init(struct run *run, const char *id, const char *service,
                            struct slice bundle, int64_t now_ns, struct errc_why *why);

/* Frees what the run owns. A zeroed run and NULL are allowed. Fits CLEANUP(run_done). */
void run_done(struct run *run);

/* Each steps the run, or leaves it as it was and returns ERRC_STATE with a sentence that names the
 * state it is in. */
MUST_USE enum errc run_start(struct run *run, int64_t now_ns, struct errc_why *why);
MUST_USE enum errc run_complete(struct run *run, const struct run_signing *signing, int64_t now_ns,
                                struct errc_why *why);
/* invalid: the bundle itself is at fault, not the answer of Vault (adds VALIDATION_FAILED). */
MUST_USE enum errc run_refuse(struct run *run, const char *code, const char *message, bool invalid,
                              int64_t now_ns, struct errc_why *why);
MUST_USE enum errc run_block(struct run *run, const char *code, const char *message, int64_t now_ns,
                             struct errc_why *why);
MUST_USE enum errc run_retry(struct run *run, int64_t now_ns, struct errc_why *why);
MUST_USE enum errc run_resume(struct run *run, int64_t now_ns, struct errc_why *why);

/* True when nothing happens to the run without being asked: completed, failed, blocked. A waiting
 * caller is answered then. */
bool run_settled(enum run_status status);

const char *run_status_name(enum run_status status);
bool run_status_parse(struct slice name, enum run_status *out);
const char *run_event_name(enum run_event_type type);
bool run_event_parse(struct slice name, enum run_event_type *out);
