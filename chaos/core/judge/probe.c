#include "chaos/core/judge/probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void probe_fail(struct probe *p, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    judge_say(p->judge, "%s", text);
    if (p->result == JUDGE_MET)
        p->result = JUDGE_NOT_MET;
}

void probe_unknown(struct probe *p, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    judge_say(p->judge, "%s", text);
    p->result = JUDGE_UNKNOWN;
}

bool probe_wants(const char *wanted, const char *found)
{
    return wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
}

void probe_count(struct probe_tally *tally, size_t line)
{
    tally->lines[tally->count % 4] = line;
    tally->count++;
}

void probe_compare_count(struct probe *p, const char *field, const char *what,
                         const struct probe_tally *tally, const char *file)
{
    char refs[200] = "";
    const struct scenario_value *value = scenario_field(p->step, field);
    if (!value->given || value->number == tally->count)
        return;
    int64_t shown = tally->count < 4 ? tally->count : 4;
    for (int64_t i = 0, len = 0; i < shown; i++)
        len += snprintf(refs + len, sizeof refs - (size_t)len, "%s%s:%zu", i == 0 ? " (" : ", ",
                        file, tally->lines[(tally->count - shown + i) % 4]);
    probe_fail(p, "expected %" PRId64 " %s, found %" PRId64 "%s%s%s", value->number, what,
               tally->count, refs, tally->count > 4 ? ", …" : "", refs[0] == '\0' ? "" : ")");
}

enum errc probe_run(const struct judge *j, const struct scenario_step *step,
                    const struct world_outcome *outcome, enum judge_result *out,
                    struct errc_why *why)
{
    struct probe p = {.judge = j, .step = step, .outcome = outcome, .why = why};
    const struct scenario_value *of = scenario_field(step, "of");
    if (of != NULL && of->text != NULL) {
        p.bundle = judge_bundle_of(j->run, of->text);
        if (p.bundle == NULL) {
            judge_say(j, "\"%s\" was not run", of->text);
            *out = JUDGE_NOT_MET;
            return ERRC_OK;
        }
    }
    if (step->verb->probe == NULL)
        return errc_fail(why, ERRC_INTERNAL, "no probe for %s", step->actor->name);
    enum errc code = step->verb->probe(&p);
    *out = p.result;
    return code;
}
