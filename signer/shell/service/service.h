/*
 * service: the life of a service, from its open files to its graceful end.
 *
 * Start: signing, store and port are opened; runs that a former life left pending, running or
 * blocked are brought back to pending; threads start; the first answer of Vault's health is awaited
 * for a short while; then it says ready.
 *
 * End (SIGTERM, SIGINT): no new connection, no run is taken up. What is being signed may finish
 * within SIGNER_TOTAL_TIMEOUT_MS and a little; who waits for it is answered. What has not finished
 * then is saved as pending. A second signal cuts the wait short.
 */
#pragma once

#include "base/errc.h"
#include "signer/shell/service/service_options.h"
#include "signer/shell/startup.h"

/* Serves until a signal ends it. ERRC_USAGE or another INVALID for what the caller can mend, else
 * ERRC_IO, ERRC_STATE, ERRC_NOMEM. When threads had to be left behind it ends the process itself,
 * with 0. */
MUST_USE enum errc service_run(const struct service_options *options, const struct startup *startup,
                               struct errc_why *why);
