#include "chaos/core/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/jsonwrite.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "chaos/core/report/report_junit.h"
#include "chaos/core/report/report_text.h"

static const char *result_word(enum record_result result)
{
    static const char *const words[] = {
        [RECORD_MET] = "met",
        [RECORD_NOT_MET] = "not met",
        [RECORD_ERROR] = "error",
        [RECORD_SKIPPED] = "skipped",
    };
    return words[result];
}

static void write_stamp(struct jsonwrite *w, const char *key, int64_t wall_ns)
{
    char stamp[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_NANO, stamp);
    jsonwrite_string(w, key, stamp);
}

static void write_text(struct jsonwrite *w, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        jsonwrite_string(w, key, text);
}

static int64_t offset_ms(const struct judgement *run, struct instant at)
{
    return (at.mono_ns - run->record->started.mono_ns) / NS_PER_MS;
}

static void write_step(struct jsonwrite *w, const struct judgement *run,
                       const struct record_step *step)
{
    jsonwrite_object(w, NULL);
    jsonwrite_int(w, "number", (int64_t)step->plan->number);
    jsonwrite_string(w, "phase", verb_phase_name(step->plan->step->phase));
    jsonwrite_bool(w, "again", step->again);
    jsonwrite_int(w, "line", (int64_t)step->plan->step->line);
    jsonwrite_string(w, "actor", step->plan->step->actor->name);
    jsonwrite_string(w, "text", step->plan->text);
    jsonwrite_string(w, "result", result_word(step->result));
    jsonwrite_int(w, "offset_ms", offset_ms(run, step->started));
    jsonwrite_int(w, "took_ms", (step->ended.mono_ns - step->started.mono_ns) / NS_PER_MS);
    write_text(w, "note", step->note);
    write_text(w, "message", step->message);
    jsonwrite_end(w);
}

static void write_call(struct jsonwrite *w, const struct record_call *call)
{
    const struct world_call *told = &call->told;
    jsonwrite_object(w, NULL);
    jsonwrite_int(w, "step", (int64_t)call->plan->number);
    jsonwrite_bool(w, "again", call->again);
    write_text(w, "name", call->name);
    jsonwrite_string(w, "via", call->via);
    jsonwrite_bool(w, "finished", told->finished);
    write_text(w, "bundleRunId", told->bundle);
    write_text(w, "status", told->status);
    write_text(w, "signingMode", told->mode);
    write_text(w, "reason", told->reason);
    write_text(w, "error", told->error);
    if (told->attempts >= 0)
        jsonwrite_int(w, "attempts", told->attempts);
    if (told->exit >= 0)
        jsonwrite_int(w, "exit", told->exit);
    if (told->signal != 0)
        jsonwrite_int(w, "signal", told->signal);
    if (told->http_status != 0)
        jsonwrite_int(w, "http_status", told->http_status);
    jsonwrite_bool(w, "fallback_allowed", call->contract.fallback_allowed);
    write_stamp(w, "started", told->started.wall_ns);
    if (told->finished)
        write_stamp(w, "ended", told->ended.wall_ns);
    jsonwrite_end(w);
}

static void write_fault(struct jsonwrite *w, const struct judgement_fault *fault)
{
    jsonwrite_object(w, NULL);
    jsonwrite_int(w, "step", (int64_t)fault->window.plan->number);
    jsonwrite_string(w, "kind", condition_name(fault->window.bit));
    jsonwrite_int(w, "hits", (int64_t)fault->hits);
    jsonwrite_string(w, "evidence", fault->evidence);
    write_stamp(w, "from", fault->window.from_ns);
    if (fault->window.to_ns != INT64_MAX)
        write_stamp(w, "to", fault->window.to_ns);
    jsonwrite_end(w);
}

static void write_finding(struct jsonwrite *w, const struct verdict_finding *finding)
{
    jsonwrite_object(w, NULL);
    jsonwrite_string(w, "verdict", verdict_name(finding->flag));
    jsonwrite_string(w, "rule", finding->rule);
    if (finding->step > 0)
        jsonwrite_int(w, "step", (int64_t)finding->step);
    jsonwrite_string(w, "text", finding->text);
    jsonwrite_end(w);
}

static void write_flags(struct jsonwrite *w, const struct judgement *run)
{
    jsonwrite_array(w, "flags");
    for (unsigned v = 0; v < VERDICT_COUNT; v++)
        if ((run->findings.flags & 1u << v) != 0)
            jsonwrite_string(w, NULL, verdict_name((enum verdict)v));
    jsonwrite_end(w);
}

static void write_head(struct jsonwrite *w, const struct judgement *run)
{
    jsonwrite_int(w, "version", REPORT_VERSION);
    jsonwrite_string(w, "scenario", run->record->scenario->name);
    jsonwrite_string(w, "file", run->record->scenario->file);
    jsonwrite_string(w, "purpose", run->record->scenario->purpose);
    jsonwrite_array(w, "tags");
    for (size_t i = 0; i < run->record->scenario->tag_count; i++)
        jsonwrite_string(w, NULL, run->record->scenario->tags[i]);
    jsonwrite_end(w);
    char seed[24]; /* as text: a reader's numbers may not hold 64 bits */
    (void)snprintf(seed, sizeof seed, "%" PRIu64, run->record->seed);
    jsonwrite_string(w, "seed", seed);
    jsonwrite_string(w, "verdict", verdict_name(run->verdict));
    jsonwrite_int(w, "exit", verdict_exit_code(run->verdict));
    write_flags(w, run);
    write_stamp(w, "started", run->record->started.wall_ns);
    write_stamp(w, "ended", run->record->ended.wall_ns);
    jsonwrite_int(w, "took_ms", offset_ms(run, run->record->ended));
    jsonwrite_int(w, "orphans", (int64_t)run->orphans);
    jsonwrite_int(w, "resends", (int64_t)run->resends);
}

void report_format_result(const struct judgement *run, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    write_head(&w, run);
    jsonwrite_array(&w, "findings");
    for (size_t i = 0; i < run->findings.count; i++)
        write_finding(&w, &run->findings.items[i]);
    jsonwrite_end(&w);
    jsonwrite_array(&w, "steps");
    for (size_t i = 0; i < run->record->step_count; i++)
        write_step(&w, run, &run->record->steps[i]);
    jsonwrite_end(&w);
    jsonwrite_array(&w, "calls");
    for (size_t i = 0; i < run->record->call_count; i++)
        write_call(&w, &run->record->calls[i]);
    jsonwrite_end(&w);
    jsonwrite_array(&w, "faults");
    for (size_t i = 0; i < run->fault_count; i++)
        if (!run->faults[i].window.implied)
            write_fault(&w, &run->faults[i]);
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}

/* --- history --- */

/* A signature is a call whose reply may be lost: invoke, then ok, fail or info (do not know), as
 * checkers of histories name them. */
static const char *call_outcome(const struct world_call *told)
{
    if (!told->finished || told->signal != 0)
        return "info";
    return told->mode[0] != '\0' ? "ok" : "fail";
}

static void begin_line(struct jsonwrite *w, struct buf *out, const char *kind, int64_t at_ms)
{
    jsonwrite_init(w, out, JSONWRITE_PLAIN);
    jsonwrite_object(w, NULL);
    jsonwrite_int(w, "offset_ms", at_ms);
    jsonwrite_string(w, "kind", kind);
}

static void end_line(struct jsonwrite *w, struct buf *out)
{
    jsonwrite_end(w);
    buf_add_char(out, '\n');
}

static void history_call(const struct judgement *run, const struct record_call *call, bool ended,
                         struct buf *out)
{
    struct jsonwrite w;
    const struct world_call *told = &call->told;
    begin_line(&w, out, "call", offset_ms(run, ended ? told->ended : told->started));
    jsonwrite_string(&w, "event", ended ? call_outcome(told) : "invoke");
    jsonwrite_int(&w, "step", (int64_t)call->plan->number);
    jsonwrite_string(&w, "via", call->via);
    write_text(&w, "bundleRunId", told->bundle);
    if (ended) {
        write_text(&w, "signingMode", told->mode);
        write_text(&w, "status", told->status);
        write_text(&w, "error", told->error);
    }
    end_line(&w, out);
}

static void history_step(const struct judgement *run, const struct record_step *step, bool ended,
                         struct buf *out)
{
    struct jsonwrite w;
    begin_line(&w, out, "step", offset_ms(run, ended ? step->ended : step->started));
    jsonwrite_string(&w, "event", ended ? result_word(step->result) : "begin");
    jsonwrite_int(&w, "step", (int64_t)step->plan->number);
    jsonwrite_bool(&w, "again", step->again);
    jsonwrite_string(&w, "text", step->plan->text);
    if (ended) {
        write_text(&w, "note", step->note);
        write_text(&w, "message", step->message);
    }
    end_line(&w, out);
}

/* Calls that began in the step: in order, since a step has one at most. Ends of background calls
 * stand where they ended, between steps or in a later one. */
static void history_calls_until(const struct judgement *run, int64_t until_ns, bool *told,
                                struct buf *out)
{
    for (size_t i = 0; i < run->record->call_count; i++) {
        const struct record_call *call = &run->record->calls[i];
        if (told[i] || !call->told.finished || call->told.ended.mono_ns > until_ns)
            continue;
        history_call(run, call, true, out);
        told[i] = true;
    }
}

static void history_begun(const struct judgement *run, const struct record_step *step,
                          struct buf *out)
{
    for (size_t i = 0; i < run->record->call_count; i++)
        if (run->record->calls[i].plan == step->plan && run->record->calls[i].again == step->again)
            history_call(run, &run->record->calls[i], false, out);
}

void report_format_history(const struct judgement *run, struct buf *out)
{
    bool *told = calloc(run->record->call_count + 1, sizeof *told);
    if (told == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < run->record->step_count; i++) {
        const struct record_step *step = &run->record->steps[i];
        if (step->result == RECORD_SKIPPED)
            continue;
        history_step(run, step, false, out);
        history_begun(run, step, out);
        history_calls_until(run, step->ended.mono_ns, told, out);
        history_step(run, step, true, out);
    }
    free(told);
    for (size_t i = 0; i < run->findings.count; i++) {
        struct jsonwrite w;
        begin_line(&w, out, "finding", offset_ms(run, run->record->ended));
        jsonwrite_string(&w, "verdict", verdict_name(run->findings.items[i].flag));
        jsonwrite_string(&w, "rule", run->findings.items[i].rule);
        jsonwrite_string(&w, "text", run->findings.items[i].text);
        end_line(&w, out);
    }
}

/* --- what other files format --- */

void report_format_timeline(const struct judgement *run, struct buf *out)
{
    report_text_timeline(run, out);
}

void report_format_findings(const struct judgement *run, struct buf *out)
{
    report_text_findings(run, out);
}

void report_format_junit(const struct judgement *run, struct buf *out)
{
    report_junit_document(run, out);
}
