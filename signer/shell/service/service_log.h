/*
 * service_log: the log lines of a service (docs/architecture.md, Log lines). No line holds a token,
 * a key or the content of a bundle.
 */
#pragma once

#include "signer/core/service/run.h"
#include "signer/shell/service/service_listen.h"
#include "signer/shell/service/service_options.h"
#include "signer/shell/startup.h"
#include "signer/shell/stderrlog.h"

/* event=started: what this process was started with, as it understood it. Followed by warnings:
 * fallback is on, the port is open to other machines, no key is pinned. */
void service_log_start(const struct stderrlog *log, const struct service_options *options,
                       const struct startup *startup, const struct service_listen *socket);

/* event=run_completed, run_blocked or run_failed. */
void service_log_run(const struct stderrlog *log, const struct run *run);

/* event=run_taken_up: found at start, with the state it was left in. */
void service_log_taken_up(const struct stderrlog *log, const struct run *run);

/* event=store_trouble */
void service_log_trouble(const struct stderrlog *log, const char *what, const struct errc_why *why);

/* event=vault_up or vault_down, when that changed. */
void service_log_vault(const struct stderrlog *log, bool up, const struct errc_why *why);

/* event=stopped; unfinished: runs that were being signed and are pending again. */
void service_log_stopped(const struct stderrlog *log, unsigned unfinished);
void service_log_word(const struct stderrlog *log, const char *level, const char *event);
