#include "signer/shell/attempt_log.h"

#include "signer/core/attempt/attempt_text.h"

void attempt_log_failed(const struct attempt_log *log, const struct op_result *result,
                        const struct transport_reply *reply, int64_t timeout_ms)
{
    char text[LIMIT_MESSAGE_BYTES];
    struct stderrlog_line line;
    if (result->attempt_count == 0)
        return;
    const struct audit_attempt *attempt = &result->attempts[result->attempt_count - 1];
    if (attempt->class == CLASSIFY_OK)
        return;
    attempt_text_format(reply, attempt->class, timeout_ms, text);
    stderrlog_begin(log->log, &line, "warn", "attempt_failed");
    logline_add(&line.line, "bundle", log->bundle);
    logline_add_int(&line.line, "attempt", attempt->n);
    logline_add_int(&line.line, "of", log->of);
    logline_add(&line.line, "class", classify_text(attempt->class));
    logline_add_int(&line.line, "status", attempt->status);
    logline_add_int(&line.line, "wait_ms", attempt->wait_ms);
    logline_add(&line.line, "message", text);
    stderrlog_end(&line);
}
