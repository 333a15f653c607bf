/*
 * defect_log: the log tells something else than what happened.
 */
#include <string.h>

#include "tests/defects/defect.h"

static void one_attempt(struct logline *l, const char *key, int64_t value)
{
    bool attempts = strcmp(key, "attempts") == 0;
    if (attempts && value != 1)
        defect_acts();
    __real_logline_add_int(l, key, attempts ? 1 : value);
}
DEFECT(log_attempts_one, .logline_add_int = one_attempt);

static void instead(struct logline *l, const char *key, const char *value, const char *which,
                    const char *text)
{
    bool hit = strcmp(key, which) == 0 && value != NULL;
    if (hit && (text == NULL || strcmp(value, text) != 0))
        defect_acts();
    __real_logline_add(l, key, hit ? text : value);
}

#define INSTEAD(id, key_text, text)                                                                \
    static void add_##id(struct logline *l, const char *key, const char *value)                    \
    {                                                                                              \
        instead(l, key, value, key_text, text);                                                    \
    }                                                                                              \
    DEFECT(id, .logline_add = add_##id)

INSTEAD(log_mode_vault, "signing_mode", "vault");
INSTEAD(log_mode_missing, "signing_mode", NULL);
INSTEAD(log_reason_missing, "reason", NULL);
INSTEAD(log_reason_timeout, "reason", "timeout");
INSTEAD(log_bundle_same, "bundle", "5f0c7f6e-3f0b-4a52-9c59-0f1a5f6f7a01");
INSTEAD(log_key_other, "key",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000");
INSTEAD(log_error_internal, "error", "internal");
INSTEAD(log_class_denied, "class", "denied");

/* Failures are told as information. */
static void begin_calmly(const struct stderrlog *log, struct stderrlog_line *line,
                         const char *level, const char *event)
{
    bool error = strcmp(level, "error") == 0;
    if (error)
        defect_acts();
    __real_stderrlog_begin(log, line, error ? "info" : level, event);
}
DEFECT(log_level_info, .stderrlog_begin = begin_calmly);

static void begin_as_api(const struct stderrlog *log, struct stderrlog_line *line,
                         const char *level, const char *event)
{
    struct stderrlog other = *log;
    if (strcmp(log->actor, "api") != 0)
        defect_acts();
    other.actor = "api";
    __real_stderrlog_begin(&other, line, level, event);
}
DEFECT(log_actor_api, .stderrlog_begin = begin_as_api);

/* Nothing is told of a signature. */
static void end_silently(struct stderrlog_line *line)
{
    if (line->text.len > 0 && strstr(buf_text(&line->text), "event=signed") != NULL) {
        defect_acts();
        buf_done(&line->text);
        return;
    }
    __real_stderrlog_end(line);
}
DEFECT(log_signed_missing, .stderrlog_end = end_silently);
