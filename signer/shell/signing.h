/*
 * signing: runs signing operations over the real world: curl, the audit trail, files.
 *
 * One `struct signing` serves a whole process; signing_run may be called from any number of
 * threads, for different bundles at once. A bundle is signed once:
 *
 *   what the trail says     what signing_run does
 *   nothing, or failed      signs
 *   started, no end         (a crash) records MANIFEST_SIGNING_FAILED with reason "interrupted",
 *                           then signs
 *   signed, manifest there  nothing: completed, `already`
 *   signed, no manifest     (a crash) writes it again from the trail, verified under the recorded
 *                           key: completed, `already`, no key is touched
 *   signed, other content   refuses: ERRC_EXISTS
 *
 * A manifest.json that the trail does not know is never replaced: ERRC_EXISTS.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "signer/core/attempt/op.h"
#include "signer/core/bundle/manifest.h"
#include "signer/shell/startup.h"

struct signing;

struct signing_request {
    const struct manifest_bundle *bundle; /* checksums are known */
    const struct ids_actor *actor;
    const char *manifest_path; /* where to publish; its folder is there */
};

struct signing_result {
    struct op_result op; /* status, error, mode, attempts, message, fingerprint */
    bool already;        /* it was signed before; nothing new was signed */
    int attempts;        /* of the operation that signed, also when `already` */
    char reason[32];     /* class of the last failed attempt when fallback signed, else "" */
    bool retryable; /* failed for a reason of this moment (busy, disk): asking again may help */
    enum errc code; /* ERRC_OK when completed; ERRC_EXISTS: signed with other content */
};

/* Opens what signing needs. `actor` names the process in log lines ("cli", "api", "worker").
 * startup is borrowed until closed. Warns on stderr when fallback is on and its key cannot be
 * used now; with the switch off the key's file is not touched. */
MUST_USE enum errc signing_open(const struct startup *startup, const char *actor,
                                struct signing **out, struct errc_why *why);
void signing_close(struct signing *signing); /* no signing_run is under way */

/* Signs one bundle, or says why not; takes at most SIGNER_TOTAL_TIMEOUT_MS and some disk time. */
void signing_run(struct signing *signing, const struct signing_request *request,
                 struct signing_result *result);

/* Asks GET /v1/sys/health. ERRC_OK: Vault is initialised, unsealed and active (or a standby that
 * forwards). Otherwise ERRC_UNAVAILABLE with the reason; *class says which kind. Takes no open
 * `signing`: the command `status` has no trail. */
MUST_USE enum errc signing_probe(const struct transport *transport, int64_t timeout_ms,
                                 enum classify_class *class, struct errc_why *why);
