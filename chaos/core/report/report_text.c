#include "chaos/core/report/report_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/text/stamp.h"
#include "base/units.h"

static const char *phase_title(const struct record_step *step)
{
    static const char *const titles[VERB_PHASES] = {
        [VERB_PHASE_STEADY] = "steady state",
        [VERB_PHASE_METHOD] = "method",
        [VERB_PHASE_ROLLBACK] = "rollback",
        [VERB_PHASE_EXPECT] = "expect",
    };
    return step->again ? "steady state again" : titles[step->plan->step->phase];
}

static const char *result_mark(enum record_result result)
{
    static const char *const marks[] = {
        [RECORD_MET] = "ok",
        [RECORD_NOT_MET] = "NOT MET",
        [RECORD_ERROR] = "ERROR",
        [RECORD_SKIPPED] = "skipped",
    };
    return marks[result];
}

/* The indentation of what belongs to the line before: width of the columns left of the text. */
#define UNDER "                                  "

static void add_call(const struct record_call *call, struct buf *out)
{
    const struct world_call *told = &call->told;
    buf_addf(out, UNDER "caller: bundle %s", told->bundle[0] == '\0' ? "?" : told->bundle);
    if (!told->finished)
        buf_add_text(out, ", still running");
    if (told->status[0] != '\0')
        buf_addf(out, ", %s", told->status);
    if (told->mode[0] != '\0')
        buf_addf(out, ", mode %s", told->mode);
    if (told->attempts >= 0)
        buf_addf(out, ", %d attempts", told->attempts);
    if (told->reason[0] != '\0')
        buf_addf(out, ", reason %s", told->reason);
    if (told->error[0] != '\0')
        buf_addf(out, ", error %s", told->error);
    if (told->exit >= 0)
        buf_addf(out, ", exit %d", told->exit);
    if (told->signal != 0)
        buf_addf(out, ", ended by signal %d", told->signal);
    buf_add_char(out, '\n');
}

static const struct record_call *call_of(const struct judgement *run,
                                         const struct record_step *step)
{
    for (size_t i = 0; i < run->record->call_count; i++)
        if (run->record->calls[i].plan == step->plan && run->record->calls[i].again == step->again)
            return &run->record->calls[i];
    return NULL;
}

static const struct judgement_fault *fault_of(const struct judgement *run,
                                              const struct record_step *step)
{
    for (size_t i = 0; i < run->fault_count; i++)
        if (run->faults[i].window.plan == step->plan && !run->faults[i].window.implied)
            return &run->faults[i];
    return NULL;
}

static void add_step(const struct judgement *run, const struct record_step *step, struct buf *out)
{
    int64_t offset_ms = (step->started.mono_ns - run->record->started.mono_ns) / NS_PER_MS;
    int64_t took_ms = (step->ended.mono_ns - step->started.mono_ns) / NS_PER_MS;
    const struct record_call *call = call_of(run, step);
    const struct judgement_fault *fault = fault_of(run, step);
    buf_addf(out, "%3" PRId64 ".%03" PRId64 "  %3zu  %-12s %-7s  %s", offset_ms / 1000,
             offset_ms % 1000, step->plan->number, step->plan->step->actor->name,
             result_mark(step->result), step->plan->text);
    if (took_ms > 0)
        buf_addf(out, "   (%" PRId64 " ms)", took_ms);
    buf_add_char(out, '\n');
    if (step->note[0] != '\0')
        buf_addf(out, UNDER "%s\n", step->note);
    if (call != NULL)
        add_call(call, out);
    if (fault != NULL && fault->evidence[0] != '\0')
        buf_addf(out, UNDER "fault %s: met %" PRIu64 " times (%s)\n",
                 condition_name(fault->window.bit), fault->hits, fault->evidence);
    if (step->message[0] != '\0')
        buf_addf(out, UNDER "! %s\n", step->message);
}

void report_text_findings(const struct judgement *run, struct buf *out)
{
    for (unsigned flag = VERDICT_COUNT; flag-- > 0;)
        for (size_t i = 0; i < run->findings.count; i++) {
            const struct verdict_finding *f = &run->findings.items[i];
            if ((unsigned)f->flag == flag)
                buf_addf(out, "%s: %s: %s\n", verdict_name(f->flag), f->rule, f->text);
        }
}

void report_text_timeline(const struct judgement *run, struct buf *out)
{
    char stamp[STAMP_BYTES];
    stamp_format(run->record->started.wall_ns, STAMP_MILLI, stamp);
    buf_addf(out, "%s: %s\n%s, seed %" PRIu64 "\nverdict: %s, %s\n", run->record->scenario->name,
             run->record->scenario->purpose, stamp, run->record->seed, verdict_name(run->verdict),
             verdict_meaning(run->verdict));
    buf_add_text(out, "\nseconds  step  actor        result   what\n");
    const char *before = "";
    for (size_t i = 0; i < run->record->step_count; i++) {
        const char *title = phase_title(&run->record->steps[i]);
        if (strcmp(title, before) != 0)
            buf_addf(out, "\n-- %s\n", title);
        before = title;
        add_step(run, &run->record->steps[i], out);
    }
    buf_addf(out,
             "\nsignatures of Vault that nobody published: %" PRIu64
             ", requests beyond the audited attempts: %" PRIu64 "\n",
             run->orphans, run->resends);
    if (run->findings.count > 0)
        buf_add_text(out, "\n-- findings, worst first\n");
    report_text_findings(run, out);
}
