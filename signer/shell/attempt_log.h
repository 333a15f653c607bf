/*
 * attempt_log: one log line for each attempt that failed (docs/architecture.md, Log lines).
 */
#pragma once

#include "signer/core/attempt/op.h"
#include "signer/shell/stderrlog.h"

struct attempt_log {
    const struct stderrlog *log;
    const char *bundle;
    int64_t of; /* attempts that the operation may make */
};

/* event=attempt_failed, for the attempt that was just recorded in result; nothing when that
 * succeeded. reply and timeout_ms are the attempt's own. */
void attempt_log_failed(const struct attempt_log *log, const struct op_result *result,
                        const struct transport_reply *reply, int64_t timeout_ms);
